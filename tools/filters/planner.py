"""Which lines fit the budget. Pure: ranks and a token counter in, pieces out; the same input gives the same pieces.

Lines are taken by rank, the highest first, each at the cost of its own tokens plus or minus the gap mark that it opens or
closes. Cost: tokens are counted only for lines that may still fit, so a plan is linear in the lines (for finding the ranks,
at the speed of `bytearray.find`) and in the budget (for counting).
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from .cuts import cut_spans
from .filter import MUST, Counter, Document, Filtered, Finding, Focus, Piece, Rank, Scores, cut_line, lines_ranked
from .marks import gap_mark

FLOOR_TOKENS: Final = 32
"""The smallest budget that is planned for: it holds a gap mark over any number of lines."""
_MISSES: Final = 40
"""Lines in a row that do not fit after which a rank is given up: shorter ones may come, looking for them has an end."""
_SMALL_GAP: Final = 3
"""Gaps of up to this many lines are kept when that is no dearer than their mark."""
_SHARES: Final[Mapping[Rank, float]] = {
    Rank.SUMMARY: 1, Rank.END: 1, Rank.QUERY: 1, Rank.NEW: 0.6, Rank.FAILURE: 0.5, Rank.EVIDENCE: 0.75, Rank.ERROR: 0.75,
    Rank.LOCATION: 0.5,
}  # fmt: skip
"""Of what is left of the budget, the part that each may have before all of these have had theirs."""
_DERIVED_SHARE: Final = 0.3
"""Part of the budget that derived facts may take: samples of the original must have the larger part."""
_FINDINGS_SHARE: Final = 0.7
"""Part of the budget that findings in records may take: they are the failures, the records around them are samples."""
_FINDING_CHARS: Final = (700, 400, 240, 160, 110)
_MAX_CHARS_PER_TOKEN: Final = 10
"""Text with more characters a token is not output of any tool; it is planned rather than counted."""
_CHARS_PER_TOKEN: Final = 3.5
_SOFT_FLOOR: Final = 400
"""Tokens that a default answer to a short output may have whatever its family's share. Above `_SHORT_TOKENS` it is a fifth of a
token less for each token more, so that an output of 3,000 tokens has its family's share alone."""
_SHORT_TOKENS: Final = 1000
_WORTH_TOKENS: Final = 80
"""Leaving out noise must save this much, and a fifth, to be worth a lossy answer where the whole would fit."""


def keep(kind: str, document: Document, scores: Scores, focus: Focus, count: Counter) -> Filtered:
    """Keep what `scores` ranks highest within `focus.budget` tokens.

    The result is never longer than the document, in characters or tokens: where it would be, the document is kept whole.
    """
    whole = Filtered(kind, document, (Piece(0, len(document), is_kept=True),))
    budget = max(FLOOR_TOKENS, focus.budget)
    total = count(document.text) if len(document.text) <= budget * _MAX_CHARS_PER_TOKEN else 0
    fits_whole = 0 < total <= budget and not document.skips
    if not len(document) or (fits_whole and (document.has_marks or not focus.is_default)):
        return whole
    plan = _Plan(document, count, budget)
    if focus.is_default:
        plan.soft_budget = _soft_budget(len(document.text) / _CHARS_PER_TOKEN, focus.aim)
    plan.add_findings(scores.findings)
    plan.add_derived(scores.derived)
    left_out = plan.take_all(scores.ranks)
    plan.close_small_gaps()
    result = plan.result(kind, left_out)
    while count(result.text) > budget and plan.give_back(count(result.text) - budget):
        result = plan.result(kind, plan.left_out(scores.ranks))
    if (len(result.text) >= len(document.text) and not document.skips) or (
        fits_whole and total - count(result.text) < _worth_of(total)
    ):
        return whole
    return result


def _soft_budget(tokens: float, aim: float) -> int:
    """Return what a default answer to an output of about `tokens` may have, what must survive not counted."""
    return int(max(tokens * aim, min(_SOFT_FLOOR, _SOFT_FLOOR - (tokens - _SHORT_TOKENS) / 5)))


