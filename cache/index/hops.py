"""Where to look next: definitions that the hits refer to. Pure.

The graph is the index's own: a chunk refers to a definition if it holds the definition's whole name as a token. Names that
few chunks define and the query does not hold are ranked by the idf of the reference and by how many hits refer to them.
"""

import math
from collections.abc import Sequence
from typing import Final

from .bm25 import TermPostings, term_postings
from .ranking import RankedFile
from .sources import Sources
from .values import Hop

_HITS: Final = 5
_TERMS_PER_HIT: Final = 120
_MAX_DEFINERS: Final = 3
_MIN_CHARS: Final = 4
_HOPS: Final = 3


def hops_of(sources: Sources, files: Sequence[RankedFile], query_terms: frozenset[str]) -> tuple[Hop, ...]:
    """Return the definitions that the first hits refer to, most telling first."""
    shown = {(file.source, file.docs[0]) for file in files[:_HITS] if file.docs}
    weights: dict[str, float] = {}
    for rank, file in enumerate(files[:_HITS]):
        if file.docs:
            for term in _rare_terms(sources, file.source, file.docs[0], query_terms):
                weights[term.term] = weights.get(term.term, 0.0) + term.idf / (1 + rank)
    hops: list[Hop] = []
    for name in sorted(weights, key=lambda name: (-weights[name], name)):
        hop = _definition(sources, name, shown)
        if hop is not None and all((hop.path, hop.start) != (other.path, other.start) for other in hops):
            hops.append(hop)
            if len(hops) == _HOPS:
                break
    return tuple(hops)


def _rare_terms(sources: Sources, source: int, doc: int, query_terms: frozenset[str]) -> list[TermPostings]:
    """Return the terms of a chunk that some chunk is named after, rarest first, query terms left out."""
    state = sources.state
    if source == len(state.segments):
        names = [term for term in state.delta.documents[doc].chunk.terms if len(term) >= _MIN_CHARS]
    else:
        segment = state.segments[source].segment
        ids = segment.doc_terms(doc)
        is_defined = segment.sym_ptr[ids + 1] > segment.sym_ptr[ids]
        names = [term for term in (segment.term(int(tid)) for tid in ids[is_defined]) if len(term) >= _MIN_CHARS]
    terms = [term_postings(state, name) for name in names if name not in query_terms]
    limit = max(2, math.isqrt(state.n_docs))
    rare = [term for term in terms if 1 < term.df <= limit]
    return sorted(rare, key=lambda term: (-term.idf, term.term))[:_TERMS_PER_HIT]


def _definition(sources: Sources, name: str, shown: set[tuple[int, int]]) -> Hop | None:
    """Return the definition of a whole name, if few chunks define it and none of them is shown already."""
    term = term_postings(sources.state, name)
    places = [(source, doc) for source, docs in sources.definers(term) for doc in docs[: _MAX_DEFINERS + 1].tolist()]
    if not 0 < len(places) <= _MAX_DEFINERS or any(place in shown for place in places):
        return None
    for source, doc in places:
        place = sources.place(source, doc)
        for symbol in place.symbols:
            if symbol.name.lower().strip("_") == name:
                return Hop(sources.path(_file_of(sources, source, doc)), place.start, place.end, symbol.kind, symbol.name)
    return None


def _file_of(sources: Sources, source: int, doc: int) -> int:
    if source == len(sources.state.segments):
        return int(sources.delta_owner[doc])
    return int(sources.state.segments[source].segment.doc_file[doc]) + sources.starts[source]
