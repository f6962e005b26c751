"""The structure of any file: its language, definitions, imports, calls.

Every function takes a path (for the name alone; nothing is opened) and the bytes of the file, returns plain picklable values
and never raises for any input: what a grammar cannot read within its limits is outlined from its lines, labelled so. Meant to
be called by dotted name in a worker process: parsing holds the interpreter lock.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ..cache.workspace.text import decode
from .grammar.comments import CompactText, compact_code, unchanged
from .grammar.component import component_outline
from .grammar.definition import MEMBER_KINDS, Outline
from .grammar.detect import is_code, language_name
from .grammar.extract import extract
from .grammar.keyed import ini_outline, toml_outline, yaml_outline
from .grammar.lineguess import guess_outline
from .grammar.logscan import log_outline
from .grammar.macros import without_macros
from .grammar.markup import xml_outline
from .grammar.parsing import MAX_PARSE_BYTES, PARSE_TIMEOUT_S, ParseRefused, parse
from .grammar.prose import markdown_outline, rst_outline, text_outline
from .grammar.shape import json_outline, ndjson_outline, notebook_outline
from .grammar.sqlscan import sql_outline
from .grammar.table import LANGUAGE_BY_NAME
from .grammar.tabular import csv_outline, tsv_outline

SCANNERS: Final[Mapping[str, Callable[[bytes], Outline]]] = {
    "markdown": markdown_outline,
    "rst": rst_outline,
    "text": text_outline,
    "json": json_outline,
    "ndjson": ndjson_outline,
    "notebook": notebook_outline,
    "yaml": yaml_outline,
    "toml": toml_outline,
    "ini": ini_outline,
    "csv": csv_outline,
    "tsv": tsv_outline,
    "sql": sql_outline,
    "log": log_outline,
    "xml": xml_outline,
}
"""Formats that are scanned without a grammar."""
_MAX_SCAN_BYTES: Final = 4_000_000
_COMPONENTS: Final = frozenset({"vue", "svelte"})
_GUESSED: Final = frozenset({"block", "paragraph"})
_WITH_MACROS: Final = frozenset({"c", "cpp"})
_WORDS: Final = frozenset({"markdown", "rst", "text"})


def language_of(path: str, data: bytes = b"") -> str | None:
    """Name the language or format of a file, or None. The first 20 KB of `data` are enough."""
    return language_name(path, data)


def is_code_language(language: str | None) -> bool:
    """Say whether `language` is a programming language (an outline of it is one of definitions)."""
    return is_code(language)


def outline(path: str, data: bytes, with_calls: bool = False, timeout_s: float = PARSE_TIMEOUT_S) -> Outline:
    """Return the outline of a file; `fallback` says why when it is not the grammar's own."""
    return _outline(path, data, with_calls=with_calls, spans_only=False, timeout_s=timeout_s)


def _outline(path: str, data: bytes, *, with_calls: bool, spans_only: bool, timeout_s: float) -> Outline:
    data = _readable(data)
    name = language_name(path, data)
    try:
        found = _structure(name, data, timeout_s, with_calls=with_calls, spans_only=spans_only)
    except ParseRefused as refusal:
        return guess_outline(name, data, str(refusal))
    except Exception as error:  # the boundary to grammars and scanners: a fault in one must cost the outline, not the call
        return guess_outline(name, data, f"the outline of {name} failed ({type(error).__name__})")
    if found.definitions or not data.strip():
        return found
    # A script without functions, prose without headings: lines say more than nothing.
    guessed = text_outline(data) if name in _WORDS else guess_outline(name, data, "no definitions found")
    return replace(guessed, language=name, imports=found.imports, exports=found.exports)


def _structure(name: str | None, data: bytes, timeout_s: float, *, with_calls: bool, spans_only: bool) -> Outline:
    language = LANGUAGE_BY_NAME.get(name or "")
    if language is not None:
        parsed = parse(language, without_macros(data) if name in _WITH_MACROS else data, timeout_s=timeout_s)
        return extract(language, parsed, data, with_calls=with_calls, spans_only=spans_only)
    if name in _COMPONENTS:
        return component_outline(name, data, timeout_s=timeout_s, with_calls=with_calls)
    if name not in SCANNERS:
        raise ParseRefused(f"no grammar for {name}" if name else "unknown language")
    if len(data) > _MAX_SCAN_BYTES:
        raise ParseRefused(f"larger than {_MAX_SCAN_BYTES:,} bytes")
    return SCANNERS[name](data)


Span = tuple[str, str, int, int, int]
"""(kind, name, start line, end line, depth)."""


def structure(path: str, data: bytes) -> tuple[list[Span], list[tuple[str, int, int]], list[tuple[str, tuple[str, ...]]]]:
    """Return what an index keeps of a file beside its words: definitions, calls, imports.

    The definitions are those of `definitions`; a call is (name, start line, end line) of the definition that makes it; an
    import is (module, names), as written.
    """
    found = _outline(path, data, with_calls=True, spans_only=True, timeout_s=PARSE_TIMEOUT_S)
    calls = [(name, one.start_line, one.end_line) for one in found.definitions for name in one.calls]
    return _cuts(found), calls, [(one.module, one.names) for one in found.imports]


def definitions(path: str, data: bytes) -> list[Span]:
    """Return (kind, name, start line, end line, depth) of what a chunk of text can be cut at, in order of appearance.

    Fields, constants of one line, guessed blocks and entries of derived outlines are no places to cut at.
    """
    return _cuts(_outline(path, data, with_calls=False, spans_only=True, timeout_s=PARSE_TIMEOUT_S))


def _cuts(found: Outline) -> list[Span]:
    if found.is_derived and found.language != "notebook":
        return []
    return [
        (one.kind, one.name, one.start_line, one.end_line, one.depth)
        for one in found.definitions
        if one.kind not in _GUESSED and (one.kind not in MEMBER_KINDS or (one.end_line > one.start_line and one.depth == 0))
    ]


def compact(path: str, data: bytes, timeout_s: float = 2 * PARSE_TIMEOUT_S) -> CompactText:
    """Return code without comments and runs of blank lines; whatever is in doubt stays, with the reason."""
    data = utf8(data)
    language = LANGUAGE_BY_NAME.get(language_name(path, data) or "")
    if language is None:
        return unchanged(data, "no grammar for it: left as it is rather than guessed")
    try:
        return compact_code(language, data, timeout_s=timeout_s)
    except ParseRefused as refusal:
        return unchanged(data, str(refusal))
    except Exception as error:  # the boundary to grammars: a fault in one must cost the view, not the call
        return unchanged(data, f"reading its syntax failed ({type(error).__name__})")


def can_parse(path: str, data: bytes) -> bool:
    """Say whether a grammar will read this file."""
    return language_name(path, data) in LANGUAGE_BY_NAME and len(data) <= MAX_PARSE_BYTES


def utf8(data: bytes) -> bytes:
    r"""Return `data` as UTF-8 without a byte order mark; the number of `\n` stays what the decoded text has."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data.removeprefix(b"\xef\xbb\xbf")


def _readable(data: bytes) -> bytes:
    """Return what `utf8` does, and text in other encodings as a reader of the file sees it, so that names are whole."""
    data = utf8(data)
    try:
        data.decode("utf-8")
        is_read = b"\0" not in data[:4096]  # UTF-16 without a mark is UTF-8 with NULs
    except UnicodeDecodeError:
        is_read = False
    if not is_read:
        return decode(data).text.removeprefix("\ufeff").encode("utf-8", "replace")
    return data
