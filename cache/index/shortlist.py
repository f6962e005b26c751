"""The best files of one source, exactly, without scoring most of those that match. Pure.

A file's total is (its best chunk + .3 of its second + .1 of its third + what its path gives) times its prior. The bounds that a
segment keeps by term and file (`bounds.py`), summed over the query's terms, bound every file's total from above; the postings of
the files with the highest bounds are scored, then those of all others whose bound reaches what k files have at least. It is the
idea of block-max indexes (Ding and Suel 2011), a block being a file. Cost: the files that hold the terms, and the postings of
some dozens of them. What matters is the number of array operations, not their length: most take a microsecond. So `compiled.py`
does the same in C where it can; what is here is the whole of it, and serves where it cannot.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from . import compiled
from .bm25 import Documents, Held, LengthNorms, Scores, gains_of
from .bounds import STEP
from .formula import MAX_DOCS, SHARES
from .segment import Segment
from .state import LiveSegment

SLACK: Final = 1 - 1e-9
"""Scores and bounds are summed in different orders."""
_FIRST: Final = 16
_FIRST_PER_TERM: Final = 10
"""Files that are scored at once. Measured: the bounds are the looser the more terms they sum up, and three of four queries then
need no other file."""
_MOST: Final = 4
"""With more than one file of so many to score, it costs less to go through all postings than to pick some."""
_SHARES: Final = np.asarray([*SHARES, *[0.0] * (MAX_DOCS - len(SHARES))])

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Owners = npt.NDArray[np.uint32] | Ints
Boost = tuple[Ints, Scores]
"""(chunks, what each gets beside its BM25 if it matches)."""
FileGain = tuple[Ints, float]
"""(files, numbered over all sources and none twice, what each gets)."""


class FileTerms:
    """What the files of a source get beside their chunks."""

    def __init__(self, gains: list[FileGain], start: int, prior: Scores, accepts: Callable[[int], bool] | None = None) -> None:
        """`start` is the number of the source's first file, `prior` has one for each of its files."""
        self.gains: Final = gains
        self.start: Final = start
        self.prior: Final = prior
        self.accepts: Final = accepts
        """Decides which files may appear, where not all that are live may."""

    @cached_property
    def bonus(self) -> Scores:
        """The gains of each file."""
        bonus = np.zeros(len(self.prior))
        for files, gain in self.gains:
            if self.start or files[-1] >= len(bonus):
                files = files[(files >= self.start) & (files < self.start + len(bonus))] - self.start
            bonus[files] += gain
        return bonus

    def totals(self, files: Documents, chunks: Scores) -> Scores:
        """Return the totals of files from what their chunks give."""
        totals, prior = self.bonus.take(files), self.prior.take(files)
        totals += chunks
        if len(totals) and totals.min() < 0:
            return np.where(totals >= 0, totals * prior, totals / prior)
        return totals * prior

    def reject(self, reached: Scores) -> None:
        """Put 0 for the files that may not appear."""
        if self.accepts is not None:
            reached[[file for file in reached.nonzero()[0].tolist() if not self.accepts(file)]] = 0.0


class Shortlist(NamedTuple):
    """The files of a source that may be among the first k, in no order, and how much of it matches."""

    files: list[int]
    totals: list[float]
    docs: list[tuple[int, ...]]
    """The best matching chunks of each file, best first."""
    matching_chunks: int
    matching_files: int


