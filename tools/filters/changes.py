"""What changed since the same command's earlier output: failures and errors that are new, and those that are gone. Pure.

Lines are compared without their digits (times, addresses, counts) and only where either side ranks them as telling. New ones are
raised above the others; those gone are quoted as derived facts, as they are no lines of this output.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from .filter import Document, Rank, Scores
from .rules import class_of

_TELLING: Final = Rank.ECHO
_QUOTED: Final = 5
_QUOTED_CHARS: Final = 100
_UNCOMPARED: Final = (Rank.SUMMARY, Rank.LAST)
"""Totals and headers differ by nature; they are shown anyway."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier output of the same command."""

    handle: str
    text: str


def rank_changes(document: Document, scores: Scores, earlier: Earlier, before: Scores) -> None:
    """Raise in `scores` what is new against `earlier`, whose ranks are `before`, and derive what is gone."""
    if earlier.text == document.text:
        scores.derived.insert(0, f"the same, byte for byte, as {earlier.handle}")
        return
    old_lines = Document(earlier.text, lead=document.lead).plain
    old = Counter(class_of(old_lines[number]) for number in _telling(before))
    plain = document.plain
    now = _telling(scores)
    left = Counter(old)
    new = 0
    for number in now:
        kind = class_of(plain[number])
        if left[kind] > 0:
            left[kind] -= 1
        else:
            new += 1
            scores.lift(number, Rank.NEW)
    gone = sum(left.values())
    fact = f"against {earlier.handle}, the output before: {new:,} telling lines new, {gone:,} gone, {len(now) - new:,} as before"
    scores.derived.insert(0, fact)
    quoted: list[str] = []
    for line in (old_lines[number] for number in _telling(before)):
        kind = class_of(line)
        if left[kind] > 0 and len(quoted) < _QUOTED:
            left[kind] -= 1
            quoted.append(f"gone: “{line.strip()[:_QUOTED_CHARS]}”")
    scores.derived[1:1] = quoted


def _telling(scores: Scores) -> list[int]:
    return [number for number, rank in enumerate(scores.ranks) if rank >= _TELLING and rank not in _UNCOMPARED]
