"""Exact BM25Okapi over the live documents of a state. Pure.

The scores are those of rank-bm25 0.2.2 over a corpus of the live documents' tokens: k1 1.5, b 0.75, epsilon 0.25, idf =
ln(N - df + .5) - ln(df + .5), and for a term in more than half of the documents (negative idf) epsilon times the mean idf
of the whole vocabulary. That mean is summed over the histogram of document frequencies and only when a query needs it. A
document's score may be zero or negative in tiny corpora, so what matches is known apart from it. Cost: the postings of the
query's terms.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .segment import Segment
from .state import IndexState, LiveSegment

K1: Final = 1.5
B: Final = 0.75
EPSILON: Final = 0.25
_MEMO_TERMS: Final = 512
"""Terms whose frequencies are kept with a state; losing them to another thread costs looking them up."""

Scores = npt.NDArray[np.float64]
Documents = npt.NDArray[np.intp]


class TermPostings(NamedTuple):
    """One query term over the whole state; a tuple, for a query makes one per term."""

    term: str
    weight: float
    df: int
    idf: float
    ids: tuple[int | None, ...]
    """The term's id in each segment."""


class Held(NamedTuple):
    """A query term in one segment; they order by how many chunks hold them."""

    df: int
    bound: float
    """What it adds to a score at most, if that is above 0."""
    first: int
    last: int
    tid: int


def score(state: IndexState, weights: Mapping[str, float]) -> tuple[Scores, ...]:
    """Score every document, segments first, the delta last; `weights` says how often each term stands in the query.

    Dead documents have some number.
    """
    terms = query_terms(state, weights)
    norms = length_norms(state)
    found: list[Scores] = []
    for number, live in enumerate(state.segments):
        scores = np.zeros(live.segment.n_docs)
        np.add.at(scores, *gains_of(live.segment, norms[number], held_terms(live.segment, number, terms)))
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
    ids: list[int | None] = []
    df = 0
    for live in state.segments:
        tid = live.segment.term_id(term)
        ids.append(tid)
        if tid is not None:
            df += _live_frequency(live, tid)
    for document in state.delta.documents:
        df += term in document.chunk.terms
    return TermPostings(term, 1.0, df, idf_of(state, df), tuple(ids))


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
    frequencies = [_live_frequencies(live) for live in state.segments]
    delta = state.delta.document_frequencies
    if len(frequencies) == 1 and not delta:
        df = frequencies[0]
    else:
        digests = b"".join(hashlib.blake2b(t.encode("utf-8", "surrogatepass"), digest_size=8).digest() for t in delta)
        hashes = np.concatenate([*(live.segment.term_hash for live in state.segments), np.frombuffer(digests, np.uint64)])
        counts = np.concatenate([*frequencies, np.fromiter(delta.values(), np.int64, len(delta))])
        _, place = np.unique(hashes, return_inverse=True)
        df = np.bincount(place, weights=counts).astype(np.int64)
    histogram = np.bincount(df[df > 0])
    seen = np.flatnonzero(histogram)
    if not len(seen):
        return 0.0
    idf = np.log(state.n_docs - seen + 0.5) - np.log(seen + 0.5)
    return float((idf * histogram[seen]).sum() / histogram[seen].sum())


def _live_frequencies(live: LiveSegment) -> npt.NDArray[np.int64]:
    """Return the document frequency of every term among the live documents, from the forward lists of the dead."""
    segment = live.segment
    df = np.diff(segment.post_ptr)
    if live.is_live_doc is None:
        return df
    is_dead_posting = np.repeat(~live.is_live_doc, np.diff(segment.fwd_ptr))
    return df - np.bincount(segment.fwd_term[is_dead_posting], minlength=segment.n_terms)


def _live_frequency(live: LiveSegment, tid: int) -> int:
    if live.is_live_doc is None:
        first, last = live.segment.range_of(tid)
        return last - first
    docs, _ = live.segment.postings(tid)
    return int(live.is_live_doc[docs].sum())


def held_terms(segment: Segment, number: int, terms: Sequence[TermPostings]) -> list[Held]:
    """Return the query's terms that a segment, the state's `number`-th, holds, rarest first."""
    held: list[Held] = []
    for term in terms:
        tid = term.ids[number]
        if tid is not None:
            first, last = segment.range_of(tid)
            if first < last:
                held.append(Held(last - first, term.weight * term.idf * (K1 + 1), first, last, tid))
    held.sort()
    return held


def gains_of(segment: Segment, norms: Scores, held: Sequence[Held]) -> tuple[Documents, Scores]:
    """Return the postings of terms one after another, and what each adds to its chunk: some numpy calls for all terms."""
    if not held:
        return np.empty(0, np.intp), np.empty(0)
    docs = np.concatenate([segment.post_doc[term.first : term.last] for term in held], dtype=np.intp)
    gains = np.concatenate([segment.post_tf[term.first : term.last] for term in held], dtype=np.float64)
    below = norms.take(docs)
    below += gains
    at = 0
    for term in held:
        gains[at : at + term.df] *= term.bound
        at += term.df
    gains /= below
    return docs, gains


def delta_scores(state: IndexState, terms: Sequence[TermPostings]) -> tuple[Scores, npt.NDArray[np.bool_]]:
    """Score the chunks of the delta, one after another; return also which hold a term."""
    documents = state.delta.documents
    norms = length_norms(state)[-1]
    scores = np.zeros(len(documents), np.float64)
    mask = np.zeros(len(documents), np.bool_)
    for doc, document in enumerate(documents):
        held = document.chunk.terms
        for term in terms:
            tf = held.get(term.term)
            if tf:
                scores[doc] += term.weight * term.idf * (K1 + 1) * tf / (tf + norms[doc])
                mask[doc] = True
    return scores, mask


def length_norms(state: IndexState) -> tuple[Scores, ...]:
    """Return, by source and document, k1 (1 - b + b length / avgdl): what every query needs, kept with the state."""
    norms = state.__dict__.get("_length_norms")
    if norms is None:
        lengths = [live.segment.doc_len for live in state.segments]
        delta = np.asarray([document.chunk.length for document in state.delta.documents], np.float64)
        average = state.length / state.n_docs if state.length else 1.0
        norms = tuple((K1 * (1 - B) + (K1 * B / average) * length).astype(np.float64) for length in (*lengths, delta))
        state.__dict__["_length_norms"] = norms
    return norms
