"""Lines, ranges and marks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.views.dense import dense_view
from penstock.tools.views.focus import focus_view
from penstock.tools.views.view import (
    MARKS_WITHIN,
    View,
    format_range,
    gap_mark,
    gaps_of,
    has_marks,
    is_worth_it,
    merge_ranges,
    ranges_of,
    render_kept,
    split_lines,
)

RANGES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8)


@given(st.text())
def test_split_lines_lose_nothing_and_end_at_newlines_alone(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert len(lines) == text.count("\n") + (not text.endswith("\n") and bool(text))


@given(RANGES)
def test_kept_and_omitted_lines_are_all_lines_once(ranges: list[tuple[int, int]]) -> None:
    kept = merge_ranges(ranges)
    total = 80
    numbers = sorted(number for first, last in (*kept, *gaps_of(kept, total)) for number in range(first, last + 1))
    assert numbers == list(range(1, total + 1))


@given(st.sets(st.integers(1, 50)))
def test_ranges_hold_the_numbers_they_are_made_of(numbers: set[int]) -> None:
    ranges = ranges_of(sorted(numbers))
    assert {number for first, last in ranges for number in range(first, last + 1)} == numbers
    assert all(earlier[1] + 1 < later[0] for earlier, later in pairwise(ranges))


@given(st.lists(st.text(alphabet="ab c"), min_size=1, max_size=60), st.sets(st.integers(1, 60)))
def test_rendered_lines_are_verbatim_and_every_gap_is_marked(texts: list[str], chosen: set[int]) -> None:
    lines = [text + "\n" for text in texts]
    kept = ranges_of(sorted(number for number in chosen if number <= len(lines)))
    body = render_kept(lines, kept)
    gaps = gaps_of(kept, len(lines))
    assert has_marks(body) == bool(gaps)
    shown = [line for line in split_lines(body) if not line.startswith("…")]
    assert shown == [lines[number - 1] for first, last in kept for number in range(first, last + 1)]
    assert all(gap_mark(gap) in body for gap in gaps)


def test_a_mark_says_how_many_lines_and_which() -> None:
    assert gap_mark((41, 52)) == "… 12 lines (41-52) …\n"
    assert gap_mark((7, 7)) == "… 1 line (7-7) …\n"
    assert gap_mark((1, 4_000)) == "… 4,000 lines (1-4000) …\n"
    assert format_range((3, 9)) == "3-9"


def test_marks_are_recognised_and_ordinary_ellipses_are_not() -> None:
    assert has_marks("a\n    … 3 lines (2-4) …\nb\n")
    assert has_marks("… 12 more definitions (not in this budget) …\n")
    assert not has_marks("wait … 3 lines (2-4) … no\nand so on …\n")
    assert not has_marks("plain text")


@pytest.mark.parametrize(
    "text",
    [
        "a\r\n… 3 lines (2-4) …\r\nb\r\n",
        "a\r… 3 lines (2-4) …\rb",
        "… 3 lines (2-4) …  \n",
        "+… 3 lines (2-4) …\n",
        "> … 3 lines (2-4) …\n",
        "   12→… 1,200 lines (2-1201) …\n",
        "# ... 3 lines (2-4) ...\n",
        "… 4 lines (5-8, as a.py:1-4 above) …",
    ],
)
def test_marks_are_recognised_in_what_editors_and_quoting_make_of_them(text: str) -> None:
    assert has_marks(text)


def test_a_view_of_a_text_with_lines_like_marks_says_so() -> None:
    text = "alpha beta\n" * 30 + "… 3 lines (4-6) …\n" + "gamma delta\n" * 30
    for view in (dense_view(text, len, budget=300), focus_view(text, "gamma", len, budget=300)):
        assert view.is_lossy
        assert MARKS_WITHIN in view.notes
    assert MARKS_WITHIN not in dense_view(text, len, budget=10_000).notes


def test_a_view_states_what_it_kept_of_what() -> None:
    view = View("focus", "b\n", ((2, 3), (5, 5)), 9, is_lossy=True, notes=("1 of 2 passages match",))
    assert (view.kept_lines, view.omitted) == (3, ((1, 1), (4, 4), (6, 9)))
    assert view.facts == ("focus", "lossy", "3 of 9 lines", "1 of 2 passages match")
    assert View("full", "a\n", ((1, 1),), 1, is_lossy=False).facts == ("full", "1 lines")


def test_a_lossy_view_as_long_as_the_text_is_not_worth_it() -> None:
    assert not is_worth_it(View("outline", "1-1 abc\n", ((1, 1),), 1, is_lossy=True), "abc\n", len)
    assert is_worth_it(View("outline", "1-9 a\n", ((1, 1),), 9, is_lossy=True), "abc\n" * 9, len)
    assert is_worth_it(View("full", "abc\n", ((1, 1),), 1, is_lossy=False), "abc\n", len)
