"""The lines that answer a query. Pure.

The whole phrase counts most, then all of its words on one line; where no line has all of them, the lines with most do.
"""

import re
from collections import Counter
from typing import Final

from .filter import Document, Rank, Scores
from .rules import lines_with

_WORD: Final = re.compile(r"[^\s,;]+")
_AROUND: Final = 2
"""Lines before and after a match that are shown with it where there is room."""
_PARTIAL_LINES: Final = 60


def rank_query(document: Document, scores: Scores, query: str) -> int:
    """Raise the lines that match `query`, and those around them; return how many match."""
    matches = matching_lines(document, query)
    for number in matches:
        scores.lift(number, Rank.QUERY)
        for near in range(max(0, number - _AROUND), min(len(document), number + _AROUND + 1)):
            scores.lift(near, Rank.DETAIL)
    return len(matches)


def matching_lines(document: Document, query: str) -> list[int]:
    """Return the numbers of the lines that match `query` best, ascending; empty when none shares a word with it."""
    phrase = query.strip().lower()
    words = list(dict.fromkeys(_WORD.findall(phrase)))
    if not words:
        return []
    exact = lines_with(document.lower, (_encoded(phrase),)) if "\n" not in phrase else ()
    hits = Counter(number for word in words for number in lines_with(document.lower, (_encoded(word),)))
    most = max(hits.values(), default=0)
    best = sorted(number for number, found in hits.items() if found == most)
    if most < len(words):
        # Half of the words is chance in a long output; the few best lines are still worth a look.
        best = best[:_PARTIAL_LINES] if most * 2 >= len(words) else []
    return sorted(number for number in {*exact, *best} if number < len(document))


def _encoded(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")
