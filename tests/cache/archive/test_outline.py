from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.events import EventKind, Record, TouchedSpan
from penstock.cache.archive.outline import (
    MAX_FILES,
    MAX_LINES,
    Outline,
    decode_outline,
    encode_outline,
    fold_outline,
    merge_outlines,
)

spans = st.builds(TouchedSpan, st.sampled_from(["a.py", "b.py"]), st.none() | st.just((1, 5)) | st.just((4, 9)))
records = st.builds(
    Record,
    st.sampled_from(EventKind),
    st.sampled_from(["read", "search", "session"]),
    st.text(max_size=8),
    st.text(max_size=20) | st.just("done: x"),
    st.lists(st.sampled_from(["h1", "h2"]), max_size=2).map(tuple),
    st.lists(spans, max_size=2).map(tuple),
    st.integers(0, 99),
    st.booleans(),
)


@given(st.lists(records, max_size=30), st.integers(0, 30))
def test_folding_in_two_parts_with_a_restart_between_is_folding_at_once(some: list[Record], cut: int) -> None:
    once = fold_outline(Outline(), some)
    first = decode_outline(encode_outline(fold_outline(Outline(), some[:cut])))
    assert fold_outline(first, some[cut:]) == once
    assert (once.events, once.tokens) == (len(some), sum(record.tokens for record in some))


def test_notes_are_filed_by_what_they_are_and_done_closes_an_open_end() -> None:
    outline = fold_outline(
        Outline(),
        [
            Record(EventKind.GOAL, "session", "", "ship it"),
            Record(EventKind.DECISION, "session", "", "use apsw"),
            Record(EventKind.OPEN_END, "session", "", "test Windows"),
            Record(EventKind.OPEN_END, "session", "", "write docs"),
            Record(EventKind.NOTE, "session", "", "done: write docs"),
            Record(EventKind.FAILURE, "session", "", "lint is red"),
            Record(EventKind.FAILURE, "session", "", "types are wrong"),
            Record(EventKind.NOTE, "session", "", "done: lint is red"),
        ],
    )
    assert outline.goals == ("ship it",)
    assert outline.decisions == ("use apsw",)
    assert outline.open_ends == ("test Windows",)
    assert [(one.text, one.is_resolved) for one in outline.failures] == [("lint is red", True), ("types are wrong", False)]


def test_a_failure_is_resolved_by_the_same_call_going_well() -> None:
    bad = Record(EventKind.READ, "read", "a.py", "not found", is_error=True)
    good = Record(EventKind.READ, "read", "a.py", "text")
    assert not fold_outline(Outline(), [bad]).failures[0].is_resolved
    assert fold_outline(Outline(), [bad, good]).failures[0].is_resolved
    assert not fold_outline(Outline(), [bad, good, bad]).failures[0].is_resolved
    assert len(fold_outline(Outline(), [bad, good, bad]).failures) == 1


def test_a_file_keeps_its_place_its_spans_and_its_newest_handle() -> None:
    outline = fold_outline(
        Outline(),
        [
            Record(EventKind.READ, "read", "a", "", ("h1",), (TouchedSpan("a.py", (1, 10)),)),
            Record(EventKind.READ, "read", "b", "", ("h2",), (TouchedSpan("b.py"),)),
            Record(EventKind.READ, "read", "a", "", ("h3",), (TouchedSpan("a.py", (11, 20)),)),
            Record(EventKind.OUTPUT, "compress", "make", "", ("h4",)),
        ],
    )
    assert [(note.path, note.times, note.handle) for note in outline.files] == [("a.py", 2, "h3"), ("b.py", 1, "h2")]
    assert outline.files[0].spans == (TouchedSpan("a.py", (1, 20)),)
    assert outline.handles == ("h4 compress make",)


def test_an_outline_is_bounded_and_counts_what_left() -> None:
    goals = [Record(EventKind.GOAL, "session", "", f"goal {number}") for number in range(MAX_LINES + 3)]
    files = [Record(EventKind.READ, "read", "", "", (), (TouchedSpan(f"f{number}"),)) for number in range(MAX_FILES + 2)]
    outline = fold_outline(Outline(), [*goals, *files])
    assert (len(outline.goals), len(outline.files), outline.dropped) == (MAX_LINES, MAX_FILES, 5)
    assert outline.goals[-1] == f"goal {MAX_LINES + 2}"
    assert outline.files[-1].path == f"f{MAX_FILES + 1}"


def test_only_the_last_questions_are_kept_each_once() -> None:
    asked = [Record(EventKind.SEARCH, "search", f"query {number % 20}") for number in range(25)]
    outline = fold_outline(Outline(), asked)
    assert outline.queries == tuple(f"query {number}" for number in (*range(13, 20), *range(5)))
    assert outline.dropped == 0


def test_a_damaged_outline_is_an_empty_one() -> None:
    for text in ("", "x", "[]", "{}", '{"goals": 3}'):
        assert decode_outline(text) == Outline()


@given(st.lists(records, max_size=20), st.lists(records, max_size=20))
def test_going_on_from_a_session_keeps_both_outlines_and_doing_so_again_changes_nothing(
    before: list[Record], after: list[Record]
) -> None:
    earlier, later = fold_outline(Outline(), before), fold_outline(Outline(), after)
    merged = merge_outlines(earlier, later)
    for section in ("goals", "decisions", "notes", "open_ends"):
        assert set(getattr(merged, section)) == {*getattr(earlier, section), *getattr(later, section)}
    assert {one.path for one in merged.files} == {one.path for one in (*earlier.files, *later.files)}
    assert {one.call for one in merged.failures} == {one.call for one in (*earlier.failures, *later.failures)}
    assert merge_outlines(earlier, merged) == merged
    assert decode_outline(encode_outline(merged)) == merged
