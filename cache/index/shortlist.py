"""The best files of one source, exactly, without looking at most of those that match. Pure.

A file's total is (its best chunk + .3 of its second + .1 of its third + what its path gives) times its prior. One pass over the
postings of the query's terms scores every chunk and finds each file's best one, which bounds its total from below and from
above; the chunks of a file are looked at only if its upper bound reaches what k files have at least. Cost: the postings, and
some columns by file.

Leaving out the postings of frequent terms as well (MaxScore: Turtle and Flood 1995) was measured: what it saves goes into
looking those terms up in the files that are left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .bm25 import Documents, Held, Scores, gains_of
from .state import LiveSegment

SECOND: Final = 0.3
THIRD: Final = 0.1
_SPREAD: Final = 1 + SECOND + THIRD
MAX_DOCS: Final = 4
"""Chunks of a file that an answer may speak of."""
SLACK: Final = 1 - 1e-9
"""Scores and bounds are summed in different orders."""

Mask = npt.NDArray[np.bool_]
Boost = tuple[npt.NDArray[np.int64], Scores]
"""(chunks, what each gets beside its BM25 if it matches)."""


@dataclass(slots=True)
class ScoredChunks:
    """The chunks of one source, scored."""

    scores: Scores
    """By chunk; `nothing` for those that do not match."""
    docs: Documents
    """Chunks that match; in any order, repeats allowed."""
    doc_file: npt.NDArray[np.uint32] | npt.NDArray[np.int64]
    file_doc: npt.NDArray[np.int64]
    """Where the chunks of each file begin, and where the last end."""
    nothing: float = 0.0
    """-inf if a term may add 0 or less, which only happens in tiny corpora; nothing is left out then."""

    def boost(self, boosts: Sequence[Boost]) -> None:
        """Add to chunks that match."""
        for docs, values in boosts:
            matches = self.scores.take(docs) > self.nothing
            self.scores[docs[matches]] += values[matches]

    def best_by_file(self) -> Scores:
        """Return the score of each file's best chunk, `nothing` for a file that does not match."""
        best = np.full(len(self.file_doc) - 1, self.nothing)
        np.maximum.at(best, self.doc_file.take(self.docs), self.scores.take(self.docs))
        return best

    def matching_of(self, files: Documents) -> tuple[Documents, Scores, Documents]:
        """Return the matching chunks of some files, file by file, best first, their scores, and how many each file has."""
        first = self.file_doc.take(files)
        counts = self.file_doc.take(files + 1) - first
        docs = (first - counts.cumsum() + counts).repeat(counts)
        docs += np.arange(len(docs))
        scores = self.scores.take(docs)
        matches = (scores > self.nothing).nonzero()[0]
        owner = np.arange(len(files)).repeat(counts).take(matches)
        docs, scores = docs.take(matches), scores.take(matches)
        order = _by_owner(scores, owner)
        return docs.take(order), scores.take(order), np.bincount(owner, minlength=len(files))

    def count(self, matching: Mask | None) -> int:
        """Return how many chunks match, of all files or of some."""
        is_held = self.scores != self.nothing
        if matching is not None:
            is_held &= matching.take(self.doc_file)
        return int(np.count_nonzero(is_held))


def _by_owner(scores: Scores, owner: Documents) -> Documents:
    """Return the order by owner, then score, highest first, equal ones as they stand."""
    if not len(scores):
        return np.empty(0, np.intp)
    key = owner * (float(scores.max() - scores.min()) * 2 + 1) - scores
    order = key.argsort()
    ranked = key.take(order)
    # The quick sort leaves equal ones in any order.
    return order if (ranked[1:] > ranked[:-1]).all() else key.argsort(kind="stable")


