from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.snapshot_lines import LineMemo, SnapshotLines


def lines(size: int) -> SnapshotLines:
    return SnapshotLines(True, {"k": "x" * size}, ())


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b"]), st.integers(0, 60)), max_size=40))
def test_a_memo_never_holds_more_than_its_bound_and_never_another_hash(puts: list[tuple[int, str, int]]) -> None:
    memo = LineMemo(100)
    truth: dict[tuple[int, str], SnapshotLines] = {}
    for id_, sha, size in puts:
        truth[id_, sha] = lines(size)
        memo.put(id_, sha, truth[id_, sha])
        held = {key: memo.get(*key) for key in truth}
        assert all(found is None or found == truth[key] for key, found in held.items())
        assert sum(len(found.put["k"]) for found in held.values() if found) <= 100
        assert memo.get(id_, sha) == truth[id_, sha]


def test_what_alone_is_too_large_is_not_remembered() -> None:
    memo = LineMemo(10)
    memo.put(1, "a", lines(11))
    assert memo.get(1, "a") is None
