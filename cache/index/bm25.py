"""Exact BM25Okapi over the live documents of a state. Pure.

The scores are those of rank-bm25 0.2.2 over a corpus of the live documents' tokens: k1 1.5, b 0.75, epsilon 0.25, idf =
ln(N - df + .5) - ln(df + .5), and for a term in more than half of the documents (negative idf) epsilon times the mean idf
of the whole vocabulary. That mean is summed over the histogram of document frequencies and only when a query needs it. A
document's score may be negative in tiny corpora, so "matches" is a count of its own. Cost: the postings of the query's
terms.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .state import IndexState, LiveSegment

K1: Final = 1.5
B: Final = 0.75
EPSILON: Final = 0.25

Scores = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class TermPostings:
    """One query term over the whole state."""

    term: str
    weight: float
    df: int
    idf: float
    ids: tuple[int | None, ...]
    """The term's id in each segment."""


@dataclass(frozen=True, slots=True)
class SourceScores:
    """Scores of one segment, or of the delta when it is the last: by document."""

    scores: Scores
    matches: Counts
    """Distinct query terms in the document; dead documents have none."""


@dataclass(frozen=True, slots=True)
class CorpusScores:
    """Scores of every source, segments first, the delta last."""

    sources: tuple[SourceScores, ...]
    terms: tuple[TermPostings, ...]


def score(state: IndexState, weights: Mapping[str, float]) -> CorpusScores:
    """Score every live document; `weights` says how often each term stands in the query."""
    terms = tuple(term_postings(state, term, weight) for term, weight in weights.items())
    average = state.length / state.n_docs if state.n_docs else 0.0
    sources = [_segment_scores(live, number, terms, average) for number, live in enumerate(state.segments)]
    return CorpusScores((*sources, _delta_scores(state, terms, average)), terms)


def term_postings(state: IndexState, term: str, weight: float = 1.0) -> TermPostings:
    """Look a term up: its ids, its document frequency and its idf as BM25Okapi has it."""
    ids = tuple(live.segment.term_id(term) for live in state.segments)
    df = sum(_live_frequency(live, tid) for live, tid in zip(state.segments, ids, strict=True) if tid is not None)
    df += sum(term in document.chunk.terms for document in state.delta.documents)
    return TermPostings(term, weight, df, idf_of(state, df), ids)


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
        return int(live.segment.post_ptr[tid + 1] - live.segment.post_ptr[tid])
    docs, _ = live.segment.postings(tid)
    return int(live.is_live_doc[docs].sum())


def _segment_scores(live: LiveSegment, number: int, terms: tuple[TermPostings, ...], average: float) -> SourceScores:
    segment = live.segment
    scores = np.zeros(segment.n_docs, np.float64)
    matches = np.zeros(segment.n_docs, np.uint16)
    for term in terms:
        tid = term.ids[number]
        if tid is None:
            continue
        docs, tfs = segment.postings(tid)
        scores[docs] += term.weight * term.idf * _saturated(tfs, segment.doc_len[docs], average)
        matches[docs] += 1
    if live.is_live_doc is not None:
        matches *= live.is_live_doc
    return SourceScores(scores, matches)


def _delta_scores(state: IndexState, terms: tuple[TermPostings, ...], average: float) -> SourceScores:
    documents = state.delta.documents
    scores = np.zeros(len(documents), np.float64)
    matches = np.zeros(len(documents), np.uint16)
    for doc, document in enumerate(documents):
        held = document.chunk.terms
        for term in terms:
            tf = held.get(term.term)
            if tf:
                norm = K1 * (1 - B + B * document.chunk.length / average)
                scores[doc] += term.weight * term.idf * (tf * (K1 + 1) / (tf + norm))
                matches[doc] += 1
    return SourceScores(scores, matches)


def _saturated(tfs: npt.NDArray[Any], lengths: npt.NDArray[Any], average: float) -> Scores:
    tf = tfs.astype(np.float64)
    return tf * (K1 + 1) / (tf + K1 * (1 - B + B * lengths / average))
