"""Single-file components (Vue, Svelte, Astro-like): the sections, and in the scripts what their own grammar finds.

Everything outside the scripts is blanked for the grammar, so that offsets and lines stay those of the file.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .definition import Definition, Outline
from .extract import extract
from .language import Language
from .parsing import ParseRefused, parse
from .spans import LineMap, clip
from .table import LANGUAGE_BY_NAME

_OPEN: Final = re.compile(
    rb"""^<(template|script|style|i18n|docs)\b((?:"[^"\n]{0,200}"|'[^'\n]{0,200}'|[^>"']){0,400})>""",
    re.MULTILINE | re.IGNORECASE,
)
_TYPED: Final = re.compile(rb"""\blang\s*=\s*["']?(?:ts|typescript)(x?)\b""", re.IGNORECASE)
_INK: Final = re.compile(rb"[^\n]")


def component_outline(name: str, data: bytes, *, timeout_s: float, with_calls: bool) -> Outline:
    """Return the outline of the component `data` in the framework `name`.

    Raises:
        ParseRefused: There is no section, or the script's grammar refuses.
    """
    lines = LineMap(data)
    sections = _sections(data)
    if not sections:
        raise ParseRefused(f"no grammar for {name}")
    scripts = [one for one in sections if one.name == "script"]
    grammar = _grammar_of(" ".join(one.head for one in scripts).encode())
    inner = extract(grammar, parse(grammar, code := _alone(data, scripts), timeout_s=timeout_s), code, with_calls=with_calls)
    outer = [_entry(one, lines) for one in sections]
    return Outline(
        language=name,
        total_lines=lines.count,
        definitions=_nested(outer, inner.definitions),
        imports=inner.imports,
        exports=inner.exports,
        notes=(f"script read as {grammar.name}", *inner.notes) if scripts else (),
    )


@dataclass(frozen=True, slots=True)
class _Section:
    """One section: offsets of its tags and of what is between them."""

    name: str
    head: str
    start: int
    body: int
    body_end: int
    end: int


def _sections(data: bytes) -> list[_Section]:
    """Find the sections; one that is never closed ends the search, and what stands inside another is part of it."""
    out: list[_Section] = []
    at = 0
    while (opened := _OPEN.search(data, at)) is not None:
        name = opened.group(1).lower()
        body_end = _closing(data, name, opened.end())
        if body_end < 0:
            break
        close = data.find(b">", body_end)
        at = close + 1 if close >= 0 else len(data)
        head = " ".join(f"<{name.decode()}{opened.group(2).decode('utf-8', 'replace')}>".split())
        out.append(_Section(name.decode(), head, opened.start(), opened.end(), body_end, at))
    return out


def _closing(data: bytes, name: bytes, start: int) -> int:
    """Return where the closing tag begins, or -1; a template, which may hold others, closes at the margin or on its line."""
    mark = b"</" + name
    if name != b"template":
        return data.find(mark, start)
    newline = data.find(b"\n", start)
    same = data.rfind(mark, start, newline if newline >= 0 else len(data))
    if same >= 0:
        return same
    at_margin = data.find(b"\n" + mark, start)
    return at_margin + 1 if at_margin >= 0 else -1


def _grammar_of(attributes: bytes) -> Language:
    typed = _TYPED.search(attributes)
    return LANGUAGE_BY_NAME["javascript" if typed is None else "tsx" if typed.group(1) else "typescript"]


def _alone(data: bytes, scripts: Sequence[_Section]) -> bytes:
    """Blank everything but the bodies of the scripts."""
    pieces: list[bytes] = []
    at = 0
    for one in scripts:
        pieces += [_INK.sub(b" ", data[at : one.body]), data[one.body : one.body_end]]
        at = one.body_end
    return b"".join([*pieces, _INK.sub(b" ", data[at:])])


def _entry(one: _Section, lines: LineMap) -> Definition:
    return Definition("section", one.name, lines.line_of(one.start), lines.line_of(one.end - 1), clip(one.head, 120))


def _nested(outer: list[Definition], inner: tuple[Definition, ...]) -> tuple[Definition, ...]:
    starts = [one.start_line for one in outer]
    placed = list(outer)
    for one in inner:
        section = outer[max(0, bisect_right(starts, one.start_line) - 1)]
        parent = f"{section.name}.{one.parent}" if one.parent else section.name
        placed.append(one._replace(depth=one.depth + 1, parent=parent))
    return tuple(sorted(placed, key=lambda one: one.start_line))
