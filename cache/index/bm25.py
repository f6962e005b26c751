"""Exact BM25Okapi over the live documents of a state. Pure.

The scores are those of rank-bm25 0.2.2 over a corpus of the live documents' tokens: k1 1.5, b 0.75, epsilon 0.25, idf =
ln(N - df + .5) - ln(df + .5), and for a term in more than half of the documents (negative idf) epsilon times the mean idf
of the whole vocabulary. That mean is summed over the histogram of document frequencies and only when a query needs it. A
document's score may be zero or negative in tiny corpora, so what matches is known apart from it. Cost: the postings of the
query's terms.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from . import compiled
from .delta import DeltaTerm
from .formula import EPSILON, K1, B
from .segment import Segment
from .state import IndexState, LiveSegment
from .tokenise import number_of

PART_TERMS: Final = 500_000
"""Terms whose frequencies are summed at once: some 20 MB."""
_MEMO_TERMS: Final = 2_048
"""Terms whose frequencies are kept with a state; losing them to another thread costs looking them up."""

Scores = npt.NDArray[np.float64]
Documents = npt.NDArray[np.intp]


class Span(NamedTuple):
    """Where a segment keeps the postings of a term, the files that hold it, and, if it is frequent, its row of bits."""

    first: int
    last: int
    first_file: int
    last_file: int
    row: int


class TermPostings(NamedTuple):
    """One query term over the whole state; a tuple, for a query makes one per term."""

    term: str
    weight: float
    df: int
    idf: float
    ids: tuple[int | None, ...]
    """The term's id in each segment."""
    spans: tuple[Span | None, ...] = ()
    """Where each segment keeps it; None if no chunk holds it."""
    delta: tuple[DeltaTerm, ...] = ()
    number: int = 0
    """The term's hash."""


Held = tuple[float, Span]
"""A query term in one segment: what it adds to a score at most, if that is above 0, and where it is kept."""


class LengthNorms(NamedTuple):
    """k1 (1 - b + b length / avgdl) of the chunks of a source, worked out for those that are asked for.

    A number for each would be 8 bytes a chunk in every process; the lengths are mapped, and all processes share them.
    """

    lengths: npt.NDArray[Any]
    slope: float

    def take(self, docs: npt.NDArray[Any]) -> Scores:
        """Return the norms of some chunks."""
        norms: Scores = self.lengths.take(docs) * self.slope
        norms += K1 * (1 - B)
        return norms

    def all(self) -> Scores:
        """Return the norms of all chunks."""
        return self.lengths * self.slope + K1 * (1 - B)


def score(state: IndexState, weights: Mapping[str, float]) -> tuple[Scores, ...]:
    """Score every document, segments first, the delta last; `weights` says how often each term stands in the query.

    Dead documents have some number.
    """
    terms = query_terms(state, weights)
    norms = length_norms(state)
    found: list[Scores] = []
    for number, live in enumerate(state.segments):
        scores = np.zeros(live.segment.n_docs)
        np.add.at(scores, *gains_of(live.segment, norms[number], held_terms(number, terms)))
        found.append(scores)
    return (*found, delta_scores(state, terms)[0])


def query_terms(state: IndexState, weights: Mapping[str, float]) -> tuple[TermPostings, ...]:
    """Look the terms of a query up."""
    return tuple([term_postings(state, term, weight) for term, weight in weights.items()])


def term_postings(state: IndexState, term: str, weight: float = 1.0) -> TermPostings:
    """Look a term up: its ids, its document frequency and its idf as BM25Okapi has it."""
    memo: dict[str, TermPostings] = state.__dict__.setdefault("_terms", {})
    found = memo.get(term)
    if found is None:
        found = _looked_up(state, term)
        if len(memo) >= _MEMO_TERMS:
            memo.clear()
        memo[term] = found
    return found if weight == 1.0 else found._replace(weight=weight)


def _looked_up(state: IndexState, term: str) -> TermPostings:
    key = term.encode("utf-8", "surrogatepass")
    number = number_of(key)
    df, ids, spans = 0, list[int | None](), list[Span | None]()
    for live in state.segments:
        segment = live.segment
        tid, span = _found(segment, key, number)
        ids.append(tid)
        spans.append(span)
        if span is not None:
            df += span.last - span.first if live.is_live_doc is None else _live_frequency(live, span)
    delta = state.delta.find(number)
    for held in delta:
        df += held.file.frequency(held.row)
    return TermPostings(term, 1.0, df, idf_of(state, df), tuple(ids), tuple(spans), delta, number)


def idf_of(state: IndexState, df: int) -> float:
    """Return BM25Okapi's idf of a term in `df` of the live documents."""
    if df == 0:
        return 0.0
    idf = math.log(state.n_docs - df + 0.5) - math.log(df + 0.5)
    return idf if idf >= 0 else EPSILON * average_idf(state)


def average_idf(state: IndexState) -> float:
    """Return the mean, over the vocabulary of the live documents, of the idf before its floor."""
    cached = state.__dict__.get("_average_idf")
    if cached is None:
        # Two threads may compute it at once; both get the same number.
        cached = state.__dict__["_average_idf"] = _average_idf(state)
    return cached


