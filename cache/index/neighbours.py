"""What a file is tied to: the files that it imports, those that import it, those that call what it defines. Pure.

The edges out of the file come from the caller, who has just read it; the edges into it are the index's own. A file that
imports it holds its name among its imports, and each such import is resolved. A call is told by its name alone, so it counts
where the name is defined in this file and nowhere else, and the calling file imports this one or the name is no everyday word.
"""

from collections.abc import Callable, Sequence
from typing import Final

from .bm25 import term_postings
from .hops import places_of
from .modules import module_names
from .named import own_name
from .neighbour import FileOutline, Neighbour, Neighbours, Ties
from .resolve import ImportResolver
from .sources import Sources
from .tokenise import expand_word

_MAX_IMPORTERS: Final = 400
"""Files whose imports are resolved, nearest kinds first; each takes some 30 µs."""
_MAX_NAMES: Final = 80
_MAX_CALLS: Final = 200
"""A name that more chunks call, in files that do not import this one, is called by everybody."""
_MIN_CHARS: Final = 4
_COMPOUND: Final = 3
"""Tokens of a name that is put together: itself and two parts."""


def neighbours_of(sources: Sources, file: FileOutline, check: Callable[[], object]) -> Neighbours:
    """Return all that the index knows of a file's neighbours; `check` may raise to end it."""
    resolver = ImportResolver(sources)
    imports = [path for one in file.imports for path in resolver.files_of(one, file.path)]
    importers, is_capped = _importers(sources, resolver, file.path, check)
    callers = _callers(sources, file, importers, check)
    return Neighbours(
        Ties(tuple(Neighbour(path) for path in dict.fromkeys(imports))),
        Ties(tuple(Neighbour(path) for path in importers), is_capped=is_capped),
        Ties(tuple(Neighbour(path, names) for path, names in callers)),
    )


def _importers(sources: Sources, resolver: ImportResolver, path: str, check: Callable[[], object]) -> tuple[list[str], bool]:
    """Return the files that import `path`, source before tests, and whether some that may do were not looked at."""
    last = {name.rpartition("/")[2] for name in module_names(path)[1:]}
    found = sorted({file for name in last for file in sources.files_importing(name)}, key=lambda file: int(sources.kinds[file]))
    ordered = sorted((int(sources.kinds[file]), sources.path(file), file) for file in found[:_MAX_IMPORTERS])
    importers: list[str] = []
    for _, importer, file in ordered:
        check()
        told = [one for one in sources.imports(file) if any(name in one[0] or name in one[1] for name in last)]
        if importer != path and any(path in resolver.files_of(one, importer) for one in told):
            importers.append(importer)
    return importers, len(found) > len(ordered)


def _callers(
    sources: Sources, file: FileOutline, importers: Sequence[str], check: Callable[[], object]
) -> list[tuple[str, tuple[str, ...]]]:
    """Return the files that call what is defined in the file, and which names, those that call most first."""
    tied, called = frozenset(importers), dict[int, list[str]]()
    for name in dict.fromkeys(file.names[:_MAX_NAMES]):
        check()
        token = own_name(name)
        places = places_of(sources, token) if len(token) >= _MIN_CHARS else []
        if not places or any(sources.path(sources.file_of(*place)) != file.path for place in places):
            continue
        chunks = [(source, doc) for source, docs in sources.callers(term_postings(sources.state, token)) for doc in docs.tolist()]
        is_telling = len(expand_word(name)) >= _COMPOUND and len(chunks) <= _MAX_CALLS
        for one in dict.fromkeys(sources.file_of(*chunk) for chunk in chunks):
            path = sources.path(one)
            if path != file.path and (is_telling or path in tied):
                called.setdefault(one, []).append(name)
    order = sorted(called, key=lambda one: (int(sources.kinds[one]) > 0, -len(called[one]), sources.path(one)))
    return [(sources.path(one), tuple(called[one])) for one in order]
