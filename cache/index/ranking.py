"""Ranking: BM25 of chunks -> files in order. Pure and deterministic; ties are ordered by path.

A file's score is its best chunk's BM25 + .3 of its second's + .1 of its third's, where a chunk that defines an identifier
of the query gets that identifier's idf on top; + the idf, among paths, of the query terms in its path;
times a prior for the kind of file. A path that the query names and a definition that it asks for come first. What each
signal gave on the tuning sets is in `tests/benchmarks/ranking.md`; those that helped one repository only are not here.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from .bm25 import TermPostings, delta_scores, held_terms, length_norms
from .query import Query, names_path
from .shortlist import Boost, FileGain, FileTerms, Shortlist, shortlist_chunks, shortlist_segment
from .sources import Sources
from .tokenise import expand_word, words_of
from .values import Prefer

PATH: Final = 1.0
"""Per idf of a query term that the path holds."""
IDENTIFIER: Final = 1.0
"""Per idf of an identifier of the query that a chunk defines."""
NAMED_PATH: Final = 10.0
"""For a file that the query names by its path: about the idf of two rare terms."""
DEFINITION: Final = 100.0
"""For a chunk that defines the one name that is the whole query; half of it if only its case differs."""
_TOLD_FILES: Final = 10
"""So many scores tell how sharp an answer is, however few are shown."""
_MAX_DEFINERS: Final = 200
_MAX_NAMED: Final = 500


class RankedFile(NamedTuple):
    """A file in the order of the answer; a tuple, for a query makes ten."""

    path: str
    score: float
    file: int
    source: int
    docs: tuple[int, ...]
    """Its best matching chunks in its source, best first; empty if only its path matches."""


class Ranking(NamedTuple):
    """The first files in order, and what was counted on the way."""

    files: tuple[RankedFile, ...]
    matching_chunks: int
    matching_files: int
    top_scores: tuple[float, ...]
    """Of the best files, descending, for judging how sharp the answer is."""


def rank(
    sources: Sources,
    terms: Sequence[TermPostings],
    query: Query,
    *,
    k: int,
    prefer: Prefer,
    accepts: Callable[[str], bool] | None,
) -> Ranking:
    """Order the files of a state by a query's terms; `accepts` decides by path which may appear."""
    gains = _path_gains(sources, terms)
    prior = sources.priors(prefer)
    named = _named_files(sources, terms, query)
    if named:
        gains.append((np.asarray(sorted(named), np.int64), NAMED_PATH))
        prior = prior.copy()
        prior[named] = 1.0
    boosts = _definition_boosts(sources, terms, query)
    found: list[tuple[float, str, float, int, int, tuple[int, ...]]] = []
    n_chunks = n_files = 0
    for source, start in enumerate(sources.starts):
        end = sources.starts[source + 1] if source + 1 < len(sources.starts) else sources.n_files
        if start == end:
            continue
        accepted = None if accepts is None else partial(_accepts, accepts, sources, source)
        extra = FileTerms(gains, start, prior[start:end], accepted)
        one = _shortlist(sources, source, terms, boosts.get(source, []), extra, max(k, _TOLD_FILES))
        n_chunks, n_files = n_chunks + one.matching_chunks, n_files + one.matching_files
        path_of = sources.paths_in(source)
        for file, total, docs in zip(one.files, one.totals, one.docs, strict=True):
            # Sums of the same numbers in another order differ in their last digits: those say nothing.
            found.append((-round(total, 9), path_of(file), total, start + file, source, docs))
    found.sort()
    files = [RankedFile(path, total, file, source, docs) for _, path, total, file, source, docs in found[:k]]
    return Ranking(tuple(files), n_chunks, n_files, tuple([-one[0] for one in found]))


def _accepts(accepts: Callable[[str], bool], sources: Sources, source: int, file: int) -> bool:
    return accepts(sources.path_in(source, file))


def _shortlist(
    sources: Sources, source: int, terms: Sequence[TermPostings], boosts: list[Boost], extra: FileTerms, k: int
) -> Shortlist:
    """Return the best files of a segment, or of the delta when it is the last source."""
    state = sources.state
    if source < len(state.segments):
        live, norms = state.segments[source], length_norms(state)[source]
        stretch = max(1.0, state.length / state.n_docs / live.segment.bounds.mean)
        return shortlist_segment(live, norms, stretch, held_terms(source, terms), boosts, extra, k)
    scores, matches = delta_scores(state, terms)
    start = sources.starts[source]
    pointer = np.append(0, sources.n_chunks[start:].cumsum())
    return shortlist_chunks(scores, matches, pointer, sources.delta_owner - start, boosts, extra, k)


def _path_gains(sources: Sources, terms: Sequence[TermPostings]) -> list[FileGain]:
    """Return, per query term, the files with it in their path, and weight times idf (among paths)."""
    gains: list[FileGain] = []
    for term in terms:
        files, idf = sources.path_gain(term)
        if len(files):
            gains.append((files, PATH * term.weight * idf))
    return gains


def _definition_boosts(sources: Sources, terms: Sequence[TermPostings], query: Query) -> dict[int, list[Boost]]:
    """Return, by source, what chunks get for defining an identifier of the query."""
    name = query.name.lower().strip("_")
    boosts: dict[int, list[Boost]] = {}
    for term in terms:
        is_name = term.term == name
        if not is_name and term.term not in query.identifiers:
            continue
        for source, docs in sources.definers(term):
            values = np.full(len(docs), IDENTIFIER * term.weight * max(term.idf, 0.0))
            if is_name:
                for place, doc in enumerate(docs[:_MAX_DEFINERS].tolist()):
                    values[place] += DEFINITION * _likeness(sources, source, doc, query.name)
            if len(docs):
                boosts.setdefault(source, []).append((docs, values))
    return boosts


def _likeness(sources: Sources, source: int, doc: int, name: str) -> float:
    names = {one.rpartition(".")[2].rpartition(":")[2] for one in sources.symbol_names(source, doc)}
    if name in names:
        return 1.0
    return 0.5 if name.lower() in {one.lower() for one in names} else 0.0


def _named_files(sources: Sources, terms: Sequence[TermPostings], query: Query) -> list[int]:
    """Return the files whose path the query spells out; they are found by the rarest token of that spelling."""
    if not query.paths:
        return []
    by_term = {term.term: term for term in terms}
    named: dict[int, None] = {}
    for mention in query.paths:
        tokens = {token for word in words_of(mention) for token in expand_word(word)}
        found = [files for files in (sources.files_with(by_term[t]) for t in tokens if t in by_term) if len(files)]
        for file in min(found, key=len, default=np.empty(0, np.int64))[:_MAX_NAMED].tolist():
            if names_path(mention, sources.path(file)):
                named[file] = None
    return list(named)
