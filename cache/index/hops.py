"""Where to look next: definitions that the hits refer to. Pure.

The graph is the index's own: a chunk refers to a definition if it holds the definition's whole name as a token. Names that
few chunks define and the query does not hold are ranked by the idf of the reference and by how many hits refer to them.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from .bm25 import term_postings
from .ranking import RankedFile
from .sources import Sources
from .values import Hop

_HITS: Final = 5
_NAMES_PER_HIT: Final = 12
_MAX_LOOKED_UP: Final = 24
_MAX_DEFINERS: Final = 3
_MIN_CHARS: Final = 4
_HOPS: Final = 3


def hops_of(sources: Sources, files: Sequence[RankedFile], query_terms: frozenset[str]) -> tuple[Hop, ...]:
    """Return the definitions that the first hits refer to, most telling first."""
    shown = {(file.source, file.docs[0]) for file in files[:_HITS] if file.docs}
    weights: dict[str, float] = {}
    for rank, file in enumerate(files[:_HITS]):
        if file.docs:
            for name, idf in _rare_names(sources, file.source, file.docs[0]):
                if name not in query_terms and len(name) >= _MIN_CHARS:
                    weights[name] = weights.get(name, 0.0) + idf / (1 + rank)
    hops: list[Hop] = []
    for name in sorted(weights, key=lambda name: (-weights[name], name))[:_MAX_LOOKED_UP]:
        hop = _definition(sources, name, shown)
        if hop is not None and all((hop.path, hop.start) != (other.path, other.start) for other in hops):
            hops.append(hop)
            if len(hops) == _HOPS:
                break
    return tuple(hops)


def _rare_names(sources: Sources, source: int, doc: int) -> list[tuple[str, float]]:
    """Return the rarest terms of a chunk that name a definition somewhere, with their idf in their own source."""
    state = sources.state
    if source == len(state.segments):
        frequencies = state.delta.document_frequencies
        held = [(frequencies[term], term) for term in state.delta.documents[doc].chunk.terms]
        total = max(1, len(state.delta.documents))
        return [(term, math.log(1 + total / df)) for df, term in sorted(held)[:_NAMES_PER_HIT]]
    segment = state.segments[source].segment
    ids = segment.doc_terms(doc)
    df = segment.post_ptr[ids + 1] - segment.post_ptr[ids]
    is_name = (segment.sym_ptr[ids + 1] > segment.sym_ptr[ids]) & (df > 1) & (df <= max(2, math.isqrt(segment.n_docs)))
    order = np.argsort(df[is_name], kind="stable")[:_NAMES_PER_HIT]
    chosen = zip(ids[is_name][order].tolist(), df[is_name][order].tolist(), strict=True)
    return [(segment.term(tid), math.log(1 + segment.n_docs / count)) for tid, count in chosen]


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
