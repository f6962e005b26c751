import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.events import TouchedSpan
from penstock.cache.archive.outline import Failure, FileNote, Outline
from penstock.cache.archive.summary import sampling_prompt, spans_text, summarise

texts = st.lists(st.text("abc xyz", min_size=1, max_size=60), max_size=12, unique=True).map(tuple)
outlines = st.builds(
    Outline,
    texts,
    texts,
    texts,
    st.lists(
        st.builds(
            FileNote,
            st.text("ab/", min_size=1, max_size=20),
            st.just((TouchedSpan("a", (1, 2)),)),
            st.integers(1, 9),
            st.just("h1"),
        ),
        max_size=9,
    ).map(tuple),
    st.lists(st.builds(Failure, st.just("read a"), st.text("ab", max_size=9), st.just("h2"), st.booleans()), max_size=5).map(
        tuple
    ),
    texts,
    texts,
    dropped=st.integers(0, 9),
    handles=st.just(("h3",)),
)


def count(text: str) -> int:
    return len(text.split()) + text.count("\n")


@given(outlines, st.integers(60, 400))
def test_a_summary_stays_within_its_budget_and_counts_what_it_leaves_out(outline: Outline, budget: int) -> None:
    summary = summarise(outline, budget, count)
    assert summary.tokens == count(summary.text) <= budget
    total = len(outline.goals) + len(outline.decisions) + len(outline.notes) + len(outline.files) + len(outline.failures)
    total += len(outline.open_ends) + len(outline.queries) + len(outline.handles)
    assert summary.lines + summary.left_out == total + outline.dropped
    assert (f"… {summary.left_out} more left out" in summary.text) == (summary.left_out > 0)
    assert summarise(outline, budget, count) == summary


def test_what_changes_least_comes_first() -> None:
    outline = Outline(("goal",), ("decision",), ("note",), (FileNote("a.py", (), 1),), (Failure("", "bad"),), ("open",), ("q",))
    text = summarise(outline, 400, count).text
    headings = [line for line in text.splitlines() if line.endswith(":")]
    assert headings == ["Goals:", "Decisions:", "Notes:", "Files:", "Asked:", "Failures:", "Open:"]


def test_new_files_leave_the_front_of_the_text_as_it_was() -> None:
    """The stable front is what a prompt cache keeps."""
    files = tuple(FileNote(f"f{number}.py", (), 1) for number in range(5))
    before = summarise(Outline(("goal",), files=files[:4]), 400, count).text
    after = summarise(Outline(("goal",), files=files), 400, count).text
    assert after.startswith(before)


def test_goals_and_open_ends_are_the_last_to_be_left_out() -> None:
    outline = Outline(("the goal",), queries=tuple(f"query {number}" for number in range(40)), open_ends=("the open end",))
    text = summarise(outline, 60, count).text
    assert "the goal" in text
    assert "the open end" in text


def test_a_handle_that_is_gone_is_not_named() -> None:
    outline = Outline(files=(FileNote("a.py", (), 1, "h1"), FileNote("b.py", (), 1, "h2")), handles=("h3",))
    summary = summarise(outline, 400, count, has_handle=lambda handle: handle == "h2")
    assert summary.handles == ("h2",)
    assert "h1" not in summary.text
    assert "h3" not in summary.text


def test_spans_and_failures_read_as_lines_accepts_them() -> None:
    assert spans_text((TouchedSpan("a", (1, 4)), TouchedSpan("a", (9, 9)))) == ":1-4,9-9"
    assert spans_text((TouchedSpan("a"),)) == ""
    text = summarise(Outline(failures=(Failure("read x", "not found", "h1", True),)), 400, count).text
    assert "- read x: not found · went well later · h1" in text


def test_an_empty_outline_says_so_and_a_tiny_budget_is_refused() -> None:
    assert summarise(Outline(), 60, count).text == "Nothing recorded yet."
    with pytest.raises(ValueError, match="budget"):
        summarise(Outline(), 10, count)


def test_the_prompt_for_a_model_holds_the_earlier_summary_and_the_extract() -> None:
    assert "PRIOR" not in sampling_prompt("", "extract")
    assert "earlier" in sampling_prompt("earlier", "extract")
    assert sampling_prompt("", "extract").endswith("extract")