def _worth_of(total: int) -> int:
    return max(_WORTH_TOKENS, total // 5)


@dataclass(slots=True)
class _Plan:
    document: Document
    count: Counter
    budget: int
    soft_budget: int = 1 << 62
    """What lines that need not survive may bring the whole to."""
    kept: bytearray = field(init=False)
    spent: int = field(init=False)
    derived: tuple[str, ...] = ()
    findings: Sequence[Finding] = ()
    """All of them; the first `told` are among the derived lines."""
    told: int = 0
    cuts: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict[int, tuple[tuple[int, int], ...]])
    taken: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    """Lines taken and their tokens, in the order they were taken."""
    mark_tokens: int = field(init=False)
    line_tokens: int = field(init=False)
    """Tokens above which a single line is cut."""

    def __post_init__(self) -> None:
        lines = len(self.document)
        self.kept = bytearray(lines)
        total = self.document.total_lines
        self.mark_tokens = self.count(gap_mark(total, 2 * total + 1)) + 1
        self.spent = self.mark_tokens
        self.line_tokens = self._line_tokens(is_must=True)

    def _line_tokens(self, *, is_must: bool) -> int:
        room = self.budget - self.spent - self.mark_tokens if not self.taken else self.budget - 2 * self.mark_tokens
        lines = min(len(self.document), 3 if is_must else 8)
        return max(12, room if lines == 1 else max(40, room // lines))

    def add_findings(self, findings: Sequence[Finding]) -> None:
        """Tell the findings, shortened alike until all fit; of those that do not even then, as many as do."""
        self.findings = findings
        room = int((self.budget - self.spent) * _FINDINGS_SHARE)
        texts: list[str] = []
        costs: list[int] = []
        for chars in _FINDING_CHARS:
            texts = [_shortened(finding.text, chars) for finding in findings[: room // 4 + 1]]
            costs = list(accumulate(self.count(f"derived · {text}\n") for text in texts))
            self.told = bisect_right(costs, room)
            if self.told == len(findings):
                break
        self.derived = tuple(texts[: self.told])
        self.spent += costs[self.told - 1] if self.told else 0

    def add_derived(self, facts: Sequence[str]) -> None:
        room = self.budget * _DERIVED_SHARE
        chosen: list[str] = []
        for fact in facts:
            tokens = self.count(f"derived · {fact}\n")
            if tokens <= room:
                room -= tokens
                self.spent += tokens
                chosen.append(fact)
        self.derived += tuple(chosen)

    def take_all(self, ranks: bytearray) -> Mapping[Rank, int]:
        self.line_tokens = self._line_tokens(is_must=True)
        for rank, share in _SHARES.items():
            # Names of failures without one reason, or one reason without the names, explain nothing.
            self._take(_first_first(ranks, rank), self.spent + int((self.budget - self.spent) * share))
        for rank in sorted(Rank, reverse=True):
            if rank is Rank.NOISE:
                break
            wanted = _ends_first(ranks, rank) if rank <= Rank.CONTEXT else _first_first(ranks, rank)
            limit = self.budget if rank >= MUST else min(self.budget, self.soft_budget)
            self.line_tokens = self._line_tokens(is_must=rank >= MUST)
            self._take(wanted, limit)
        return self.left_out(ranks)

    def _take(self, wanted: Iterable[int], limit: int) -> None:
        """Take what fits of the lines that were not taken before."""
        in_a_row = 0
        for line in wanted:
            if self.kept[line] or self._take_line(line, limit):
                in_a_row = 0
                continue
            in_a_row += 1
            if in_a_row >= _MISSES:
                break

    def _take_line(self, line: int, limit: int) -> bool:
        if self.spent + 1 + self._marks_opened(line) * self.mark_tokens > limit:
            return False
        tokens = self._line_cost(line)
        cost = tokens + self._marks_opened(line) * self.mark_tokens
        if self.spent + cost > limit:
            self.cuts.pop(line, None)
            return False
        self.kept[line] = 1
        self.spent += cost
        self.taken.append((line, tokens))
        return True

    def _marks_opened(self, line: int) -> int:
        is_left_kept = line == 0 or self.kept[line - 1]
        is_right_kept = line + 1 == len(self.kept) or self.kept[line + 1]
        return 1 - bool(is_left_kept) - bool(is_right_kept)

    def _line_cost(self, line: int) -> int:
        text = self.document.lines[line]
        if len(text) > 60:
            spans = cut_spans(text, self.line_tokens, self.count)
            if spans:
                self.cuts[line] = spans
                text = cut_line(text, spans)
        return self.count(text + "\n")

    def close_small_gaps(self) -> None:
        lines = self.document.lines
        for start, end in list(self._gaps()):
            if end - start > _SMALL_GAP:
                continue
            text = "\n".join(lines[start:end])
            mark = self.document.mark(start, end)
            if len(text) <= len(mark) or (len(text) <= 4 * len(mark) and self.count(text) <= self.count(mark)):
                self.kept[start:end] = b"\1" * (end - start)

    def give_back(self, excess: int) -> bool:
        """Drop the lines taken last until `excess` tokens are freed; False when nothing is left to drop."""
        if not self.taken:
            had = bool(self.derived)
            self.derived = ()
            self.told = 0
            return had
        freed = 0
        while self.taken and freed < excess:
            line, tokens = self.taken.pop()
            self.kept[line] = 0
            self.cuts.pop(line, None)
            freed += tokens
        return True

    def left_out(self, ranks: bytearray) -> Mapping[Rank, int]:
        counts: dict[Rank, int] = {}
        for rank in Rank:
            if rank >= MUST:
                missing = sum(1 for line in lines_ranked(ranks, rank) if not self.kept[line])
                missing += sum(finding.rank == rank for finding in self.findings[self.told :])
                if missing:
                    counts[rank] = missing
        return counts

    def _gaps(self) -> Iterator[tuple[int, int]]:
        start = self.kept.find(0)
        while start >= 0:
            end = self.kept.find(1, start)
            end = len(self.kept) if end < 0 else end
            yield start, end
            start = self.kept.find(0, end)

    def _all_gaps(self) -> list[tuple[int, int]]:
        """Return the gaps, and an empty one wherever the document skips lines between two kept ones."""
        gaps = list(self._gaps())
        edges = {edge for gap in gaps for edge in gap}
        inside = [skip.before for skip in self.document.skips if skip.before not in edges]
        return sorted(gaps + [(at, at) for at in inside if at == len(self.kept) or self.kept[at]])

    def result(self, kind: str, left_out: Mapping[Rank, int]) -> Filtered:
        pieces: list[Piece] = []
        at = 0
        for start, end in self._all_gaps():
            pieces += self._kept_pieces(at, start)
            pieces.append(Piece(start, end, is_kept=False))
            at = end
        pieces += self._kept_pieces(at, len(self.kept))
        return Filtered(kind, self.document, tuple(pieces), self.derived, left_out)

    def _kept_pieces(self, start: int, end: int) -> Iterator[Piece]:
        for line in sorted(line for line in self.cuts if start <= line < end):
            if line > start:
                yield Piece(start, line, is_kept=True)
            yield Piece(line, line + 1, is_kept=True, spans=self.cuts[line])
            start = line + 1
        if end > start:
            yield Piece(start, end, is_kept=True)


def _shortened(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[: chars - 1]}…"


def _first_first(ranks: bytearray, rank: Rank) -> Iterator[int]:
    """Yield the lines of `rank` in order, looking for each when it is asked for: most plans need a few of many."""
    at = ranks.find(rank)
    while at >= 0:
        yield at
        at = ranks.find(rank, at + 1)


def _ends_first(ranks: bytearray, rank: Rank) -> Iterator[int]:
    """Yield two from the front, one from the back, and so on: what fits are the two ends, the beginning longer."""
    front, back = ranks.find(rank), ranks.rfind(rank)
    while 0 <= front <= back:
        yield front
        second = ranks.find(rank, front + 1)
        if 0 <= second < back:
            yield second
            second = ranks.find(rank, second + 1)
        if back > front:
            yield back
        front, back = second, ranks.rfind(rank, 0, back)
