"""Ranking: exact BM25 of chunks -> files and hits in order. Pure and deterministic.

A file's score is what its best chunks have (best + 1/2 second + 1/4 third), plus the idf of the query terms that its path and its
definitions' names hold, times a prior for the kind of file. Ties are ordered by path.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from .bm25 import CorpusScores, TermPostings
from .kinds import prior_of
from .state import IndexState
from .values import Prefer

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RankingWeights:
    """How much each signal adds to a file's score."""

    second: float = 0.5
    third: float = 0.25
    path: float = 1.0
    """Per idf of a query term that the path holds."""
    symbol: float = 0.5
    """Per idf of a query term that a chunk's definitions are named after."""


DEFAULT_WEIGHTS: Final = RankingWeights()
_MAX_RANKED: Final = 2_000
"""Files that get a prior and a place; no answer shows more than a hundred."""


@dataclass(frozen=True, slots=True)
class RankedFile:
    """A file in the order of the answer."""

    path: str
    score: float
    source: int
    """Segment number; the number of segments for the delta."""
    docs: tuple[int, ...]
    """Its matching chunks, best first; empty if only its path matches."""
    bm25: tuple[float, ...]
    """Their BM25 scores."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The files in order, and what was counted on the way."""

    files: tuple[RankedFile, ...]
    matching_chunks: int
    matching_files: int


@dataclass(slots=True)
class _Table:
    """Matching chunks of all sources, one row each."""

    source: Ints
    doc: Ints
    file: Ints
    """Number over all sources."""
    bm25: Floats
    score: Floats


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where the files of each source begin in the numbering over all of them."""

    state: IndexState
    delta_files: tuple[int, ...] = field(repr=False)
    starts: tuple[int, ...] = field(repr=False)
    delta_file_of_doc: Ints = field(repr=False)

    @classmethod
    def of(cls, state: IndexState) -> "_Sources":
        starts, at = [], 0
        for live in state.segments:
            starts.append(at)
            at += live.segment.n_files
        keys = tuple(state.delta.files)
        counts = [len(file.analysis.chunks) for file in state.delta.files.values()]
        owners = np.repeat(np.arange(len(keys), dtype=np.int64), np.asarray(counts, np.int64))
        return cls(state, keys, (*starts, at), owners)

    @property
    def n_files(self) -> int:
        return self.starts[-1] + len(self.delta_files)

    def path(self, file: int) -> tuple[str, int]:
        """Return the path and the source of a file number."""
        number = len(self.state.segments)
        while file < self.starts[number]:
            number -= 1
        if number == len(self.state.segments):
            return self.state.delta.files[self.delta_files[file - self.starts[number]]].row.path, number
        return self.state.segments[number].segment.path(file - self.starts[number]), number


def rank(
    state: IndexState,
    scored: CorpusScores,
    *,
    prefer: Prefer,
    accepts: Callable[[str], bool] | None,
    weights: RankingWeights = DEFAULT_WEIGHTS,
) -> Ranking:
    """Order the files of a scored state; `accepts` decides by path which may appear."""
    sources = _Sources.of(state)
    table = _matching(sources, scored)
    path_bonus = _path_bonus(sources, scored.terms)
    table.score += weights.symbol * _symbol_bonus(state, scored.terms, table)
    files, totals, rows = _aggregated(table, weights)
    file_scores = np.full(sources.n_files, 0.0)
    file_scores[files] = totals
    is_candidate = path_bonus > 0
    is_candidate[files] = True
    file_scores += weights.path * path_bonus
    order = np.flatnonzero(is_candidate)
    order = order[np.argsort(-file_scores[order], kind="stable")]
    docs_of = dict(zip(files.tolist(), rows, strict=True))
    ranked: list[RankedFile] = []
    n_chunks = n_files = 0
    for position, file in enumerate(order.tolist()):
        if position >= _MAX_RANKED and accepts is None:
            break
        path, source = sources.path(file)
        if accepts is not None and not accepts(path):
            continue
        found = docs_of.get(file, np.empty(0, np.int64))
        n_chunks, n_files = n_chunks + len(found), n_files + 1
        score = _prior(float(file_scores[file]), path, prefer)
        ranked.append(RankedFile(path, score, source, tuple(table.doc[found].tolist()), tuple(table.bm25[found].tolist())))
    ranked.sort(key=lambda one: (-one.score, one.path))
    if accepts is None:
        n_chunks, n_files = len(table.doc), len(order)
    return Ranking(tuple(ranked), n_chunks, n_files)


def _prior(score: float, path: str, prefer: Prefer) -> float:
    factor = prior_of(path, prefer)
    return score * factor if score >= 0 else score / factor


def _matching(sources: _Sources, scored: CorpusScores) -> _Table:
    parts: list[tuple[Ints, Ints, Ints, Floats]] = []
    for number, one in enumerate(scored.sources):
        docs = np.flatnonzero(one.matches)
        if number < len(sources.state.segments):
            files = sources.state.segments[number].segment.doc_file[docs].astype(np.int64)
        else:
            files = sources.delta_file_of_doc[docs]
        parts.append((np.full(len(docs), number), docs, files + sources.starts[number], one.scores[docs]))
    source, doc, file, bm25 = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _Table(source, doc, file, bm25, bm25.copy())


def _path_bonus(sources: _Sources, terms: Sequence[TermPostings]) -> Floats:
    """Sum, per file, the idf among paths of the query terms in its path."""
    state, total = sources.state, max(1, sources.n_files)
    bonus = np.zeros(sources.n_files)
    for term in terms:
        held: list[Ints] = []
        for number, (live, tid) in enumerate(zip(state.segments, term.ids, strict=True)):
            if tid is not None:
                files = live.segment.path_files(tid)
                held.append(files[live.is_live_file[files]].astype(np.int64) + sources.starts[number])
        keys = enumerate(state.delta.files.values())
        held.append(np.asarray([i + sources.starts[-1] for i, f in keys if term.term in f.path_terms], np.int64))
        found = np.concatenate(held)
        if len(found):
            bonus[found] += math.log(1 + (total - len(found) + 0.5) / (len(found) + 0.5))
    return bonus


def _symbol_bonus(state: IndexState, terms: Sequence[TermPostings], table: _Table) -> Floats:
    """Sum, per matching chunk, the idf of the query terms that name a definition in it."""
    bonus = np.zeros(len(table.doc))
    for number, live in enumerate(state.segments):
        rows = np.flatnonzero(table.source == number)
        by_doc = np.zeros(live.segment.n_docs)
        for term in terms:
            tid = term.ids[number]
            if tid is not None:
                by_doc[live.segment.symbol_docs(tid)] += max(term.idf, 0.0)
        bonus[rows] = by_doc[table.doc[rows]]
    documents = state.delta.documents
    for row in np.flatnonzero(table.source == len(state.segments)).tolist():
        names = documents[int(table.doc[row])].symbol_terms
        bonus[row] = sum(max(term.idf, 0.0) for term in terms if term.term in names)
    return bonus


def _aggregated(table: _Table, weights: RankingWeights) -> tuple[Ints, Floats, list[Ints]]:
    """Return the matching files, their score from their three best chunks, and their rows, best first."""
    order = np.lexsort((table.doc, -table.score, table.file))
    files, first, counts = np.unique(table.file[order], return_index=True, return_counts=True)
    ranked = table.score[order]
    totals = ranked[first].copy()
    for place, weight in ((1, weights.second), (2, weights.third)):
        has = counts > place
        totals[has] += weight * ranked[first[has] + place]
    return files, totals, np.split(order, first[1:])
