"""One query against one state: parse, score, rank, describe. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import InvalidArgument
from .bm25 import CorpusScores, TermPostings, score
from .chunk import Symbol
from .confidence import entropy_of
from .ranking import RankedFile, rank
from .state import IndexState
from .suggest import near_terms
from .tokenise import expand_word, words_of
from .values import Coverage, Hit, Prefer, SearchResult

MAX_QUERY_CHARS: Final = 4_096
"""A question is a sentence, an issue text a page; more is data that belongs into a file."""
MAX_TERMS: Final = 256
_MAX_ALSO: Final = 3
_ALSO_RATIO: Final = 0.5


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query as the index takes it."""

    text: str
    terms: Counter[str]
    """Token -> how often it stands in the query, in order of appearance."""
    words: tuple[str, ...]


def parse_query(text: str) -> ParsedQuery:
    """Tokenise a query.

    Raises:
        InvalidArgument: It is too long, or holds no token.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise InvalidArgument(
            f"query has {len(text):,} characters, the limit is {MAX_QUERY_CHARS:,}",
            why="a query is words to look for",
            next_call="name the few words or identifiers that matter; compress(source=…) takes long texts",
        )
    words = tuple(words_of(text))
    terms: Counter[str] = Counter()
    for word in words:
        if len(terms) >= MAX_TERMS:
            break
        terms.update(expand_word(word))
    if not terms:
        raise InvalidArgument(
            "there is nothing to search for in this query",
            why="it holds no word but stop words, single letters and punctuation",
            next_call='name an identifier or a few words, e.g. search(query="parse config file")',
        )
    return ParsedQuery(text, terms, words)


def raw_scores(state: IndexState, tokens: Sequence[str]) -> list[float]:
    """Return the BM25Okapi score of every live document, in the order of `documents_of`."""
    scored = score(state, Counter(tokens))
    values: list[float] = []
    for number, source in enumerate(scored.sources):
        mask = state.segments[number].is_live_doc if number < len(state.segments) else None
        values.extend((source.scores if mask is None else source.scores[mask]).tolist())
    return values


def search(
    state: IndexState,
    query: ParsedQuery,
    coverage: Coverage,
    *,
    k: int,
    accepts: Callable[[str], bool] | None,
    prefer: Prefer,
) -> SearchResult:
    """Answer a query from one state."""
    scored = score(state, dict.fromkeys(query.terms, 1.0))
    ranking = rank(state, scored, prefer=prefer, accepts=accepts)
    hits = [_hit(state, file, scored) for file in ranking.files[:k]]
    unknown = tuple(term.term for term in scored.terms if not any(tid is not None for tid in term.ids) and not term.df)
    return SearchResult(
        hits=hits,
        terms=tuple(query.terms),
        unknown=unknown,
        matching_chunks=ranking.matching_chunks,
        matching_files=ranking.matching_files,
        coverage=coverage,
        entropy=entropy_of([file.score for file in ranking.files[:50]]),
        suggestions=near_terms(state, unknown) if unknown else (),
    )


def _hit(state: IndexState, file: RankedFile, scored: CorpusScores) -> Hit:
    if not file.docs:
        start, end, symbols, _ = _chunk(state, file.source, _first_doc(state, file))
        return Hit(file.path, start, end, file.score, 0.0, symbols, _matched(state, file, -1, scored.terms))
    start, end, symbols, doc = _chunk(state, file.source, file.docs[0])
    also: list[tuple[int, int]] = []
    for other, value in zip(file.docs[1:], file.bm25[1:], strict=True):
        if len(also) == _MAX_ALSO or value < _ALSO_RATIO * file.bm25[0]:
            break
        first, last, _, _ = _chunk(state, file.source, other)
        also.append((first, last))
    return Hit(file.path, start, end, file.score, file.bm25[0], symbols, _matched(state, file, doc, scored.terms), tuple(also))


def _first_doc(state: IndexState, file: RankedFile) -> int:
    """Return the first chunk of a file, -1 if it has none."""
    if file.source < len(state.segments):
        segment = state.segments[file.source].segment
        file_id = segment.paths().index(file.path)
        return int(segment.file_doc[file_id]) if segment.file_doc[file_id] < segment.file_doc[file_id + 1] else -1
    return next((i for i, one in enumerate(state.delta.documents) if one.file.row.path == file.path), -1)


def _chunk(state: IndexState, source: int, doc: int) -> tuple[int, int, tuple[Symbol, ...], int]:
    if doc < 0:
        return 1, 1, (), doc
    if source < len(state.segments):
        segment = state.segments[source].segment
        return int(segment.doc_start[doc]), int(segment.doc_end[doc]), segment.symbols(doc), doc
    chunk = state.delta.documents[doc].chunk
    return chunk.start, chunk.end, chunk.symbols, doc


def _matched(state: IndexState, file: RankedFile, doc: int, terms: Sequence[TermPostings]) -> tuple[str, ...]:
    """Return the query terms that the chunk or the path holds, rarest first."""
    in_path = {token for word in words_of(file.path) for token in expand_word(word)}
    found = [term for term in terms if term.term in in_path or (doc >= 0 and _holds(state, file.source, doc, term))]
    return tuple(term.term for term in sorted(found, key=lambda term: (-term.idf, term.term)))


def _holds(state: IndexState, source: int, doc: int, term: TermPostings) -> bool:
    if source == len(state.segments):
        return term.term in state.delta.documents[doc].chunk.terms
    tid = term.ids[source]
    if tid is None:
        return False
    segment = state.segments[source].segment
    terms = segment.doc_terms(doc)
    position = int(terms.searchsorted(tid))
    return position < len(terms) and int(terms[position]) == tid
