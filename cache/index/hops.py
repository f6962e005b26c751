"""Where to look next: what the hits call, import and mention, and what calls them. Pure.

The graph is the index's own. A chunk calls what its parser saw called in it, and mentions whatever it holds the whole name
of; a file imports modules, which are files where a path ends like them. A name leads to its definition: among several the
one in the same file or in an imported one, and none if that does not decide. Names are ranked by their idf, by how they are
tied to the hit and by the hit's rank.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from .bm25 import term_postings
from .modules import files_of_module, names_of
from .named import best_first, own_name
from .query import Query
from .ranking import RankedFile
from .sources import Sources
from .values import Hop, Relation

_HITS: Final = 5
_NAMES_PER_HIT: Final = 16
_MAX_LOOKED_UP: Final = 24
_MAX_DEFINERS: Final = 3
_MAX_CANDIDATES: Final = 50
"""A name that more chunks define is not looked at, even with imports that might decide."""
_MAX_CALLERS: Final = 500
_MIN_CHARS: Final = 4
_HOPS: Final = 4
_TIES: Final = {Relation.CALLS: 1.5, Relation.IMPORTS: 1.25, Relation.MENTIONS: 0.75}

Chunk = tuple[int, int]
"""(source, document)."""


@dataclass(slots=True)
class _Lead:
    """A name that hits hold."""

    relation: Relation
    weight: float = 0.0
    files: set[int] = field(default_factory=set[int])
    """The hits' files that hold it."""
    modules: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """(module it is imported from, file that does)."""


def hops_of(sources: Sources, files: Sequence[RankedFile], query: Query) -> tuple[Hop, ...]:
    """Return where the first hits lead, most telling first; one place of a caller is kept for the first hit."""
    shown = {(file.source, file.docs[0]) for file in files if file.docs}
    caller = _caller(sources, files, query, shown)
    hops: list[Hop] = []
    for name, lead in _leads(sources, files[:_HITS], query):
        hop = _definition(sources, name, lead, shown)
        if hop is not None and all((hop.path, hop.start) != (other.path, other.start) for other in hops):
            hops.append(hop)
            if len(hops) == _HOPS - (caller is not None):
                break
    return (*hops, caller) if caller is not None else tuple(hops)


def _leads(sources: Sources, files: Sequence[RankedFile], query: Query) -> list[tuple[str, _Lead]]:
    """Return the names that the best chunks of the files hold, most telling first."""
    leads: dict[str, _Lead] = {}
    for rank, file in enumerate(files):
        if not file.docs:
            continue
        imported = names_of(sources.imports(file.file))
        for name, idf, is_called in _names(sources, file.source, file.docs[0]):
            if name in query.weights or len(name) < _MIN_CHARS:
                continue
            modules = imported.get(name, ())
            relation = Relation.CALLS if is_called else Relation.IMPORTS if modules else Relation.MENTIONS
            lead = leads.setdefault(name, _Lead(relation))
            lead.relation = max(relation, lead.relation, key=_TIES.__getitem__)
            lead.weight += _TIES[relation] * idf / (1 + rank)
            lead.files.add(file.file)
            lead.modules.update((module, file.path) for module in modules)
    return sorted(leads.items(), key=lambda item: (-item[1].weight, item[0]))[:_MAX_LOOKED_UP]


def _names(sources: Sources, source: int, doc: int) -> list[tuple[str, float, bool]]:
    """Return the rarest terms of a chunk that name a definition: term, idf in its own source, whether it is called here."""
    state = sources.state
    if source == len(state.segments):
        file, place = state.delta.owner_of(doc)
        names, total = file.terms(), max(1, state.delta.n_docs)
        numbers = {names[row]: file.number_at(row) for row in file.rows_of(place)}
        df = {name: sum(one.file.frequency(one.row) for one in state.delta.find(number)) for name, number in numbers.items()}
        held = sorted(df, key=lambda name: (df[name], name))[:_NAMES_PER_HIT]
        return [(name, math.log(1 + total / df[name]), place in file.callers(numbers[name])) for name in held]
    segment = state.segments[source].segment
    ids = segment.doc_terms(doc)
    df = segment.post_ptr[ids + 1] - segment.post_ptr[ids]
    is_name = (segment.sym_ptr[ids + 1] > segment.sym_ptr[ids]) & (df > 1) & (df <= max(2, math.isqrt(segment.n_docs)))
    order = np.argsort(df[is_name], kind="stable")[:_NAMES_PER_HIT]
    found: list[tuple[str, float, bool]] = []
    for tid, count in zip(ids[is_name][order].tolist(), df[is_name][order].tolist(), strict=True):
        is_called = doc in segment.call_docs(tid).tolist()
        found.append((segment.term(tid), math.log(1 + segment.n_docs / count), is_called))
    return found


def _definition(sources: Sources, name: str, lead: _Lead, shown: set[Chunk]) -> Hop | None:
    """Return the definition of a whole name, None if it is shown already or among several that nothing decides between."""
    places = places_of(sources, name)
    if len(places) > 1:
        near = set(lead.files)
        near.update(file for module, path in sorted(lead.modules) for file in files_of_module(sources, module, path))
        # The file itself first: a name of its own hides an imported one.
        places = [place for place in places if sources.file_of(*place) in near] or places
    if len(places) > _MAX_DEFINERS or any(place in shown for place in places):
        return None
    for source, doc in places:
        hop = _hop(sources, source, doc, name, lead.relation)
        if hop is not None:
            return hop
    return None


def places_of(sources: Sources, name: str) -> list[Chunk]:
    """Return the chunks that define this very name, none if very many have it as a part."""
    term = term_postings(sources.state, name)
    found = [(source, doc) for source, docs in sources.definers(term) for doc in docs[: _MAX_CANDIDATES + 1].tolist()]
    if len(found) > _MAX_CANDIDATES:
        return []
    return [place for place in found if sources.defines(*place, name)]


def _hop(sources: Sources, source: int, doc: int, name: str, relation: Relation) -> Hop | None:
    place = sources.place(source, doc)
    for symbol in place.symbols:
        if own_name(symbol.name) == name:
            end = symbol.end if symbol.end >= symbol.line else place.end
            return Hop(relation, sources.path(sources.file_of(source, doc)), symbol.line, end, symbol.kind, symbol.name)
    return None


def _caller(sources: Sources, files: Sequence[RankedFile], query: Query, shown: set[Chunk]) -> Hop | None:
    """Return a chunk that calls what the first hit defines, source before tests; None if its name is not its own."""
    if not files or not files[0].docs:
        return None
    symbols = best_first(sources.place(files[0].source, files[0].docs[0]).symbols, query.weights, query.name)
    name = own_name(symbols[0].name) if symbols else ""
    if len(name) < _MIN_CHARS or len(places_of(sources, name)) != 1:
        return None
    found = sources.callers(term_postings(sources.state, name))
    chunks = [(source, doc) for source, docs in found for doc in docs[:_MAX_CALLERS].tolist() if (source, doc) not in shown]
    best = min(chunks, key=lambda chunk: _order(sources, *chunk), default=None)
    if best is None:
        return None
    place = sources.place(*best)
    told = place.symbols[0] if place.symbols else None
    path = sources.path(sources.file_of(*best))
    return Hop(Relation.CALLED_BY, path, place.start, place.end, told.kind if told else "", told.name if told else "")


def _order(sources: Sources, source: int, doc: int) -> tuple[int, str, int]:
    file = sources.file_of(source, doc)
    return int(sources.kinds[file]), sources.path(file), doc
