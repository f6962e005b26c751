"""One query against one state: score, rank, describe. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from .bm25 import TermPostings, query_terms, score
from .formula import K1, B
from .hops import hops_of
from .named import best_first, span_of
from .query import Query
from .ranking import RankedFile, rank
from .sources import Sources
from .state import IndexState
from .suggest import near_terms
from .values import Coverage, Hit, Prefer, SearchResult

_ALSO_RATIO: Final = 0.5


def raw_scores(state: IndexState, tokens: Sequence[str]) -> list[float]:
    """Return the BM25Okapi score of every live document, in the order of `documents_of`."""
    scored = score(state, Counter(tokens))
    values: list[float] = []
    for number, scores in enumerate(scored):
        mask = state.segments[number].is_live_doc if number < len(state.segments) else None
        values.extend((scores if mask is None else scores[mask]).tolist())
    return values


def search(
    state: IndexState,
    query: Query,
    coverage: Coverage,
    *,
    k: int,
    accepts: Callable[[str], bool] | None,
    prefer: Prefer,
) -> SearchResult:
    """Answer a query from one state."""
    terms = query_terms(state, query.weights)
    sources = Sources.of(state)
    ranking = rank(sources, terms, query, k=k, prefer=prefer, accepts=accepts)
    describe = _Describer(sources, terms, query, ranking.files)
    hits = [describe.hit(file) for file in ranking.files]
    unknown = tuple(term.term for term in terms if not term.df and not len(sources.files_with(term)))
    return SearchResult(
        hits=hits,
        terms=tuple(query.weights),
        unknown=unknown,
        matching_chunks=ranking.matching_chunks,
        matching_files=ranking.matching_files,
        coverage=coverage,
        top_scores=ranking.top_scores,
        suggestions=near_terms(state, unknown) if unknown else (),
        hops=hops_of(sources, ranking.files, query),
    )


class _Describer:
    """Turns ranked files into hits; the terms of all shown chunks are looked up together."""

    def __init__(self, sources: Sources, terms: Sequence[TermPostings], query: Query, files: Sequence[RankedFile]) -> None:
        self._sources = sources
        self._terms = sorted(terms, key=lambda term: (-term.idf, term.term))
        self._times = Counter(query.tokens)
        self._name = query.name
        self._told = {term.term: term.weight * term.idf for term in terms}
        state = sources.state
        self._average = state.length / state.n_docs if state.n_docs else 0.0
        self._in_path = {term.term: _in_path(sources, term, files) for term in terms}
        self._frequencies = sources.frequencies(self._terms, [(f.source, doc) for f in files for doc in self._docs_of(f)])

    def _docs_of(self, file: RankedFile) -> Sequence[int]:
        """Return the chunks that a hit speaks of: the best ones, or the first if only the path matches."""
        return file.docs or [self._sources.first_doc(file.file)]

    def hit(self, file: RankedFile) -> Hit:
        """Describe a file by its best chunk."""
        doc, *others = self._docs_of(file)
        if doc < 0:
            return Hit(file.path, 1, 1, file.score, 0.0, (), self._matched(file, doc))
        place = self._sources.place(file.source, doc)
        bm25 = self._bm25(file.source, doc)
        strong = [other for other in others if self._bm25(file.source, other) >= _ALSO_RATIO * bm25]
        also = tuple(self._sources.span(file.source, other) for other in strong)
        symbols = best_first(place.symbols, self._told, self._name)
        start, end = span_of(symbols, self._name, place.start, place.end)
        return Hit(file.path, start, end, file.score, bm25, symbols, self._matched(file, doc), also)

    def _bm25(self, source: int, doc: int) -> float:
        """Return BM25Okapi's score of a chunk for the query's tokens, repeats counted."""
        norm = K1 * (1 - B + B * self._sources.length(source, doc) / self._average) if self._average else K1
        found = zip(self._terms, self._frequencies[source, doc], strict=True)
        return sum(self._times[term.term] * term.idf * (tf * (K1 + 1) / (tf + norm)) for term, tf in found if tf)

    def _matched(self, file: RankedFile, doc: int) -> tuple[str, ...]:
        """Return the query terms that the chunk or the path holds, rarest first."""
        found = zip(self._terms, self._frequencies[file.source, doc], strict=True)
        return tuple([term.term for term, tf in found if tf or file.file in self._in_path[term.term]])


def _in_path(sources: Sources, term: TermPostings, ranked: Sequence[RankedFile]) -> frozenset[int]:
    """Return which of some files have a term in their path."""
    files, _ = sources.path_gain(term)
    if not len(files) or not ranked:
        return frozenset()
    wanted = np.asarray([file.file for file in ranked])
    is_in = files.take(files.searchsorted(wanted), mode="clip") == wanted
    return frozenset(wanted[is_in].tolist())
