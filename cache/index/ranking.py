"""Ranking: BM25 of chunks -> files in order. Pure and deterministic; ties are ordered by path.

A file's score is its best chunk's BM25 + .3 of its second's + .1 of its third's, where a chunk that defines an identifier
of the query gets that identifier's idf on top; + the idf, among paths, of the query terms in its path;
times a prior for the kind of file. A path that the query names and a definition that it asks for come first. What each
signal gave on the tuning sets is in `tests/benchmarks/ranking.md`; those that helped one repository only are not here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from .bm25 import CorpusScores
from .kinds import PRIORS
from .query import Query, names_path
from .sources import ChunkTable, Floats, Ints, Sources
from .tokenise import expand_word, words_of
from .values import Prefer

_ENTROPY_FILES: Final = 50
_MAX_TIES: Final = 2_000
_MAX_DEFINERS: Final = 200
_MAX_NAMED: Final = 500


@dataclass(frozen=True, slots=True)
class RankingWeights:
    """How much each signal adds to a file's score."""

    second: float = 0.3
    third: float = 0.1
    path: float = 1.0
    """Per idf of a query term that the path holds."""
    identifier: float = 1.0
    """Per idf of an identifier of the query that a chunk defines."""
    named_path: float = 10.0
    """For a file that the query names by its path: about the idf of two rare terms."""
    definition: float = 100.0
    """For a chunk that defines the one name that is the whole query; half of it if only its case differs."""


DEFAULT_WEIGHTS: Final = RankingWeights()


@dataclass(frozen=True, slots=True)
class RankedFile:
    """A file in the order of the answer."""

    path: str
    score: float
    file: int
    source: int
    docs: tuple[int, ...]
    """Its matching chunks in its source, best first; empty if only its path matches."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The first files in order, and what was counted on the way."""

    files: tuple[RankedFile, ...]
    matching_chunks: int
    matching_files: int
    top_scores: tuple[float, ...]
    """Of the best files, descending, for judging how sharp the answer is."""


def rank(
    sources: Sources,
    scored: CorpusScores,
    query: Query,
    *,
    k: int,
    prefer: Prefer,
    accepts: Callable[[str], bool] | None,
    weights: RankingWeights = DEFAULT_WEIGHTS,
) -> Ranking:
    """Order the files of a scored state; `accepts` decides by path which may appear."""
    table = sources.matching(scored)
    chunk_scores = table.bm25 + _definition_bonus(sources, scored, query, table, weights)
    best = _best_chunks(table, chunk_scores, weights)
    totals = np.zeros(sources.n_files)
    totals[best.files] = best.totals
    bonus = _path_bonus(sources, scored) * weights.path
    is_candidate = bonus > 0
    is_candidate[best.files] = True
    totals += bonus
    prior = np.asarray(PRIORS[prefer])[sources.kinds]
    for file in _named_files(sources, scored, query):
        totals[file] += weights.named_path
        prior[file] = 1.0
    totals = np.where(totals >= 0, totals * prior, totals / prior)
    candidates = np.flatnonzero(is_candidate)
    n_chunks = len(table.doc)
    if accepts is not None:
        candidates = np.asarray([file for file in candidates.tolist() if accepts(sources.path(file))], np.int64)
        n_chunks = int(np.isin(table.file, candidates).sum())
    top = _first(candidates, totals, k, sources)
    files = tuple(_ranked(sources, table, chunk_scores, best, file, float(totals[file])) for file in top)
    top_scores = np.sort(totals[candidates])[::-1][:_ENTROPY_FILES]
    return Ranking(files, n_chunks, len(candidates), tuple(top_scores.tolist()))


@dataclass(frozen=True, slots=True)
class _Best:
    """Files with matching chunks: their rows in the table are `rows[i]` to `rows[i + 1]`."""

    files: Ints
    rows: Ints
    totals: Floats


def _best_chunks(table: ChunkTable, scores: Floats, weights: RankingWeights) -> _Best:
    """Sum the three best chunks of each file; the table lies in the order of files."""
    if not len(scores):
        none = np.empty(0, np.int64)
        return _Best(none, np.zeros(1, np.int64), np.empty(0))
    starts = np.flatnonzero(np.concatenate([[True], table.file[1:] != table.file[:-1]]))
    rows = np.append(starts, len(scores))
    counts = np.diff(rows)
    left = scores.copy()
    totals = np.maximum.reduceat(left, starts)
    best = totals
    for place, weight in ((1, weights.second), (2, weights.third)):
        _drop_first(left, best, starts, counts)
        best = np.maximum.reduceat(left, starts)
        totals = totals + np.where(counts > place, weight * np.where(np.isfinite(best), best, 0.0), 0.0)
    return _Best(table.file[starts], rows, totals)


