"""Taking comments out of code without changing what it means.

What is cut is decided by the syntax tree: comment nodes, never text that looks like one. What the tree cannot vouch for stays:
comments that tools or the language itself read (see `directives`), comments inside syntax errors, blank lines inside strings. The
result is parsed again; if its tree, comments aside, differs, nothing is cut.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from .directives import directive_blocks, is_directive, why_all_count
from .language import Language
from .parsing import Parsed, parse

if TYPE_CHECKING:
    from tree_sitter import Node

_VERBATIM: Final = re.compile(
    r"string|heredoc|template|text|quoted|quasi|raw|char|literal|content|sigil|regex|cdata|attribute_val"
)
_NOT_VERBATIM: Final = re.compile(
    r"lambda|function|object|array|collection|dictionary|tuple|struct|composite|value$|declaration|body|context|list|element"
)
_IN_URL: Final = re.compile(rb"url\([^)\"']*\Z", re.IGNORECASE)
_MAX_URL: Final = 400
_MIXED: Final = re.compile(rb"<(?:pre|textarea)\b", re.IGNORECASE)
"""Elements of HTML in which blank lines count."""


@dataclass(frozen=True, slots=True)
class CompactText:
    """Code without its comments and runs of blank lines."""

    text: bytes
    kept: tuple[tuple[int, int], ...]
    """Lines of the source of which something is left, as ranges."""
    total_lines: int
    comments: int
    """How many comments were cut."""
    blank_lines: int
    unchanged: str = ""
    """Why nothing was cut, when nothing was."""


@dataclass(slots=True)
class _Syntax:
    comments: list[tuple[int, int]] = field(default_factory=list)
    """What may be cut, as offsets, ascending."""
    verbatim: list[tuple[int, int]] = field(default_factory=list)
    """Stretches whose text counts, blank lines included."""
    leaves: list[tuple[int, int, bytes]] = field(default_factory=list)
    """The tree without what may be cut: (type, depth, text of leaves), parents first."""
    blocks: list[tuple[int, int]] = field(default_factory=list)
    """Comments that are read as a whole."""


def compact_code(language: Language, data: bytes, *, timeout_s: float) -> CompactText:
    """Return `data` without comments and runs of blank lines, or unchanged with the reason.

    `timeout_s` is for both parses, that of `data` and that of what is left; a broken text can cost a grammar thousands of times
    what the same text costs it whole.

    Raises:
        ParseRefused: Too large, too slow, no grammar.
    """
    syntax = _read(language, parse(language, data, timeout_s=timeout_s / 2), data)
    if why := why_all_count(language.name, data):
        return unchanged(data, why)
    text, kept, blank = _cut(data, syntax)
    if len(text) >= len(data):
        return unchanged(data, "no comments and no runs of blank lines")
    if _read(language, parse(language, text, timeout_s=timeout_s / 2), text).leaves != syntax.leaves:
        return unchanged(data, "without its comments the text would parse differently")
    return CompactText(text, kept, _count_lines(data), len(syntax.comments), blank)


def unchanged(data: bytes, why: str) -> CompactText:
    """Return `data` as it is, with the reason."""
    total = _count_lines(data)
    return CompactText(data, ((1, total),) if total else (), total, 0, 0, why)


def _count_lines(data: bytes) -> int:
    return data.count(b"\n") + (bool(data) and not data.endswith(b"\n"))


class _Role(Enum):
    """What a type of node means here."""

    COMMENT = "comment"
    VERBATIM = "verbatim"
    ERROR = "error"
    PLAIN = "plain"


def _role_of(language: Language, kind: str) -> _Role:
    if kind in language.comments:
        return _Role.COMMENT
    if kind == "ERROR":
        return _Role.ERROR
    is_verbatim = _VERBATIM.search(kind) is not None and _NOT_VERBATIM.search(kind) is None
    return _Role.VERBATIM if is_verbatim else _Role.PLAIN


def _read(language: Language, parsed: Parsed, data: bytes) -> _Syntax:
    """Read what there is to cut, what to leave alone, and what must stay the same, in one walk without recursion."""
    out = _Syntax(blocks=directive_blocks(language.name, data))
    if language.name == "html" and _MIXED.search(data):
        out.verbatim.append((0, len(data)))
    roles: dict[int, _Role] = {}
    cursor = parsed.tree.walk()
    depth = 0
    in_error = 0
    while (node := cursor.node) is not None:
        kind = node.kind_id
        role = roles.get(kind)
        if role is None:
            role = roles[kind] = _role_of(language, node.type)
        if role is _Role.ERROR:
            in_error = max(in_error, node.end_byte)
        if role is _Role.COMMENT:
            _take_comment(language, node, depth, data, out, is_in_error=node.start_byte < in_error)
        elif role is _Role.VERBATIM or node.child_count == 0:
            _take_text(node, depth, data, out, is_verbatim=role is _Role.VERBATIM)
        else:
            out.leaves.append((kind, depth, b""))
            if cursor.goto_first_child():
                depth += 1
                continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return out
            depth -= 1
    return out


def _take_comment(language: Language, node: "Node", depth: int, data: bytes, out: _Syntax, *, is_in_error: bool) -> None:
    start, end = node.start_byte, _trimmed_end(data, node)
    if language.name == "css" and _IN_URL.search(data, max(0, start - _MAX_URL), start):
        return  # `url(/*.png)` holds no comment
    if is_directive(language.name, data[start:end]) or any(first <= start and end <= last for first, last in out.blocks):
        out.leaves.append((node.kind_id, depth, data[start:end]))
    elif not is_in_error:
        out.comments.append((start, end))
        return
    out.verbatim.append((start, end))


def _take_text(node: "Node", depth: int, data: bytes, out: _Syntax, *, is_verbatim: bool) -> None:
    text = data[node.start_byte : node.end_byte]
    if text and text.isspace() and not node.is_named:
        return  # line ends that a grammar makes tokens of are no part of the meaning
    # Macro bodies reach to the end of the line, so a comment behind one leaves blanks at their end.
    out.leaves.append((node.kind_id, depth, text if is_verbatim else text.strip(b" \t")))
    if b"\n" in text and not text.isspace():
        out.verbatim.append((node.start_byte, node.end_byte))


def _trimmed_end(data: bytes, node: "Node") -> int:
    """Return where a comment ends without the newline that some grammars count in."""
    end = node.end_byte
    while end > node.start_byte and data[end - 1] in b"\r\n":
        end -= 1
    return end


def _cut(data: bytes, syntax: _Syntax) -> tuple[bytes, tuple[tuple[int, int], ...], int]:
    """Cut comments and surplus blank lines; return the text, the lines kept, and how many blank lines went."""
    lines: list[bytes] = []
    kept: list[int] = []
    blank_cut = 0
    guarded = _Guard(syntax.verbatim)
    before_was_blank = False
    for number, start, end, text, had_comment in _lines_without(data, syntax.comments):
        is_blank = not text.strip()
        if is_blank and not guarded.holds(start, end):
            if had_comment:
                continue
            if before_was_blank:
                blank_cut += 1
                continue
        before_was_blank = is_blank
        lines.append(text)
        kept.append(number)
    return b"".join(lines), _ranges(kept), blank_cut


class _Guard:
    """Says whether a line lies within a stretch whose blank lines count. Asked in ascending order."""

    def __init__(self, stretches: Sequence[tuple[int, int]]) -> None:
        self._stretches = sorted(stretches)
        self._at = 0

    def holds(self, start: int, end: int) -> bool:
        while self._at < len(self._stretches) and self._stretches[self._at][1] <= start:
            self._at += 1
        return self._at < len(self._stretches) and self._stretches[self._at][0] < end


def _lines_without(data: bytes, comments: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, int, bytes, bool]]:
    """Yield (number, start, end, text without comments, whether a comment was cut) for every line."""
    at = 0
    start = 0
    number = 0
    while start < len(data):
        number += 1
        newline = data.find(b"\n", start)
        end = newline + 1 if newline >= 0 else len(data)
        pieces: list[bytes] = []
        position = start
        cut = False
        while at < len(comments) and comments[at][0] < end:
            first, last = comments[at]
            cut = True
            if first > position:
                pieces.append(data[position:first])
            position = max(position, min(last, end))
            if last > end or (last == end and data[last - 1 : last] == b"\n"):
                break
            at += 1
            if data[first - 1 : first].strip() and data[last : last + 1].strip():
                pieces.append(b" ")  # `a/**/b` are two words
        text = b"".join([*pieces, data[position:end]])
        if cut:
            text = _closed(text, data[start:end])
        yield number, start, end, text, cut
        start = end


def _closed(text: bytes, raw: bytes) -> bytes:
    """Give a line that lost its tail its line end back, without blanks before it."""
    line_end = b"\r\n" if raw.endswith(b"\r\n") else b"\n" if raw.endswith(b"\n") else b""
    return text.rstrip(b" \t\r\n") + line_end


def _ranges(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    out: list[tuple[int, int]] = []
    for number in numbers:
        if out and out[-1][1] == number - 1:
            out[-1] = (out[-1][0], number)
        else:
            out.append((number, number))
    return tuple(out)
