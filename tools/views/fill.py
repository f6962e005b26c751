"""Filling a token budget with whole lines: the most wanted first, as many as fit, gaps marked.

Pure. Deterministic: the same lines, order and budget give the same text.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from .view import LineRange, TokenCount, gap_mark, gaps_of, merge_ranges, ranges_of, render_kept

REST: Final = "lines=<range of a gap>"
FIRST_PART: Final = "lines=1:1-4000"
"""How to read the beginning of a text of lines too long for any budget: by bytes."""
NO_LINE_FITS: Final = "no whole line fits the budget"
_SMALL_STEPS: Final = 24
"""How many further lines are tried one by one after the bisection; each costs one count of a text of budget size."""
_MAX_TOKEN_CHARS: Final = 128
"""No token of o200k is longer: a text of more than 128 characters a token is over the budget without counting."""


def fill_budget(lines: Sequence[str], wanted: Sequence[int], count: TokenCount, budget: int) -> tuple[str, tuple[LineRange, ...]]:
    """Return the text and the ranges kept: a prefix of `wanted` (line numbers, best first), then what still fits.

    The marks are part of the budget. When nothing fits, the text is empty.
    """
    filling = _Filling(lines, count, budget)
    if filling.fits(range(1, len(lines) + 1)):
        return "".join(lines), ((1, len(lines)),) if lines else ()
    low, high = 0, len(wanted)
    while low < high:
        middle = (low + high + 1) // 2
        if filling.fits(wanted[:middle]):
            low = middle
        else:
            high = middle - 1
    chosen = set(wanted[:low])
    for number in wanted[low : low + _SMALL_STEPS]:
        if filling.fits(chosen | {number}):
            chosen.add(number)
    kept = filling.kept(chosen)
    return (render_kept(lines, kept), kept) if kept else ("", ())


class _Filling:
    """The text, the budget, and what a choice of lines comes to."""

    def __init__(self, lines: Sequence[str], count: TokenCount, budget: int) -> None:
        self._lines = lines
        self._count = count
        self._budget = budget

    def fits(self, chosen: Iterable[int]) -> bool:
        text = render_kept(self._lines, self.kept(chosen))
        return len(text) <= _MAX_TOKEN_CHARS * self._budget and self._count(text) <= self._budget

    def kept(self, chosen: Iterable[int]) -> tuple[LineRange, ...]:
        """Return the ranges of the chosen lines; a gap that is shorter than its mark is closed."""
        kept = ranges_of(sorted(set(chosen)))
        if not kept:
            return ()
        short = [gap for gap in gaps_of(kept, len(self._lines)) if self._is_short(gap)]
        return merge_ranges((*kept, *short))

    def _is_short(self, gap: LineRange) -> bool:
        first, last = gap
        room = len(gap_mark(gap))
        return last - first < room and sum(map(len, self._lines[first - 1 : last])) <= room
