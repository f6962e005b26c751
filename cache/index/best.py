"""The k best chunks by BM25 alone, without scoring all that match. Pure.

MaxScore (Turtle and Flood 1995) over arrays: a term adds at most its idf times k1 + 1 to a score. Once k chunks are known to
reach a score that the frequent terms together cannot give, a chunk that holds none of the rarer ones is out, and a chunk that
holds one is looked up in the frequent terms' rows only while it can still win. The scores are those of `bm25.score`; where
nothing can be left out, everything is scored. Cost: the postings of the rare terms, about a fifth of all.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import repeat
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .bm25 import K1, Scores, SourceScores, TermPostings, delta_scores, length_norms, segment_scores, term_postings
from .rows import rows_of
from .segment import Array, Segment
from .state import IndexState

_FREQUENT: Final = 12
"""A term that one chunk of so many holds is frequent: its row takes no more memory than its postings, scored, would."""
_PROBE: Final = 8
"""A rare term with so many times k chunks shows what k chunks reach at least: fewer show too little, more cost more."""
_SLACK: Final = 1 - 1e-9
"""Scores and bounds are summed in different orders."""

Documents = npt.NDArray[np.intp]
_Found = tuple[float, int, int]
"""(negative score, source, document): in the order of an answer."""


class _Held(NamedTuple):
    """A query term in one segment, ordered by how many chunks hold it."""

    df: int
    bound: float
    """What it adds to a score at most."""
    first: int
    last: int
    tid: int


def best_chunks(state: IndexState, weights: Mapping[str, float], k: int) -> list[tuple[int, int, float]]:
    """Return the k best matching chunks as (source, document, score), equal ones in the order of source and document."""
    terms = tuple([term_postings(state, term, weight) for term, weight in weights.items()])
    is_bounded = all(term.idf > 0 or not term.df for term in terms)
    best: list[_Found] = []
    for number in range(len(state.segments)):
        floor = -best[-1][0] if len(best) == k else 0.0
        found = _pruned(state, number, terms, k, floor) if is_bounded else None
        if found is None:
            found = _everything(segment_scores(state, number, terms), number, k)
        best = sorted([*best, *found])[:k]
    if state.delta.documents:
        best = sorted([*best, *_everything(delta_scores(state, terms), len(state.segments), k)])[:k]
    return [(number, doc, -below) for below, number, doc in best]


def _everything(source: SourceScores, number: int, k: int) -> list[_Found]:
    """Return the k best of a source that is scored, and those equal to the last."""
    docs = source.docs
    scores = source.scores.take(docs)
    if len(docs) > k:
        best = (scores >= _kth(scores, k)).nonzero()[0]
        docs, scores = docs.take(best), scores.take(best)
    return list(zip((-scores).tolist(), repeat(number), docs.tolist(), strict=False))


def _pruned(state: IndexState, number: int, terms: Sequence[TermPostings], k: int, floor: float) -> Collection[_Found] | None:
    """Return what may be among the k best of a segment, `floor` being reached elsewhere; None if too little drops out."""
    live = state.segments[number]
    rare, frequent = _split(live.segment, number, terms)
    at = 0
    for probe in rare:
        if probe.df >= _PROBE * k:
            break
        at += probe.df
    else:
        return None
    scorer = _Scorer(live.segment, frequent, length_norms(state)[number])
    docs, gains = scorer.gains(rare)
    partial = np.zeros(live.segment.n_docs)
    np.add.at(partial, docs, gains)
    floor = max(floor, _reached(scorer, partial, _alive(docs[at : at + probe.df], live.is_live_doc), k)) * _SLACK
    common = sum([term.bound for term in frequent])
    end = _needed(rare, common, floor)
    if not end:
        return None
    docs = docs[:end]
    values = partial.take(docs)
    hopeful = (values >= floor - common).nonzero()[0]
    docs = docs.take(hopeful)
    values = scorer.completed(docs, values.take(hopeful))
    winners = (values >= floor).nonzero()[0]
    found = zip((-values.take(winners)).tolist(), repeat(number), docs.take(winners).tolist(), strict=False)
    # A chunk stands here once for each of its terms, with the same score.
    is_live = live.is_live_doc
    return set(found) if is_live is None else {one for one in found if is_live[one[2]]}


def _reached(scorer: "_Scorer", partial: Scores, probe: Documents, k: int) -> float:
    """Return a score that k of the chunks reach, 0 if there are not so many."""
    return _kth(scorer.completed(probe, partial.take(probe)), k) if len(probe) >= k else 0.0


def _kth(values: Scores, k: int) -> float:
    """Return the k-th greatest of some values."""
    place = len(values) - k
    return float(np.partition(values, place)[place])


def _needed(rare: Sequence[_Held], common: float, floor: float) -> int:
    """Return how many postings of the rare terms hold every chunk that may reach the floor; 0 if others may."""
    left, end = common + sum([term.bound for term in rare]), 0
    for term in rare:
        end += term.df
        left -= term.bound
        if left < floor:
            return end
    return 0


def _split(segment: Segment, number: int, terms: Sequence[TermPostings]) -> tuple[list[_Held], list[_Held]]:
    """Return the query's terms that a segment holds, rare ones and frequent ones, each in the order of their frequency."""
    held: list[_Held] = []
    for term in terms:
        tid = term.ids[number]
        if tid is not None:
            first, last = segment.range_of(tid)
            if first < last:
                held.append(_Held(last - first, term.weight * term.idf * (K1 + 1), first, last, tid))
    held.sort()
    border = segment.n_docs // _FREQUENT
    rare = [term for term in held if term.df <= border]
    return rare, held[len(rare) :]


def _alive(docs: Documents, is_live: npt.NDArray[np.bool_] | None) -> Documents:
    return docs if is_live is None else docs[is_live.take(docs)]


class _Scorer:
    """Scores of one segment: of all chunks of rare terms, of chosen chunks for frequent ones."""

    def __init__(self, segment: Segment, frequent: Sequence[_Held], norms: Scores) -> None:
        self._segment = segment
        self._norms = norms
        rows = rows_of(segment) if frequent else None
        self._frequent: list[tuple[float, Array]] = [(term.bound, rows.row(term.tid)) for term in frequent] if rows else []

    def gains(self, terms: Sequence[_Held]) -> tuple[Documents, Scores]:
        """Return the postings of terms one after another, and what each adds to its chunk's score."""
        segment = self._segment
        docs = np.concatenate([segment.post_doc[term.first : term.last] for term in terms], dtype=np.intp)
        gains = np.concatenate([segment.post_tf[term.first : term.last] for term in terms], dtype=np.float64)
        norms = self._norms.take(docs)
        norms += gains
        at = 0
        for term in terms:
            gains[at : at + term.df] *= term.bound
            at += term.df
        gains /= norms
        return docs, gains

    def completed(self, docs: Documents, scores: Scores) -> Scores:
        """Add what the frequent terms give to chunks that are scored for the rare ones."""
        norms = self._norms.take(docs)
        for bound, row in self._frequent:
            tfs = row.take(docs)
            gains = tfs * bound
            gains /= tfs + norms
            scores += gains
        return scores
