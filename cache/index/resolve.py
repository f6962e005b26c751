"""Imports -> the one file of the workspace that each brings in, or none where that is not sure. Pure.

Stricter than `modules`, which looks for places worth a look: here an answer is told as a fact. A relative import names its file
exactly. Any other is the file whose path ends like it, if that says two parts of a path or more and nothing else is as near;
a single name is a file beside the importing one or at the root, never one somewhere else that is called like a library.
"""

import re
from collections.abc import Sequence
from posixpath import commonprefix, dirname
from typing import Final

import numpy as np

from .bm25 import term_postings
from .catalog import key_of
from .chunk import Import
from .modules import module_names, module_path
from .sources import Sources
from .tokenise import expand_word, words_of

_MAX_FILES: Final = 500
_LISTED: Final = re.compile(r"\{.*", re.DOTALL)
_BUILT: Final = re.compile(r"\.[cm]?jsx?$")
"""A TypeScript file is imported by the name of the script that it becomes."""
_SCRIPTS: Final = ("ts", "tsx", "d.ts", "js", "jsx", "mts", "cts", "mjs", "cjs", "vue", "svelte", "json")
_PYTHON: Final = ("py", "pyi")
_ENTRIES: Final = {"index": _SCRIPTS, "__init__": _PYTHON}
_HEADER: Final = re.compile(r"\.(h|hh|hpp|hxx|inc)$")
_DOTTED: Final = re.compile(r"\.*[\w.]*")
_LEAST_PARTS: Final = 2


class ImportResolver:
    """Finds the files of imports over one state; remembers what it has looked up, so it is made anew for each question."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._named: dict[str, list[str]] = {}

    def files_of(self, one: Import, importer: str) -> list[str]:
        """Return the files that an import of the file `importer` brings in, as far as they are sure."""
        module = (_LISTED.sub("", one[0]).rstrip(":") or one[0]).strip("\"'`<>; ")
        names = one[1]
        parts = [self._file(below, importer) for below in _submodules(module, names, importer)]
        found = [part for part in parts if part is not None]
        if not parts or len(found) < len(parts):
            whole = self._file(module, importer) or self._file(_outer(module), importer)
            if whole is not None:
                found.insert(0, whole)
        return [file for file in dict.fromkeys(found) if file != importer]

    def _file(self, module: str, importer: str) -> str | None:
        """Return the file of a module, None if there is none or another is as likely."""
        path = module_path(module, importer) if module else ""
        if not path or path.startswith("../"):
            return None
        if module.startswith("."):
            return self._first_of(_spellings(path, importer))
        fitting = [one for one in self._paths_with(path) if _is_sure(one, path, importer)]
        ranked = sorted((_distance(one, importer), one) for one in fitting)
        if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
            return None
        return ranked[0][1]

    def _first_of(self, paths: Sequence[str]) -> str | None:
        """Return the first path that is indexed."""
        keys = np.fromiter(map(key_of, paths), np.int64, len(paths))
        known = self._sources.state.catalog.positions(keys)[1].nonzero()[0]
        return paths[int(known[0])] if len(known) else None

    def _paths_with(self, path: str) -> list[str]:
        """Return the live paths with the last name of a module in them; none if very many have it."""
        base = path.rpartition("/")[2].partition(".")[0]
        tokens = [token for word in words_of(base) for token in expand_word(word)[:1]]
        if not tokens:
            return []
        found = self._named.get(tokens[-1])
        if found is None:
            files = self._sources.files_with(term_postings(self._sources.state, tokens[-1]))
            found = [self._sources.path(file) for file in files.tolist()] if len(files) <= _MAX_FILES else []
            self._named[tokens[-1]] = found
        return found


def _submodules(module: str, names: Sequence[str], importer: str) -> list[str]:
    """Return the names of a Python import as modules, which they may be."""
    if not importer.endswith((".py", ".pyi")) or not _DOTTED.fullmatch(module):
        return []
    return [f"{module}{name}" if module.endswith(".") else f"{module}.{name}" for name in names]


def _outer(module: str) -> str:
    """Return a module less its last part, where that may be a name taken from it; "" where it may not."""
    for mark in ("::", "."):
        if mark in module and "/" not in module and not module.startswith(".") and not _HEADER.search(module):
            outer = module.rpartition(mark)[0]
            return outer if len(outer.split(mark)) >= _LEAST_PARTS else ""
    return ""


def _spellings(path: str, importer: str) -> list[str]:
    """Return the files that a relative import may mean, in the order in which its language looks for them."""
    own = importer.rpartition(".")[2]
    for entry, family in _ENTRIES.items():
        if own in family:
            bare = path if family is _PYTHON else _BUILT.sub("", path)
            return [path, *(f"{bare}.{one}" for one in family), *(f"{bare}/{entry}.{one}" for one in family)]
    return [path, f"{path}.{own}"]


def _is_sure(file: str, path: str, importer: str) -> bool:
    """Whether a file is what an import that is not relative means, seen by itself."""
    called = module_names(file)
    if "/" in path or _HEADER.search(path):
        return any(one == path or one.endswith("/" + path) for one in called)
    beside = dirname(importer)
    return path in called or (f"{beside}/{path}" if beside else path) in called


def _distance(file: str, importer: str) -> tuple[int, bool]:
    """Order the files that an import may mean: those that share most folders with the importing file and are of its language."""
    shared = commonprefix([file.split("/")[:-1], importer.split("/")[:-1]])
    return -len(shared), file.rpartition(".")[2] != importer.rpartition(".")[2]
