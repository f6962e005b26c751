"""Imports -> files of the workspace: what an import brings in, and which files its module may be. Pure.

No language's search path is followed: a module is a file whose path ends like it, and of several those are taken that share
most of their path with the importing file. A relative module starts from the importing file's folder.
"""

import re
from collections.abc import Sequence
from posixpath import commonprefix, dirname, join, normpath
from typing import Final

from .bm25 import term_postings
from .chunk import Import
from .sources import Sources
from .tokenise import expand_word, words_of

_MAX_FILES: Final = 500
"""A last part that more paths hold ("utils") is not looked at."""
_NEAREST: Final = 2
_DOTS: Final = re.compile(r"^(\.+)([\w.]*)$")
_LISTED: Final = re.compile(r"\{.*", re.DOTALL)
_ENTRY_NAMES: Final = frozenset({"__init__", "index", "mod", "lib", "main"})
"""Files that stand for their folder."""


def names_of(imports: Sequence[Import]) -> dict[str, list[str]]:
    """Return the modules that each imported name comes from, by the token of the name."""
    found: dict[str, list[str]] = {}
    for text, names in imports:
        module = _LISTED.sub("", text).rstrip(":./ ") or text
        listed = [*names, *words_of(text[len(module) :])] or words_of(text)[-1:]
        for name in listed:
            for token in expand_word(name)[:1]:
                found.setdefault(token, []).append(module)
    return found


def files_of_module(sources: Sources, module: str, importer: str) -> list[int]:
    """Return the file numbers that a module may be, seen from the importing file; none if its name says too little."""
    path = module_path(module, importer)
    tokens = [token for word in words_of(path.rpartition("/")[2].partition(".")[0]) for token in expand_word(word)[:1]]
    if not tokens:
        return []
    files = sources.files_with(term_postings(sources.state, tokens[-1]))
    if not 0 < len(files) <= _MAX_FILES:
        return []
    named = [(sources.path(file), file) for file in files.tolist()]
    fitting = [(one, file) for one, file in named if is_module(one, path)]
    fitting.sort(key=lambda pair: (-len(commonprefix([pair[0], importer])), pair[0]))
    return [file for _, file in fitting[:_NEAREST]]


def module_path(module: str, importer: str) -> str:
    """Return a module as the end of a path, without its extension where it is dotted."""
    module = module.strip("\"'`<>; ")
    dots = _DOTS.match(module)
    if dots and "/" not in module:
        up = "../" * (len(dots[1]) - 1)
        return normpath(join(dirname(importer), up, dots[2].replace(".", "/")))
    if module.startswith("."):
        return normpath(join(dirname(importer), module))
    if "/" in module or re.search(r"\.(h|hh|hpp|hxx|css|rb|php|sh)$", module):
        return module.strip("/")
    parts = [part for part in re.split(r"::|\.|\\", module) if part not in ("", "crate", "self", "super")]
    return "/".join(parts)


def is_module(path: str, module: str) -> bool:
    """Whether a file may be the module: its path ends like it, with any extension, or it is the entry of such a folder."""
    return any(one == module or one.endswith("/" + module) for one in module_names(path))


def module_names(path: str) -> list[str]:
    """Return what a file is called from the root: its path, that without extension, its folder if it is the entry of that."""
    folder, _, base = path.rpartition("/")
    stem = base.removesuffix(".d.ts") if base.endswith(".d.ts") else base.rpartition(".")[0] or base
    names = [path, f"{folder}/{stem}" if folder else stem]
    if stem in _ENTRY_NAMES and folder:
        names.append(folder)
    return names
