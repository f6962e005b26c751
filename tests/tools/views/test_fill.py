"""Filling a budget: whatever the lines are like, it is full or nothing more fits."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.tools.languages import outline
from penstock.tools.views.dense import dense_view
from penstock.tools.views.fill import fill_budget
from penstock.tools.views.focus import focus_view
from penstock.tools.views.view import LineRange, gap_mark, gaps_of, merge_ranges, ranges_of, render_kept

Count = Callable[[str], int]
_LENGTHS = st.one_of(st.integers(0, 12), st.integers(0, 80), st.just(400))


def words(text: str) -> int:
    """Count something like tokens: cheap, additive, and never 0 for text."""
    return len(text.split()) + text.count("\n")


def fits_beside(lines: list[str], kept: tuple[LineRange, ...], number: int, budget: int) -> bool:
    """Say whether the budget holds one more line, where a gap no longer than its mark is closed."""
    more = ranges_of(sorted({number, *(at for first, last in kept for at in range(first, last + 1))}))
    short = [gap for gap in gaps_of(more, len(lines)) if len("".join(lines[gap[0] - 1 : gap[1]])) <= len(gap_mark(gap))]
    return words(render_kept(lines, merge_ranges((*more, *short)))) <= budget


@given(
    lengths=st.lists(_LENGTHS, min_size=1, max_size=60),
    end=st.sampled_from(["\n", "\r\n"]),
    budget=st.integers(10, 400),
    stride=st.integers(1, 66),
)
@settings(max_examples=200, deadline=None)
def test_a_budget_is_filled_within_five_percent_or_no_line_more_fits(
    lengths: list[int], end: str, budget: int, stride: int
) -> None:
    lines = [f"{'w ' * length}{end}" for length in lengths]
    wanted = sorted(range(1, len(lines) + 1), key=lambda number: number * stride % 67)
    body, kept = fill_budget(lines, wanted, words, budget)
    assert words(body) <= budget
    assert body == (render_kept(lines, kept) if kept else "")
    assert (body, kept) == fill_budget(lines, wanted, words, budget)
    if words(body) < 0.95 * budget:
        omitted = [number for first, last in gaps_of(kept, len(lines)) for number in range(first, last + 1)]
        assert not [number for number in omitted if fits_beside(lines, kept, number, budget)]


SHAPES = {
    "lines of 200 to 500 words": "".join("quick brown fox jumps over it " * (33 + at * 7 % 50) + "\n" for at in range(60)),
    "a huge line among short ones": "alpha beta\n" * 150 + "gamma delta " * 4_000 + "\n" + "epsilon zeta eta\n" * 250,
    "CRLF": "".join(f"value {at} of {at * 7919 % 1013}\r\n" for at in range(600)),
    "tabs": "".join("\t" * (at % 9) + f"step({at})\n" for at in range(900)),
    "one giant function": "def f():\n" + "".join(f"    total += area(shape_{at}, {at * 31 % 97})\n" for at in range(900)),
    "Chinese": "".join(chr(0x4E00 + at * 7 % 20_000) * (2 + at % 30) + "\n" for at in range(600)),
    "emoji": "".join(chr(0x1F300 + at % 700) * (2 + at % 9) + "\n" for at in range(600)),
    "very short lines": "".join("abc}{;"[at * 5 % 6] + "\n" for at in range(4_000)),
    "no newline at the end": "\n".join(f"entry {at}" for at in range(900)),
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_focus_and_dense_fill_budgets_of_every_size_within_five_percent(text: str, count: Count) -> None:
    definitions = outline("a.py", text.encode()).definitions
    total = count(text)
    budgets = [budget for budget in (500, 1_000, 1_750, total - total // 10, total - 1) if 500 <= budget < total]
    if "gamma" in text:
        budgets = [budget for budget in budgets if budget < 1_400]  # of all but the huge line, there is no more
    elif "quick" in text:
        budgets = budgets[2:]
    for budget in budgets:
        for view in (
            dense_view(text, count, budget=budget, definitions=definitions),
            focus_view(text, "area of value 7 or brown gamma", count, budget=budget, definitions=definitions),
        ):
            assert 0.95 * budget <= count(view.body) <= budget, (view.name, budget)
            assert all(gap_mark(gap) in view.body for gap in view.omitted)


def test_a_line_too_long_for_the_budget_does_not_keep_others_out() -> None:
    lines = ["w " * 500 + "\n", *(f"line {number}\n" for number in range(200))]
    body, kept = fill_budget(lines, list(range(1, len(lines) + 1)), words, 300)
    assert words(body) >= 285
    assert kept == ((2, kept[0][1]),)


def test_a_less_wanted_line_gives_way_where_lines_are_too_long_for_more() -> None:
    lines = ["w " * length + "\n" for length in (50, 30, 40, 60)]
    _, kept = fill_budget(lines, [1, 2, 3, 4], words, 125)
    assert kept == ((1, 1), (4, 4))