class Slots:
    """Room for the scores of some files' chunks, file by file, a file's last chunk first; the first slot is no one's."""

    def __init__(self, files: Documents, file_doc: Ints, rooms: Ints) -> None:
        room = rooms.take(files)
        ends = room.cumsum()
        starts, tops = ends - room, file_doc.take(files)
        starts += 1
        tops += ends
        self.files: Final = files
        self.size: Final = int(ends[-1]) + 1 if len(files) else 1
        self.starts: Final = starts
        self.tops: Final = tops
        """A chunk is its file's top less its slot, and a slot the top less the chunk."""
        self.place: Final = np.zeros(len(rooms), np.int64)
        """By file of the source: its top, 0 for files that are not here."""
        self.place[files] = tops

    def boost(self, scores: Scores, matches: Mask | None, boosts: Sequence[Boost], doc_file: Owners) -> None:
        """Add to chunks that match."""
        for docs, values in boosts:
            tops = self.place.take(doc_file.take(docs))
            here = tops.nonzero()[0]
            slots = (tops - docs).take(here)
            is_match = scores.take(slots) > 0 if matches is None else matches.take(slots)
            scores[slots[is_match]] += values.take(here)[is_match]

    def best(
        self, scores: Scores, matches: Mask | None, terms: FileTerms, k: int
    ) -> tuple[list[int], list[float], list[tuple[int, ...]]]:
        """Return the k best of the files and those equal to the last, their totals, and their best chunks.

        `matches` is None if every chunk that matches has a score above 0. Of equal chunks the first is the better one: the
        number of a slot replaces the last digits of its score, 1e-11 of it, so one maximum finds both.
        """
        if not len(self.files):
            return [], [], []
        raised = scores if matches is None else np.where(matches, scores - scores.min() + 1, 0.0)
        low = (1 << self.size.bit_length()) - 1
        keys = raised.view(np.int64) & ~low
        keys |= np.arange(self.size)
        slots = np.empty((MAX_DOCS, len(self.files)), np.int64)
        for row in slots:
            np.maximum.reduceat(keys, self.starts, out=row)
            row &= low
            keys[row] = 0
        values = scores.take(slots)
        is_match = values > 0 if matches is None else matches.take(slots)
        totals = terms.totals(self.files, _SHARES @ values)
        place = max(0, len(totals) - k)
        floor = float(np.partition(totals, place)[place])
        kept = (totals >= floor - abs(floor) * (1 - SLACK)).nonzero()[0]
        docs = (self.tops - slots).T.take(kept, 0).tolist()
        counts = is_match.sum(0).take(kept).tolist()
        held = [tuple(row[:count]) for row, count in zip(docs, counts, strict=True)]
        return self.files.take(kept).tolist(), totals.take(kept).tolist(), held


class _Postings:
    """The postings of a query's terms in one segment."""

    def __init__(self, segment: Segment, norms: LengthNorms, held: Sequence[Held]) -> None:
        self._segment, self._norms, self._held = segment, norms, held
        self._ranges = [(span.first_file, span.last_file) for _, span in held]
        file, most = segment.bounds.file, segment.bounds.most
        self._files = np.concatenate([file[a:b] for a, b in self._ranges], dtype=np.intp)
        self._bytes = np.concatenate([most[a:b] for a, b in self._ranges])
        self._weights = np.asarray([weight for weight, _ in held]).repeat([b - a for a, b in self._ranges])
        self.is_bounded: Final = all(weight > 0 for weight, _ in held)
        """Else a term may add 0 or less, which only happens in tiny corpora; nothing is left out then."""

    def reached(self, stretch: float) -> Scores:
        """Return what the chunks of each file give at most, or, without bounds, some number above 0 if one matches."""
        if not self.is_bounded:
            return np.bincount(self._files, minlength=self._segment.n_files).astype(np.float64)
        most = np.bincount(self._files, self._weights * self._bytes, self._segment.n_files)
        return np.multiply(most, STEP * stretch)

    def scores(self, slots: Slots) -> tuple[Scores, Mask | None]:
        """Return the score of each slot's chunk, and, if that does not tell, which match."""
        at, gains = self._all(slots) if len(slots.files) * _MOST > self._segment.n_files else self._some(slots)
        # Without a posting, bincount forgets the type of the weights.
        scores = np.bincount(at, gains, slots.size).astype(np.float64, copy=False)
        return scores, None if self.is_bounded else np.bincount(at, minlength=slots.size) > 0

    def _all(self, slots: Slots) -> tuple[Documents, Scores]:
        """Return the slot and the gain of every posting; those of files without slots have the slot that is no one's."""
        docs, gains = gains_of(self._segment, self._norms, self._held)
        slot = slots.place.take(self._segment.doc_file)
        np.subtract(slot, np.arange(len(slot)), out=slot, where=slot > 0)
        return slot.take(docs), gains

    def _some(self, slots: Slots) -> tuple[Documents, Scores]:
        """Return the same of the postings of the slots' files alone."""
        bounds, segment = self._segment.bounds, self._segment
        places = slots.place.take(self._files)
        here = places.nonzero()[0]
        first = np.concatenate([bounds.first[a:b] for a, b in self._ranges], dtype=np.intp).take(here)
        last = np.concatenate([bounds.first[a + 1 : b + 1] for a, b in self._ranges], dtype=np.intp).take(here)
        counts = last - first
        last -= counts.cumsum()
        postings = last.repeat(counts)
        postings += np.arange(len(postings))
        owners = here.repeat(counts)
        docs, tfs = segment.post_doc.take(postings), segment.post_tf.take(postings)
        gains = self._weights.take(owners)
        gains *= tfs
        below = self._norms.take(docs)
        below += tfs
        gains /= below
        slot = places.take(owners)
        slot -= docs
        return slot, gains

    def count(self, matching: Mask | None) -> int:
        """Return how many chunks match, of all files or of some."""
        segment, rows = self._segment, [span.row for _, span in self._held if span.row >= 0]
        if rows:
            bits = segment.bounds.often[rows[0]]
            for row in rows[1:]:
                bits = bits | segment.bounds.often[row]
            holds = np.unpackbits(bits, count=segment.n_docs)
        else:
            holds = np.zeros(segment.n_docs, np.uint8)
        rare = [segment.post_doc[span.first : span.last] for _, span in self._held if span.row < 0]
        if rare:
            holds[np.concatenate(rare, dtype=np.intp)] = 1
        if matching is not None:
            holds &= matching.take(segment.doc_file)
        return int(np.count_nonzero(holds))


