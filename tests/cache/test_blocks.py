"""Shared blocks: stored once, never changed, gone with the last file that has them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.blocks import BLOCK_OVERHEAD_BYTES, MIN_BLOCK_BYTES, BlockTable, Rope, split_blocks

LICENCE = b"# Licensed under the same terms as everything else.\n" * 8 + b"\n"
paragraph = st.sampled_from([LICENCE, b"x = 1\n", b"\n", b"def f():\n    return 1\n\n", b"y" * MIN_BLOCK_BYTES + b"\n\n"])
texts = st.lists(paragraph, max_size=8).map(b"".join)


@given(st.one_of(texts, st.binary(max_size=2000)))
def test_pieces_join_to_the_file(data: bytes) -> None:
    assert b"".join(split_blocks(data).parts) == data


@given(st.lists(st.tuples(texts, st.booleans()), max_size=8))
@settings(max_examples=200)
def test_ropes_hold_their_file_and_the_table_empties(files: list[tuple[bytes, bool]]) -> None:
    table = BlockTable()
    ropes: dict[tuple[int, int], tuple[bytes, Rope]] = {}
    for number, (data, goes_again) in enumerate(files):
        before = sum(rope.private_bytes for _, rope in ropes.values()) + table.shared_bytes
        pieces = split_blocks(data)
        rope, others = table.pack(pieces, (1, number))
        ropes[1, number] = data, rope
        for other in others:
            ropes[other] = ropes[other][0], table.adopt(ropes[other][1])
        after = sum(rope.private_bytes for _, rope in ropes.values()) + table.shared_bytes
        assert after - before <= len(data) + pieces.overhead_bytes, "it costs more than was charged for it"
        if goes_again:
            table.release(ropes.pop((1, number))[1])
        held = sum(rope.private_bytes for _, rope in ropes.values()) + table.shared_bytes
        assert held >= 0
        assert all(rope.materialise() == content for content, rope in ropes.values())
    for _, rope in ropes.values():
        table.release(rope)
    assert table.shared_bytes == 0
    assert table.statistics().sights == 0


@given(st.lists(texts, min_size=1, max_size=6))
def test_simplified_ropes_hold_their_file(files: list[bytes]) -> None:
    table = BlockTable()
    ropes: dict[tuple[int, int], Rope] = {}
    for number, data in enumerate(files):
        ropes[1, number], others = table.pack(split_blocks(data), (1, number))
        ropes.update({other: table.adopt(ropes[other]) for other in others})
    ropes = {owner: table.simplify(rope) for owner, rope in ropes.items()}
    assert [rope.materialise() for rope in ropes.values()] == files
    for rope in ropes.values():
        table.release(rope)
    assert table.shared_bytes == 0


def test_a_licence_header_is_stored_once() -> None:
    table = BlockTable()
    ropes = {}
    for number in range(10):
        ropes[1, number], others = table.pack(split_blocks(LICENCE + b"body %d\n" % number), (1, number))
        ropes.update({other: table.adopt(ropes[other]) for other in others})
    assert table.shared_bytes == len(LICENCE) + BLOCK_OVERHEAD_BYTES
    assert all(rope.private_bytes < 100 for rope in ropes.values())
    assert table.statistics().saved_bytes == 9 * len(LICENCE) - BLOCK_OVERHEAD_BYTES


@given(texts, texts)
def test_adopting_never_makes_a_file_heavier(first: bytes, second: bytes) -> None:
    table = BlockTable()
    rope, _ = table.pack(split_blocks(first), (1, 1))
    table.pack(split_blocks(second), (1, 2))
    before = rope.private_bytes
    assert table.adopt(rope).private_bytes <= before
