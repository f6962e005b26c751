import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.entries import (
    Entry,
    clip,
    decode_entry,
    encode_entry,
    entry_key,
    fold_record,
    key_of_line,
    merge_spans,
)
from penstock.cache.archive.events import EventKind, Record, TouchedSpan


def span(path: str, lines: tuple[int, int] | None) -> TouchedSpan:
    return TouchedSpan(path, (min(lines), max(lines)) if lines else None)


spans = st.builds(
    span,
    st.sampled_from(["a.py", "b/c.py", "ä\udcff"]),
    st.none() | st.tuples(st.integers(1, 60), st.integers(1, 60)),
)
entries = st.builds(
    Entry,
    st.text("0123456789abcdef", min_size=16, max_size=16),
    st.sampled_from(EventKind),
    st.text(max_size=10),
    st.text(max_size=30),
    st.text(max_size=60),
    st.lists(st.text("h0123456789abcdef", max_size=13), max_size=3).map(tuple),
    st.lists(spans, max_size=3).map(tuple),
    st.integers(0, 10**6),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(1, 1000),
    st.integers(0, 1000),
    st.booleans(),
    st.booleans(),
)


@given(entries)
def test_an_entry_survives_encoding_exactly(entry: Entry) -> None:
    line = encode_entry(entry)
    assert decode_entry(line) == entry
    assert key_of_line(line) == entry.key
    assert "\n" not in line


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", "null", '["k","no such kind"' + ",1" * 12 + "]", "[" * 10_000])
def test_what_is_no_entry_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="not an entry"):
        decode_entry(text)


def test_the_same_call_met_again_is_one_entry_with_the_newest_handle_first() -> None:
    first = fold_record(None, Record(EventKind.READ, "read", "a.py", "old", ("h1",), (TouchedSpan("a.py", (1, 9)),), 5), 3)
    again = fold_record(first, Record(EventKind.READ, "read", "a.py", "new", ("h2",), (TouchedSpan("a.py", (10, 20)),), 7), 8)
    assert (again.count, again.first_seq, again.last_seq) == (2, 3, 8)
    assert again.handles == ("h2", "h1")
    assert again.spans == (TouchedSpan("a.py", (1, 20)),)
    assert again.text == "new"


def test_other_arguments_or_paths_make_another_entry() -> None:
    base = Record(EventKind.READ, "read", "a.py", "x", spans=(TouchedSpan("a.py", (1, 2)),))
    assert entry_key(base) == entry_key(Record(EventKind.READ, "read", "a.py", "y", spans=(TouchedSpan("a.py", (5, 6)),)))
    assert entry_key(base) != entry_key(Record(EventKind.READ, "read", "b.py", "x"))
    assert entry_key(Record(EventKind.GOAL, "session", "", "x")) != entry_key(Record(EventKind.GOAL, "session", "", "y"))


@given(st.lists(spans, max_size=12))
def test_merged_spans_cover_the_same_lines_without_overlap(some: list[TouchedSpan]) -> None:
    merged = merge_spans(some)
    assert merge_spans(merged) == merged
    for path in {span.path for span in some}:
        ranges = [span.lines for span in some if span.path == path]
        ours = [span.lines for span in merged if span.path == path]
        if None in ranges:
            assert ours == [None]
            continue
        covered = [line for lines in ours if lines for line in range(lines[0], lines[1] + 1)]
        assert len(covered) == len(set(covered))
        assert set(covered) == {line for lines in ranges if lines for line in range(lines[0], lines[1] + 1)}


@given(st.text())
def test_a_clipped_text_is_a_beginning_of_it(text: str) -> None:
    assert text.startswith(clip(text, 20))
    assert len(clip(text, 20)) <= 20