def _average_idf(state: IndexState) -> float:
    histogram = frequency_histogram(state)
    seen = np.flatnonzero(histogram)
    if not len(seen):
        return 0.0
    idf = np.log(state.n_docs - seen + 0.5) - np.log(seen + 0.5)
    return float((idf * histogram[seen]).sum() / histogram[seen].sum())


def frequency_histogram(state: IndexState, *, part_terms: int = PART_TERMS) -> npt.NDArray[np.int64]:
    """Count the terms of each document frequency > 0; of many terms a part at a time, told apart by their hashes."""
    if len(state.segments) == 1 and not state.delta.files:
        df = _live_frequencies(state.segments[0])
        return np.bincount(df[df > 0])
    parts = 1 + sum(live.segment.n_terms for live in state.segments) // part_terms
    histogram = np.zeros(state.n_docs + 1, np.int64)
    for part in range(parts):
        hashes, counts = list[npt.NDArray[np.uint64]](), list[npt.NDArray[np.int64]]()
        for all_hashes, df in (
            *((live.segment.term_hash, _live_frequencies(live)) for live in state.segments),
            state.delta.frequencies(),
        ):
            is_here = slice(None) if parts == 1 else all_hashes % np.uint64(parts) == part
            hashes.append(all_hashes[is_here])
            counts.append(df[is_here])
        _, place = np.unique(np.concatenate(hashes), return_inverse=True)
        df = np.bincount(place, weights=np.concatenate(counts)).astype(np.int64)
        histogram += np.bincount(df[df > 0], minlength=len(histogram))
    return histogram


def _live_frequencies(live: LiveSegment) -> npt.NDArray[np.int64]:
    """Return the document frequency of every term among the live documents, from the forward lists of the dead."""
    segment = live.segment
    df = np.diff(segment.post_ptr)
    if live.is_live_doc is None:
        return df
    is_dead_posting = np.repeat(~live.is_live_doc, np.diff(segment.fwd_ptr))
    return df - np.bincount(segment.fwd_term[is_dead_posting], minlength=segment.n_terms)


def _live_frequency(live: LiveSegment, span: Span) -> int:
    assert live.is_live_doc is not None
    return int(np.count_nonzero(live.is_live_doc.take(live.segment.post_doc[span.first : span.last])))


def held_terms(number: int, terms: Sequence[TermPostings]) -> list[Held]:
    """Return the query's terms that the state's `number`-th segment holds."""
    return [(term.weight * term.idf * (K1 + 1), span) for term in terms if (span := term.spans[number]) is not None]


def _found(segment: Segment, key: bytes, number: int) -> tuple[int | None, Span | None]:
    """Return the id of a term in a segment, and where it is kept."""
    if compiled.IS_COMPILED:
        found = compiled.find(segment, key, number)
        return (None, None) if found is None else (found[0], Span._make(found[1:]) if found[1] < found[2] else None)
    tid = segment.find(key, number)
    if tid is None:
        return None, None
    first, last = segment.range_of(tid)
    return tid, Span(first, last, *segment.bounds.range_of(tid), segment.bounds.row_of(tid)) if first < last else None


def gains_of(segment: Segment, norms: LengthNorms, held: Sequence[Held]) -> tuple[Documents, Scores]:
    """Return the postings of terms one after another, and what each adds to its chunk."""
    if not held:
        return np.empty(0, np.intp), np.empty(0)
    docs = np.concatenate([segment.post_doc[span.first : span.last] for _, span in held], dtype=np.intp)
    gains = np.concatenate([segment.post_tf[span.first : span.last] for _, span in held], dtype=np.float64)
    below = (norms if len(docs) < segment.n_docs else norms.all()).take(docs)
    below += gains
    gains *= np.asarray([most for most, _ in held]).repeat([span.last - span.first for _, span in held])
    gains /= below
    return docs, gains


def delta_scores(state: IndexState, terms: Sequence[TermPostings]) -> tuple[Scores, npt.NDArray[np.bool_]]:
    """Score the chunks of the delta that hold a term, one after another; return also which they are."""
    norms = length_norms(state)[-1].all()
    scores = np.zeros(len(norms), np.float64)
    mask = np.zeros(len(norms), np.bool_)
    for term in terms:
        for start, file, row in term.delta:
            for doc, tf in file.postings(row):
                scores[start + doc] += term.weight * term.idf * (K1 + 1) * tf / (tf + norms[start + doc])
                mask[start + doc] = True
    return scores, mask


def length_norms(state: IndexState) -> tuple[LengthNorms, ...]:
    """Return the norms by source, the delta last; kept with the state."""
    norms: tuple[LengthNorms, ...] | None = state.__dict__.get("_length_norms")
    if norms is None:
        lengths = [live.segment.doc_len for live in state.segments]
        average = state.length / state.n_docs if state.length else 1.0
        norms = tuple([LengthNorms(one, K1 * B / average) for one in (*lengths, state.delta.lengths)])
        state.__dict__["_length_norms"] = norms
    return norms
