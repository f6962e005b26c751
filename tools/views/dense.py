"""The most informative lines of a text within a budget: definitions first, then lines of rare words, repeats discounted.

A line's worth is the idf-weighted sum of its terms over the square root of its length; each term counts less the more often
it has been taken already, so that the choice spreads over the text (maximal marginal relevance in spirit; greedy, one pass a
round). Deterministic.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

from ..grammar.definition import MEMBER_KINDS, Definition
from .fill import FIRST_PART, NO_LINE_FITS, REST, fill_budget
from .terms import terms_of
from .view import MARKS_WITHIN, TokenCount, View, has_marks, split_lines

_LONG_LINE: Final = 400
"""Characters from which a line is more data than text; it is taken last."""
_ROUNDS: Final = 4


def dense_view(text: str, count: TokenCount, *, budget: int, definitions: Sequence[Definition] = ()) -> View:
    """Pure: show the most informative lines within `budget` tokens."""
    lines = split_lines(text)
    wanted = rank_lines(lines, definitions)
    body, kept = fill_budget(lines, wanted, count, budget)
    total = len(lines)
    whole = not total or kept == ((1, total),)
    notes = () if body or not total else (NO_LINE_FITS,)
    if not whole and has_marks(text):
        notes = (*notes, MARKS_WITHIN)
    return View("dense", body, kept, total, is_lossy=not whole, notes=notes, rest=REST if body else FIRST_PART)


def rank_lines(lines: Sequence[str], definitions: Sequence[Definition] = ()) -> list[int]:
    """Return all line numbers, the most informative first."""
    documents = [terms_of(line) if len(line) <= _LONG_LINE else [] for line in lines]
    frequency = Counter(term for document in documents for term in set(document))
    idf = {term: math.log(1 + len(lines) / times) for term, times in frequency.items()}
    heads = {
        one.start_line: _head_bonus(one) for one in definitions if one.kind not in MEMBER_KINDS and one.start_line <= len(lines)
    }
    seen: Counter[str] = Counter()
    order: list[int] = []
    left = list(range(1, len(lines) + 1))
    # Later rounds see what earlier ones took, so near-duplicates sink without a quadratic search.
    for round_number in range(_ROUNDS):
        worth = {number: heads.get(number, 0.0) + _worth(documents[number - 1], idf, seen) for number in left}
        left.sort(key=lambda number: (-worth[number], number))
        share = len(left) if round_number == _ROUNDS - 1 else max(1, len(left) // 8)
        taken, left = left[:share], left[share:]
        for number in taken:
            seen.update(set(documents[number - 1]))
        order += taken
    return order


def _head_bonus(one: Definition) -> float:
    return (40.0 if one.is_public else 25.0) / (1 + one.depth)


def _worth(terms: Sequence[str], idf: dict[str, float], seen: Counter[str]) -> float:
    if not terms:
        return 0.0
    return sum(idf[term] / (1 + seen[term]) for term in dict.fromkeys(terms)) / math.sqrt(len(terms) + 2)
