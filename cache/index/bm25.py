"""Exact BM25Okapi over the live documents of a state. Pure.

The scores are those of rank-bm25 0.2.2 over a corpus of the live documents' tokens: k1 1.5, b 0.75, epsilon 0.25, idf =
ln(N - df + .5) - ln(df + .5), and for a term in more than half of the documents (negative idf) epsilon times the mean idf
of the whole vocabulary. That mean is summed over the histogram of document frequencies and only when a query needs it. A
document's score may be zero or negative in tiny corpora, so what matches is known apart from it. Cost: the postings of the
query's terms.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .state import IndexState, LiveSegment

K1: Final = 1.5
B: Final = 0.75
EPSILON: Final = 0.25
_MEMO_TERMS: Final = 512
"""Terms whose frequencies are kept with a state; losing them to another thread costs looking them up."""

Scores = npt.NDArray[np.float64]


class TermPostings(NamedTuple):
    """One query term over the whole state; a tuple, for a query makes one per term."""

    term: str
    weight: float
    df: int
    idf: float
    ids: tuple[int | None, ...]
    """The term's id in each segment."""


@dataclass(frozen=True)
class SourceScores:
    """Scores of one segment, or of the delta when it is the last: by document. Dead documents have 0."""

    scores: Scores
    mask: npt.NDArray[np.bool_] | None = None
    """Which documents hold a query term; None if those are the ones above 0."""

    @cached_property
    def docs(self) -> npt.NDArray[np.int64]:
        """The live documents that hold a query term, ascending."""
        return np.flatnonzero(self.scores > 0 if self.mask is None else self.mask)


@dataclass(frozen=True, slots=True)
class CorpusScores:
    """Scores of every source, segments first, the delta last."""

    sources: tuple[SourceScores, ...]
    terms: tuple[TermPostings, ...]


def score(state: IndexState, weights: Mapping[str, float]) -> CorpusScores:
    """Score every live document; `weights` says how often each term stands in the query."""
    terms = tuple(term_postings(state, term, weight) for term, weight in weights.items())
    sources = [segment_scores(state, number, terms) for number in range(len(state.segments))]
    return CorpusScores((*sources, delta_scores(state, terms)), terms)


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


def segment_scores(state: IndexState, number: int, terms: tuple[TermPostings, ...]) -> SourceScores:
    """Score all postings of the query's terms in one pass: a handful of numpy calls, whatever the number of terms."""
    live = state.segments[number]
    segment = live.segment
    found = [(term, *segment.range_of(tid)) for term in terms if (tid := term.ids[number]) is not None]
    if not found:
        return SourceScores(np.zeros(segment.n_docs))
    docs = np.concatenate([segment.post_doc[first:last] for _, first, last in found], dtype=np.intp)
    gain = np.concatenate([segment.post_tf[first:last] for _, first, last in found], dtype=np.float64)
    norm = length_norms(state)[number].take(docs)
    norm += gain
    at = 0
    for term, first, last in found:
        gain[at : at + last - first] *= term.weight * term.idf * (K1 + 1)
        at += last - first
    gain /= norm
    scores = np.bincount(docs, gain, segment.n_docs).astype(np.float64, copy=False)
    mask = None
    if any(term.idf <= 0 for term, _, _ in found):
        mask = np.zeros(segment.n_docs, np.bool_)
        mask[docs] = True
    if live.is_live_doc is not None:
        scores *= live.is_live_doc
        mask = None if mask is None else mask & live.is_live_doc
    return SourceScores(scores, mask)


def delta_scores(state: IndexState, terms: tuple[TermPostings, ...]) -> SourceScores:
    """Score the chunks of the delta, one after another."""
    documents = state.delta.documents
    if not documents:
        return SourceScores(np.empty(0))
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
    return SourceScores(scores, mask)


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
