import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.evidence import (
    Finding,
    Standing,
    decode_evidence,
    encode_evidence,
    evidence_of,
    look_again,
    parse_evidence,
)

DATA = b"one\ntwo\nthree\nfour\nfive\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.py", ("a.py", None)),
        ("a.py:3", ("a.py", (3, 3))),
        ("src/a.py:3-9", ("src/a.py", (3, 9))),
        ("C:/x.py:1-2", ("C:/x.py", (1, 2))),
        (" a b.py:1 ", ("a b.py", (1, 1))),
    ],
)
def test_evidence_is_a_path_and_perhaps_lines(text: str, expected: tuple[str, tuple[int, int] | None]) -> None:
    assert parse_evidence(text) == expected


@pytest.mark.parametrize("text", ["", "  ", "a.py:0", "a.py:5-2"])
def test_evidence_without_a_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="evidence"):
        parse_evidence(text)


def test_lines_beyond_the_end_are_refused() -> None:
    assert evidence_of("a", DATA, (5, 5)).lines == (5, 5)
    with pytest.raises(ValueError, match="5 lines"):
        evidence_of("a", DATA, (5, 6))


def test_a_range_holds_moves_changes_and_goes() -> None:
    evidence = evidence_of("a", DATA, (2, 3))
    assert look_again(evidence, DATA) == Finding(evidence, Standing.HOLDS, (2, 3))
    assert look_again(evidence, b"zero\n" + DATA) == Finding(evidence, Standing.MOVED, (3, 4))
    assert look_again(evidence, DATA.replace(b"three", b"3")).standing is Standing.CHANGED
    assert look_again(evidence, b"").standing is Standing.CHANGED
    assert look_again(evidence, None).standing is Standing.GONE
    assert str(look_again(evidence, b"zero\n" + DATA)) == "a:2-3 moved to lines 3-4"


def test_of_several_places_the_nearest_counts() -> None:
    evidence = evidence_of("a", b"x\n" * 4 + b"same\n", (5, 5))
    assert look_again(evidence, b"same\n" + b"x\n" * 5 + b"same\n").lines == (7, 7)


def test_a_whole_file_holds_or_changes() -> None:
    evidence = evidence_of("a", DATA, None)
    assert look_again(evidence, DATA).standing is Standing.HOLDS
    assert look_again(evidence, DATA + b"x").standing is Standing.CHANGED


files = st.lists(st.sampled_from([b"a", b"b", b"", b"\xff"]), min_size=1, max_size=12)


@given(files, st.data(), st.lists(st.sampled_from([b"new", b"a"]), max_size=5))
def test_lines_inserted_above_only_move_a_range(rows: list[bytes], data: st.DataObject, above: list[bytes]) -> None:
    first = data.draw(st.integers(1, len(rows)))
    last = data.draw(st.integers(first, len(rows)))
    whole = b"\n".join([*rows, b"end"])
    evidence = evidence_of("a", whole, (first, last))
    finding = look_again(evidence, b"\n".join([*above, whole]))
    assert finding.standing in (Standing.HOLDS, Standing.MOVED)
    assert finding.lines is not None
    start = finding.lines[0] - 1
    now = b"\n".join([*above, whole]).split(b"\n")
    assert now[start : start + last - first + 1] == rows[first - 1 : last]


def test_evidence_survives_encoding() -> None:
    some = (evidence_of("a", DATA, (2, 3), commit="c" * 40), evidence_of("b", DATA, None))
    assert decode_evidence(encode_evidence(some)) == some


@pytest.mark.parametrize("value", [None, 3, [3], [{}], [{"path": "a", "lines": [1], "sha256": ""}]])
def test_what_is_no_evidence_raises_value_error(value: object) -> None:
    with pytest.raises(ValueError, match="evidence"):
        decode_evidence(value)
