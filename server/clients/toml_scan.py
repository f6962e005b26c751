"""Where the tables and assignments of a TOML document stand. Pure: text in, spans out.

Scans just enough of TOML 1.0 to skip strings, arrays and comments safely; that the document is valid is `tomllib`'s to
say, and callers ask it first.
"""

import re
from dataclasses import dataclass
from typing import Final

_KEY_PART: Final = re.compile(r"""[ \t]*(?:([A-Za-z0-9_-]+)|"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)')[ \t]*""")
_SKIP: Final = re.compile(
    r'''"""(?:\\[\s\S]|[^\\])*?"{3,5}'''
    r"""|'{3}[\s\S]*?'{3,5}"""
    r'''|"(?:[^"\\\n]|\\.)*"'''
    r"""|'[^'\n]*'"""
    r"""|\#[^\n]*"""
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table's header and its lines, up to the next header or the end; the lines before the first header have path ()."""

    path: tuple[str, ...]
    start: int
    end: int
    """Behind the line end of its last line that is neither blank nor a comment: those belong to what follows."""
    assignments: tuple["Assignment", ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `key = value`; the value's span excludes the space and comment behind it."""

    key: tuple[str, ...]
    start: int
    value_start: int
    value_end: int


def scan(text: str) -> tuple[Table, ...]:
    """The tables of a valid document, in their order."""
    tables: list[Table] = []
    path: tuple[str, ...] = ()
    start, end = 0, 0
    assignments: list[Assignment] = []
    at = 0
    while at < len(text):
        at = _blank_end(text, at)
        if at >= len(text):
            break
        if text[at] == "[":
            tables.append(Table(path, start, end, tuple(assignments)))
            start, assignments = at, []
            path, at = _header(text, at)
        elif text[at] != "#":
            found = _assignment(text, at)
            assignments.append(found)
            at = found.value_end
        else:
            at = _line_end(text, at)
            continue
        at = end = _line_end(text, at)
    tables.append(Table(path, start, end, tuple(assignments)))
    return tuple(tables)


def _header(text: str, at: int) -> tuple[tuple[str, ...], int]:
    opening = 2 if text.startswith("[[", at) else 1
    path, at = dotted_key(text, at + opening)
    return path, at + opening


def _assignment(text: str, at: int) -> Assignment:
    key, behind = dotted_key(text, at)
    value = behind + 1
    while text[value] in " \t":
        value += 1
    return Assignment(key, at, value, _value_end(text, value))


def dotted_key(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """Read a key of one or more parts; returns it, and the place behind it and the blanks that follow."""
    parts: list[str] = []
    while match := _KEY_PART.match(text, at):
        bare, double, single = match.groups()
        parts.append(next(part for part in (bare, double, single) if part is not None))
        at = match.end()
        if not text.startswith(".", at):
            break
        at += 1
    return tuple(parts), at


def _value_end(text: str, at: int) -> int:
    """Skip one value: to the end of the line, or of the brackets that it opens."""
    depth = 0
    end = at
    while at < len(text):
        match = _SKIP.match(text, at)
        if match:
            at = match.end()
            if not match.group().startswith("#"):
                end = at
            continue
        character = text[at]
        depth += (character in "[{") - (character in "]}")
        if character == "\n" and depth <= 0:
            break
        at += 1
        if not character.isspace():
            end = at
    return end


def skipped(text: str, at: int) -> int:
    """Return the place behind the string or comment that begins at `at`; `at` itself where there is none."""
    match = _SKIP.match(text, at)
    return match.end() if match else at


def _blank_end(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1