def shortlist_segment(
    live: LiveSegment, norms: LengthNorms, stretch: float, held: list[Held], boosts: list[Boost], terms: FileTerms, k: int
) -> Shortlist:
    """Return the files of a segment that may be among the first k.

    `held` are the query's terms in it; `stretch` is how much longer the state's chunks are than the segment's, at least 1.
    """
    segment = live.segment
    if compiled.IS_COMPILED and terms.accepts is None and all(weight > 0 for weight, _ in held):
        is_live = None if live.is_live_doc is None else live.is_live_file
        return Shortlist(
            *compiled.shortlist(segment, norms, stretch, held, boosts, terms.gains, terms.start, terms.prior, is_live, k)
        )
    postings = _Postings(segment, norms, held) if held else None
    reached = np.zeros(segment.n_files) if postings is None else postings.reached(stretch)
    reached += terms.bonus
    is_some = live.is_live_doc is not None or terms.accepts is not None
    if is_some:
        reached *= live.is_live_file
        terms.reject(reached)
    n_files = int(np.count_nonzero(reached))
    n_chunks = 0 if postings is None else postings.count(reached > 0 if is_some else None)

    def best(files: Documents) -> tuple[list[int], list[float], list[tuple[int, ...]]]:
        slots = Slots(files, segment.file_doc, segment.rooms)
        scores, matches = (np.zeros(slots.size), None) if postings is None else postings.scores(slots)
        slots.boost(scores, matches, boosts, segment.doc_file)
        return slots.best(scores, matches, terms, k)

    n_first = max(_FIRST + _FIRST_PER_TERM * len(held), 2 * k)
    if n_files <= n_first or n_first * _MOST > segment.n_files or (postings is not None and not postings.is_bounded):
        return Shortlist(*best(reached.nonzero()[0]), n_chunks, n_files)
    _raise(reached, boosts, segment)
    reached *= terms.prior
    first = reached.argpartition(len(reached) - n_first)[len(reached) - n_first :]
    files, totals, docs = best(first)
    floor = min(totals) * SLACK
    if reached[first[0]] >= floor:
        reached[first] = 0.0
        others = (reached >= floor).nonzero()[0]
        if len(others):
            more = best(others)
            files, totals, docs = files + more[0], totals + more[1], docs + more[2]
    return Shortlist(files, totals, docs, n_chunks, n_files)


def _raise(reached: Scores, boosts: Sequence[Boost], segment: Segment) -> None:
    """Raise the bounds of files by what their chunks may get beside their BM25."""
    for docs, values in boosts:
        most = np.zeros(len(reached))
        np.maximum.at(most, segment.doc_file.take(docs), values * sum(SHARES))
        most *= reached > 0
        reached += most


def shortlist_chunks(
    scores: Scores, matches: Mask, file_doc: Ints, doc_file: Owners, boosts: Sequence[Boost], terms: FileTerms, k: int
) -> Shortlist:
    """Return the same of a few chunks whose scores are known."""
    rooms = np.maximum(np.diff(file_doc), MAX_DOCS)
    reached = np.bincount(doc_file[matches], minlength=len(rooms)).astype(np.float64)
    reached += terms.bonus
    terms.reject(reached)
    slots = Slots(reached.nonzero()[0], file_doc, rooms)
    tops = slots.place.take(doc_file)
    here = (matches & (tops > 0)).nonzero()[0]
    placed, is_match = np.zeros(slots.size), np.zeros(slots.size, np.bool_)
    at = (tops - np.arange(len(tops))).take(here)
    placed[at], is_match[at] = scores.take(here), True
    slots.boost(placed, is_match, boosts, doc_file)
    return Shortlist(*slots.best(placed, is_match, terms, k), len(here), len(slots.files))
