"""Filling a token budget with whole lines: the most wanted first, as many as fit, gaps marked.

Pure. Deterministic: the same lines, order and budget give the same text. Lines are chosen by what they cost alone, which is
nearly what they cost in the text; the text itself is counted after every round, and the next round fills what is left.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from .view import LineRange, TokenCount, gap_mark, gaps_of, merge_ranges, ranges_of, render_kept

REST: Final = "lines=<range of a gap>"
FIRST_PART: Final = "lines=1:1-4000"
"""How to read the beginning of a text of lines too long for any budget: by bytes."""
NO_LINE_FITS: Final = "no whole line fits the budget"
_ROUNDS: Final = 24
_ENOUGH: Final = 50
"""A budget is full when less than this part of it is left: 2 %, of the 5 % that are promised."""
_SEARCHED: Final = 2_000
"""Lines that do not fit before a round ends: in a long text of long lines, each costs a count."""
_SLACK: Final = 3
"""Tokens by which the cost of a line alone can be more than in the text: shorter marks, blank lines that join."""
_PROMISED: Final = 20
"""A budget that has more than this part left, 5 %, is worth an exchange of lines."""
_EXCHANGED: Final = 16
"""Lines, the least wanted first, of which one may give way to a longer one."""
_TRIED: Final = 3
"""Longer lines that are tried in its place."""
_MAX_TOKEN_CHARS: Final = 128
"""No token of o200k is longer: a text of more than 128 characters a token is over the budget without counting."""


def fill_budget(lines: Sequence[str], wanted: Sequence[int], count: TokenCount, budget: int) -> tuple[str, tuple[LineRange, ...]]:
    """Return the text and the ranges kept, filled from `wanted` (line numbers, best first); what does not fit is passed over.

    The marks are part of the budget. When nothing fits, the text is empty.
    """
    filling = _Filling(lines, count, budget)
    whole = "".join(lines)
    if filling.holds(whole):
        return whole, ((1, len(lines)),) if lines else ()
    kept = filling.fill(wanted)
    return (render_kept(lines, kept), kept) if kept else ("", ())


class _Filling:
    """The text, the budget, and what a choice of lines comes to."""

    def __init__(self, lines: Sequence[str], count: TokenCount, budget: int) -> None:
        self._lines = lines
        self._count = count
        self._budget = budget
        self._mark = count(gap_mark((max(1, len(lines) - 1), len(lines))))
        self._costs: dict[str, int] = {}

    def holds(self, text: str) -> bool:
        """Say whether the budget holds `text`."""
        return len(text) <= _MAX_TOKEN_CHARS * self._budget and self._count(text) <= self._budget

    def fill(self, wanted: Sequence[int]) -> tuple[LineRange, ...]:
        """Return the ranges kept: filled round by round; where lines are too long for more, after an exchange."""
        taken = self._topped_up([], wanted)
        left = self._left(self._kept(taken))
        if left * _PROMISED > self._budget:
            taken = self._topped_up(self._exchanged(taken, wanted, left), wanted)
        return self._kept(taken)

    def _topped_up(self, taken: list[int], wanted: Sequence[int]) -> list[int]:
        """Return `taken` and more lines, until the budget is full or nothing is left that might fit."""
        passed_over: set[int] = set()
        order, slack = wanted, 0
        for _ in range(_ROUNDS):
            kept = self._kept(taken)
            left = self._left(kept)
            if left * _ENOUGH <= self._budget:
                break
            more = self._affordable(order, kept, passed_over, left + slack)
            if slack and not more:
                break
            fitting = self._fitting(taken, more)
            passed_over.update(more[fitting : fitting + 1])
            taken = [*taken, *more[:fitting]]
            # What is left is too little for most lines with a mark of their own: those next to kept ones need none.
            order, slack = [*self._beside(self._kept(taken)), *wanted], _SLACK
        return taken

    def _left(self, kept: Sequence[LineRange]) -> int:
        """Return the tokens left; with nothing kept, those beside the one mark that there will be."""
        return self._budget - (self._count(render_kept(self._lines, kept)) if kept else self._mark)

    def _beside(self, kept: Iterable[LineRange]) -> list[int]:
        return [at for first, last in kept for at in (last + 1, first - 1) if 1 <= at <= len(self._lines)]

    def _exchanged(self, taken: list[int], wanted: Sequence[int], left: int) -> list[int]:
        """Return `taken` with one of the last lines exchanged for another one that fills the budget better, if there is one."""
        best = taken
        for at in range(len(taken) - 1, max(0, len(taken) - 1 - _EXCHANGED), -1):
            others = taken[:at] + taken[at + 1 :]
            kept = self._kept(others)
            room = self._left(kept)
            fits = self._affordable(wanted, kept, {taken[at]}, room, is_each=True)
            for number in sorted(fits, key=lambda number: -self._cost(number, room))[:_TRIED]:
                choice = [*others, number]
                unused = self._left(self._kept(choice))
                if 0 <= unused < left:
                    best, left = choice, unused
            if left * _PROMISED <= self._budget:
                break
        return best

    def _affordable(
        self, wanted: Sequence[int], kept: Iterable[LineRange], passed_over: set[int], left: int, *, is_each: bool = False
    ) -> list[int]:
        """Return what `left` tokens hold by the cost of each line alone, and of the marks that it adds or makes needless.

        With `is_each`, return the lines of which each fits alone.
        """
        is_kept = bytearray(len(self._lines) + 2)
        is_kept[0] = is_kept[-1] = 1  # nothing is left out beyond the ends
        for first, last in kept:
            is_kept[first : last + 1] = b"\1" * (last + 1 - first)
        more: list[int] = []
        misses = 0
        for number in wanted:
            if is_kept[number] or number in passed_over:
                continue
            marks = 1 - is_kept[number - 1] - is_kept[number + 1]
            cost = self._cost(number, left) + marks * self._mark
            if cost <= left:
                more.append(number)
                if not is_each:
                    left -= cost
                    is_kept[number] = 1
            else:
                misses += 1
                if misses >= _SEARCHED:
                    break
        return more

    def _cost(self, number: int, left: int) -> int:
        """Return the tokens of a line, or something beyond the budget for a line that is longer than any that fits."""
        line = self._lines[number - 1]
        if len(line) > _MAX_TOKEN_CHARS * max(0, left + self._mark):
            return self._budget + 2 * self._mark
        cost = self._costs.get(line)
        if cost is None:
            cost = self._costs[line] = self._count(line)
        return cost

    def _fitting(self, taken: list[int], more: list[int]) -> int:
        """Return how many of `more`, from the first on, the budget holds beside what is taken."""
        low, high = 0, len(more)
        middle = high  # nearly always all
        while low < high:
            if self.holds(render_kept(self._lines, self._kept([*taken, *more[:middle]]))):
                low = middle
            else:
                high = middle - 1
            middle = (low + high + 1) // 2
        return low

    def _kept(self, chosen: Iterable[int]) -> tuple[LineRange, ...]:
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