def _drop_first(scores: Floats, best: Floats, starts: Ints, counts: Ints) -> None:
    """Take the first chunk that has its file's best score out of the running."""
    is_best = np.flatnonzero(scores == np.repeat(best, counts))
    owner = np.searchsorted(starts, is_best, side="right")
    is_first = np.concatenate([[True], owner[1:] != owner[:-1]])
    scores[is_best[is_first]] = -np.inf


def _path_bonus(sources: Sources, scored: CorpusScores) -> Floats:
    """Sum, per file, weight times idf (among paths) of the query terms in its path."""
    bonus = np.zeros(sources.n_files)
    total = max(1, sources.n_files)
    for term in scored.terms:
        files = sources.files_with(term)
        if len(files):
            bonus[files] += term.weight * math.log(1 + (total - len(files) + 0.5) / (len(files) + 0.5))
    return bonus


def _definition_bonus(sources: Sources, scored: CorpusScores, query: Query, table: ChunkTable, weights: RankingWeights) -> Floats:
    """Return, per row, what it gets for defining an identifier of the query."""
    bonus = np.zeros(len(table.doc))
    name = query.name.lower().strip("_")
    for term in scored.terms:
        is_name = term.term == name
        if not is_name and term.term not in query.identifiers:
            continue
        for source, docs in sources.definers(term):
            rows = _rows_of(table, source, docs)
            bonus[rows[rows >= 0]] += weights.identifier * term.weight * max(term.idf, 0.0)
            if is_name:
                for row, doc in zip(rows[:_MAX_DEFINERS].tolist(), docs[:_MAX_DEFINERS].tolist(), strict=True):
                    if row >= 0:
                        bonus[row] += weights.definition * _likeness(sources, source, doc, query.name)
    return bonus


def _rows_of(table: ChunkTable, source: int, docs: Ints) -> Ints:
    """Return the row of each chunk of a source, -1 where it does not match the query."""
    first = int(np.searchsorted(table.source, source, side="left"))
    last = int(np.searchsorted(table.source, source, side="right"))
    if first == last:
        return np.full(len(docs), -1, np.int64)
    at = np.minimum(np.searchsorted(table.doc[first:last], docs), last - first - 1)
    return np.where(table.doc[first:last][at] == docs, at + first, -1)


def _likeness(sources: Sources, source: int, doc: int, name: str) -> float:
    names = {symbol.name.rpartition(".")[2].rpartition(":")[2] for symbol in sources.place(source, doc).symbols}
    if name in names:
        return 1.0
    return 0.5 if name.lower() in {one.lower() for one in names} else 0.0


def _named_files(sources: Sources, scored: CorpusScores, query: Query) -> list[int]:
    """Return the files whose path the query spells out; they are found by the rarest token of that spelling."""
    by_term = {term.term: term for term in scored.terms}
    named: dict[int, None] = {}
    for mention in query.paths:
        tokens = {token for word in words_of(mention) for token in expand_word(word)}
        found = [files for files in (sources.files_with(by_term[t]) for t in tokens if t in by_term) if len(files)]
        for file in min(found, key=len, default=np.empty(0, np.int64))[:_MAX_NAMED].tolist():
            if names_path(mention, sources.path(file)):
                named[file] = None
    return list(named)


def _first(candidates: Ints, totals: Floats, k: int, sources: Sources) -> list[int]:
    """Return the k best files; equal scores in the order of paths."""
    if len(candidates) > k:
        values = totals[candidates]
        border = np.partition(values, len(values) - k)[len(values) - k]
        above, level = candidates[values > border], candidates[values == border][:_MAX_TIES]
        candidates = np.concatenate([above, level])
    return sorted(candidates.tolist(), key=lambda file: (-totals[file], sources.path(file)))[:k]


def _ranked(sources: Sources, table: ChunkTable, scores: Floats, best: _Best, file: int, score: float) -> RankedFile:
    at = int(np.searchsorted(best.files, file))
    docs: tuple[int, ...] = ()
    if at < len(best.files) and int(best.files[at]) == file:
        rows = slice(int(best.rows[at]), int(best.rows[at + 1]))
        order = np.argsort(-scores[rows], kind="stable")
        docs = tuple(int(doc) for doc in table.doc[rows][order])
    return RankedFile(sources.path(file), score, file, sources.source_of(file), docs)
