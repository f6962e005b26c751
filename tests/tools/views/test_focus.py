"""Views that fill a budget: focus and dense."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.tools.languages import outline
from penstock.tools.views.dense import dense_view, rank_lines
from penstock.tools.views.fill import fill_budget
from penstock.tools.views.focus import focus_view, rank_passages
from penstock.tools.views.passages import MAX_LINES, passages_of
from penstock.tools.views.terms import terms_of
from penstock.tools.views.view import View, has_marks, split_lines

Count = Callable[[str], int]
LINES = st.lists(st.text(alphabet="ab cdé_\t …", max_size=30), max_size=60).map("\n".join)


def words(text: str) -> int:
    """Count something like tokens: cheap, and never 0 for text."""
    return len(text.split()) + text.count("\n")


def check(view: View, text: str) -> None:
    """Whole lines, in order, verbatim; every gap marked; kept and omitted are all; never longer than the text."""
    lines = split_lines(text)
    assert view.total_lines == len(lines)
    expected = ""
    at = 1
    for first, last in view.kept:
        expected += f"… {first - at:,} line{'s' if first - at != 1 else ''} ({at}-{first - 1}) …\n" if first > at else ""
        expected += "".join(lines[first - 1 : last])
        at = last + 1
    missing = len(lines) - at + 1
    if missing and view.kept:
        expected += f"… {missing:,} line{'s' if missing != 1 else ''} ({at}-{len(lines)}) …\n"
    assert view.body == expected
    assert len(view.body) <= len(text)
    assert view.is_lossy == (view.kept_lines != len(lines))


@given(text=LINES, query=st.text(alphabet="ab cdé", max_size=12), budget=st.integers(1, 120))
@settings(max_examples=150, deadline=None)
def test_focus_on_any_text_keeps_whole_lines_within_the_budget(text: str, query: str, budget: int) -> None:
    view = focus_view(text, query, words, budget=budget)
    check(view, text)
    assert words(view.body) <= budget
    assert view == focus_view(text, query, words, budget=budget)


@given(text=LINES, budget=st.integers(1, 120))
@settings(max_examples=150, deadline=None)
def test_dense_on_any_text_keeps_whole_lines_within_the_budget(text: str, budget: int) -> None:
    view = dense_view(text, words, budget=budget)
    check(view, text)
    assert words(view.body) <= budget
    assert view == dense_view(text, words, budget=budget)


@pytest.mark.parametrize("budget", [200, 500, 1_000, 2_500])
def test_both_fill_the_budget_within_five_percent(budget: int, count: Count, module_text: str) -> None:
    definitions = outline("a.py", module_text.encode()).definitions
    for view in (
        focus_view(module_text, "area of figure 7 above the limit", count, budget=budget, definitions=definitions),
        dense_view(module_text, count, budget=budget, definitions=definitions),
    ):
        assert 0.95 * budget <= count(view.body) <= budget
        assert has_marks(view.body)
        check(view, module_text)


def test_a_text_that_fits_is_shown_whole_and_is_not_lossy(count: Count) -> None:
    text = "one\ntwo\n"
    for view in (focus_view(text, "two", count, budget=100), dense_view(text, count, budget=100)):
        assert (view.body, view.is_lossy, view.omitted) == (text, False, ())


def test_focus_shows_the_passage_that_answers(count: Count, module_text: str) -> None:
    definitions = outline("a.py", module_text.encode()).definitions
    view = focus_view(module_text, "_load23", count, budget=150, definitions=definitions)
    assert "def _load23" in view.body
    assert any("passages match" in note for note in view.notes)


def test_focus_says_when_nothing_matches(count: Count, module_text: str) -> None:
    view = focus_view(module_text, "zebra quagga", count, budget=100)
    assert "no passage matches the query" in view.notes
    assert view.body.startswith('"""Shapes')


def test_a_word_that_every_passage_holds_still_matches() -> None:
    """BM25Okapi gives such words negative scores; they must not count as misses."""
    lines = ["alpha beta\n", "alpha gamma\n"]
    order, matched = rank_passages(lines, [(1, 1), (2, 2)], "alpha")
    assert (order, matched) == ([0, 1], 2)


def test_dense_takes_definitions_before_bodies_and_rare_lines_before_repeated_ones() -> None:
    text = "x = 1\n" * 30 + "def unusual_quantity(parameter):\n" + "    return parameter\n" + "x = 1\n" * 30
    lines = split_lines(text)
    order = rank_lines(lines, outline("a.py", text.encode()).definitions)
    assert order[0] == 31
    assert order.index(32) < 5
    assert sorted(order) == list(range(1, len(lines) + 1))


@given(text=LINES)
@settings(deadline=None)
def test_passages_cover_every_line_once_and_are_short(text: str) -> None:
    lines = split_lines(text)
    passages = passages_of(lines, ())
    assert [number for first, last in passages for number in range(first, last + 1)] == list(range(1, len(lines) + 1))
    assert all(last - first < MAX_LINES for first, last in passages)


def test_passages_begin_at_definitions_with_the_comment_above_them() -> None:
    text = "a = 1\n\n# Says it.\ndef f():\n    pass\n\nb = 2\n"
    assert passages_of(split_lines(text), outline("a.py", text.encode()).definitions) == [(1, 2), (3, 5), (6, 7)]


def test_terms_are_whole_identifiers_and_their_parts_without_stop_words() -> None:
    assert terms_of("def loadHTTPServer(max_size): return é_x2") == [
        "loadhttpserver", "load", "http", "server", "max_size", "max", "size", "é_x2",
    ]  # fmt: skip
    assert terms_of("a" * 65) == []


def test_a_gap_shorter_than_its_mark_is_closed() -> None:
    body, kept = fill_budget(["long enough to matter\n", "\n", "and another line here\n", "z" * 80 + "\n"], [1, 3], len, 80)
    assert kept == ((1, 3),)
    assert body.endswith("… 1 line (4-4) …\n")


def test_a_budget_too_small_for_any_line_gives_an_empty_view(count: Count) -> None:
    view = dense_view("word " * 50 + "\n" + "other " * 50 + "\n", count, budget=3)
    assert (view.body, view.kept, view.omitted) == ("", (), ((1, 2),))
    assert view.notes == ("no whole line fits the budget",)
    assert view.rest == "lines=1:1-4000"
    assert "no whole line fits the budget" in focus_view("word " * 50, "word", count, budget=3).notes
