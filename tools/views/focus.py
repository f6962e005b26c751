"""The parts of a text that answer a query: passages ranked by BM25 over the text itself, whole lines, gaps marked.

Scores are rank-bm25's BM25Okapi over the passages of this one text. A passage that holds a query's word counts as a match even
where its score is negative, which BM25Okapi gives words that most passages hold.
"""

from collections.abc import Sequence
from typing import Final

from ..grammar.definition import Definition
from .fill import FIRST_PART, NO_LINE_FITS, REST, fill_budget
from .passages import passages_of
from .terms import terms_of
from .view import MARKS_WITHIN, LineRange, TokenCount, View, has_marks, split_lines

_MAX_QUERY_TERMS: Final = 200
_SEARCHED: Final = 20_000
"""Characters of one line that are ranked: no budget holds a line that is longer, and data of one line may be megabytes."""


def focus_view(text: str, query: str, count: TokenCount, *, budget: int, definitions: Sequence[Definition] = ()) -> View:
    """Pure: show what answers `query` within `budget` tokens; when nothing matches, say so and show the beginning."""
    lines = split_lines(text)
    passages = passages_of(lines, definitions)
    order, matched = rank_passages(lines, passages, query)
    wanted = [number for at in order for number in _from_best_line(lines, passages[at], query)]
    body, kept = fill_budget(lines, wanted, count, budget)
    total = len(lines)
    whole = not total or kept == ((1, total),)
    notes = [f"{matched:,} of {len(passages):,} passages match"] if matched else ["no passage matches the query"]
    left = sum(1 for at in order[:matched] if not _is_inside(passages[at], kept))
    if left and not whole:
        notes.append(f"{left:,} matching passages not whole in this budget")
    if not body and total:
        notes.append(NO_LINE_FITS)
    if not whole and has_marks(text):
        notes.append(MARKS_WITHIN)
    return View("focus", body, kept, total, is_lossy=not whole, notes=tuple(notes), rest=REST if body else FIRST_PART)


def rank_passages(lines: Sequence[str], passages: Sequence[LineRange], query: str) -> tuple[list[int], int]:
    """Return all passages by falling score, matching ones first, and how many match."""
    asked = list(dict.fromkeys(terms_of(query)))[:_MAX_QUERY_TERMS]
    documents = [terms_of("".join(line[:_SEARCHED] for line in lines[first - 1 : last])) for first, last in passages]
    wanted = set(asked)
    hits = [len(wanted.intersection(document)) for document in documents]
    matched = sum(1 for hit in hits if hit)
    scores = _scores(documents, asked) if matched else [0.0] * len(documents)
    order = sorted(range(len(documents)), key=lambda at: (not hits[at], -scores[at], at))
    return order, matched


def _scores(documents: Sequence[Sequence[str]], asked: Sequence[str]) -> list[float]:
    from rank_bm25 import BM25Okapi  # imports numpy: lazy by design

    return [float(score) for score in BM25Okapi(list(documents)).get_scores(list(asked))]


def _from_best_line(lines: Sequence[str], passage: LineRange, query: str) -> list[int]:
    """Order a passage's lines for a budget that may end inside it: the heading line, then outwards from the best line."""
    first, last = passage
    wanted = set(terms_of(query))
    hits = {number: len(wanted.intersection(terms_of(lines[number - 1][:_SEARCHED]))) for number in range(first, last + 1)}
    best = min(hits, key=lambda number: (-hits[number], number))
    rest = sorted((number for number in hits if number != first), key=lambda number: (abs(number - best), number))
    return [first, *rest]


def _is_inside(passage: LineRange, kept: Sequence[LineRange]) -> bool:
    return any(first <= passage[0] and passage[1] <= last for first, last in kept)