@dataclass(frozen=True, slots=True)
class FileTerms:
    """What the files of a source get beside their chunks."""

    bonus: Scores
    prior: Scores
    accepts: Callable[[int], bool] | None = None
    """Decides which files may appear, where not all that are live may."""

    def totals(self, files: Documents, chunks: Scores) -> Scores:
        """Return the totals of files from what their chunks give."""
        totals, prior = chunks + self.bonus.take(files), self.prior.take(files)
        if len(totals) and totals.min() < 0:
            return np.where(totals >= 0, totals * prior, totals / prior)
        return totals * prior


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The files of a source that may be among the first k, in no order, and how much of it matches."""

    files: list[int]
    totals: list[float]
    docs: list[tuple[int, ...]]
    """The best matching chunks of each file, best first."""
    matching_chunks: int
    matching_files: int


def shortlist_segment(
    live: LiveSegment, norms: Scores, held: Sequence[Held], boosts: Sequence[Boost], terms: FileTerms, k: int
) -> Shortlist:
    """Return the files of a segment that may be among the first k; `held` are the query's terms in it."""
    segment = live.segment
    is_live = None if live.is_live_doc is None else live.is_live_file
    docs, gains = gains_of(segment, norms, held)
    is_bounded = all(term.bound > 0 for term in held)
    scores = segment.borrow_scores() if is_bounded else np.full(segment.n_docs, -np.inf)
    if not is_bounded:
        scores[docs] = 0.0
    np.add.at(scores, docs, gains)
    scored = ScoredChunks(scores, docs, segment.doc_file, segment.file_doc, 0.0 if is_bounded else -np.inf)
    scored.boost(boosts)
    found = shortlist(scored, terms, k, is_live)
    if is_bounded:
        scores[docs] = 0.0
        segment.return_scores(scores)
    return found


def shortlist(scored: ScoredChunks, terms: FileTerms, k: int, is_live: Mask | None = None) -> Shortlist:
    """Return the files that may be among the first k."""
    best = scored.best_by_file()
    matching = best > scored.nothing
    matching |= terms.bonus > 0
    if is_live is not None:
        matching &= is_live
    if terms.accepts is not None:
        matching[[file for file in matching.nonzero()[0].tolist() if not terms.accepts(file)]] = False
    is_some = is_live is not None or terms.accepts is not None
    n_chunks, n_files = scored.count(matching if is_some else None), int(np.count_nonzero(matching))
    if scored.nothing or n_files <= k:
        return Shortlist(*_best(scored, matching.nonzero()[0], terms, k), n_chunks, n_files)
    most = best * _SPREAD
    most += terms.bonus
    most *= terms.prior
    most *= matching
    place = len(most) - k
    files, totals, docs = _best(scored, most.argpartition(place)[place:], terms, k)
    most[files] = 0.0
    others = (most >= min(totals) * SLACK).nonzero()[0]
    if len(others):
        more = _best(scored, others, terms, k)
        files, totals, docs = files + more[0], totals + more[1], docs + more[2]
    return Shortlist(files, totals, docs, n_chunks, n_files)


def _kth(values: Scores, k: int) -> float:
    """Return the k-th greatest of some values."""
    place = len(values) - k
    return float(np.partition(values, place)[place])


def _best(
    scored: ScoredChunks, files: Documents, terms: FileTerms, k: int
) -> tuple[list[int], list[float], list[tuple[int, ...]]]:
    """Return the k best of some files and those equal to the last, their totals, and their best chunks."""
    docs, scores, counts = scored.matching_of(files)
    starts = counts.cumsum() - counts
    scores = np.append(scores, (0.0, 0.0, 0.0))
    chunks = scores.take(starts) * (counts > 0)
    chunks += scores.take(starts + 1) * ((counts > 1) * SECOND)
    chunks += scores.take(starts + 2) * ((counts > 2) * THIRD)
    totals = terms.totals(files, chunks)
    if len(files) > k:
        floor = _kth(totals, k)
        kept = (totals >= floor - abs(floor) * (1 - SLACK)).nonzero()[0]
        files, totals, starts, counts = files.take(kept), totals.take(kept), starts.take(kept), counts.take(kept)
    ends = np.minimum(counts, MAX_DOCS) + starts
    held = [tuple(docs[first:end].tolist()) for first, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    return files.tolist(), totals.tolist(), held
