r"""Files -> chunks: what is indexed, and where it is cut. Pure: bytes and definitions in, spans out.

A chunk is 8 to 60 lines: a definition where there is one, its children where it is longer, neighbours joined where they are
shorter; text without definitions is cut every 50 lines, at a blank line if one is near. Whatever would drown the index is
skipped and labelled: binary, over 1 MB, minified, generated. Lines end at `\n` only.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ..workspace.text import is_binary

CHUNKER_VERSION: Final = 2
MIN_LINES: Final = 8
MAX_LINES: Final = 60
PLAIN_LINES: Final = 50
MAX_FILE_BYTES: Final = 1_000_000
_LONG_LINE: Final = 5_000
_MEAN_LINE: Final = 400
_PROSE: Final = (".md", ".rst", ".txt", ".adoc", ".tex", ".org", ".csv", ".tsv")
_MARKER_BYTES: Final = 1024
_MAX_DEFINITIONS: Final = 20_000

Definition = tuple[str, str, int, int, int]
"""(kind, name, first line, last line, depth): lines 1-based and inclusive."""

Import = tuple[str, tuple[str, ...]]
"""(module, names), as a file writes them."""


class FileStatus(IntEnum):
    """What became of a file; stored in the index."""

    INDEXED = 0
    EMPTY = 1
    BINARY = 2
    TOO_LARGE = 3
    MINIFIED = 4
    GENERATED = 5
    SECRET = 6
    UNREADABLE = 7
    UNPARSED = 8
    """Indexed by lines because its parser hung or crashed."""
    FAILED = 9

    @property
    def label(self) -> str:
        """The words an answer uses."""
        return _LABELS[self]

    @property
    def is_searchable(self) -> bool:
        """Whether its text is in the index."""
        return self in (FileStatus.INDEXED, FileStatus.EMPTY, FileStatus.UNPARSED)


_LABELS: Final = {
    FileStatus.INDEXED: "indexed",
    FileStatus.EMPTY: "empty",
    FileStatus.BINARY: "binary",
    FileStatus.TOO_LARGE: "over 1 MB",
    FileStatus.MINIFIED: "minified",
    FileStatus.GENERATED: "generated",
    FileStatus.SECRET: "secret-like",
    FileStatus.UNREADABLE: "unreadable",
    FileStatus.UNPARSED: "cut by lines, parser gave up",
    FileStatus.FAILED: "failed",
}

_GENERATED_NAME: Final = re.compile(
    r"(^|/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lock|poetry\.lock|uv\.lock|Pipfile\.lock"
    r"|Cargo\.lock|composer\.lock|Gemfile\.lock|go\.sum|mix\.lock|flake\.lock|pubspec\.lock|packages\.lock\.json)$"
    r"|\.(min\.(js|css|mjs)|bundle\.js|chunk\.js|map|snap)$|_pb2(_grpc)?\.pyi?$|\.pb\.(go|cc|h)$",
)
_GENERATED_TEXT: Final = re.compile(
    rb"@generated\b|[Cc]ode generated .{0,80}DO NOT EDIT|(?i:this file (is|was) (automatically|auto-?) ?generated)"
)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A definition that begins in a chunk."""

    kind: str
    name: str
    line: int
    end: int = 0
    """Its last line, which may lie in a later chunk; 0 if that is not known."""


@dataclass(frozen=True, slots=True)
class Span:
    """One chunk of a file: lines `start` to `end`, 1-based and inclusive, and the definitions that begin in it."""

    start: int
    end: int
    symbols: tuple[Symbol, ...] = ()


def status_of(path: str, data: bytes) -> FileStatus:
    """Say whether the file is worth indexing, and if not, why."""
    if not data.strip():
        return FileStatus.EMPTY
    if len(data) > MAX_FILE_BYTES:
        return FileStatus.TOO_LARGE
    if is_binary(data):
        return FileStatus.BINARY
    if _GENERATED_NAME.search(path):
        return FileStatus.MINIFIED if ".min." in path else FileStatus.GENERATED
    if is_minified(data, is_prose=path.lower().endswith(_PROSE)):
        return FileStatus.MINIFIED
    if _GENERATED_TEXT.search(data[:_MARKER_BYTES]):
        return FileStatus.GENERATED
    return FileStatus.INDEXED


def is_minified(data: bytes, *, is_prose: bool = False) -> bool:
    """Whether the lines are too long to be written by hand: most bytes in huge lines or, but for prose, a huge mean."""
    lines = data.split(b"\n")
    long_bytes = sum(len(line) for line in lines if len(line) > _LONG_LINE)
    return long_bytes * 2 > len(data) or (not is_prose and len(data) > _LONG_LINE and len(data) > _MEAN_LINE * len(lines))


def spans_of(lines: Sequence[str], definitions: Sequence[Definition]) -> list[Span]:
    """Cut a file into chunks that cover every line exactly once, in order."""
    total = len(lines)
    clamped = ((max(1, first), min(total, last), kind, name) for kind, name, first, last, _ in definitions[:_MAX_DEFINITIONS])
    known = sorted({one for one in clamped if one[0] <= one[1]})
    pieces: list[tuple[int, int]] = []
    _cut(1, total, known, lines, pieces)
    starts = [start for start, _, _, _ in known]
    return [
        Span(
            start,
            end,
            tuple(
                Symbol(kind, " ".join(name.split()), line, last)
                for line, last, kind, name in known[bisect_left(starts, start) : bisect_right(starts, end)]
            ),
        )
        for start, end in _joined(pieces)
    ]


def _cut(
    first: int, last: int, known: Sequence[tuple[int, int, str, str]], lines: Sequence[str], pieces: list[tuple[int, int]]
) -> None:
    """Append pieces of at most `MAX_LINES` covering `first`..`last`; a stack, for definitions nest as deep as input likes."""
    stack = [(first, last, known, False)]
    while stack:
        start, end, inner, is_whole = stack.pop()
        if start > end:
            continue
        if (is_whole and end - start < MAX_LINES) or not inner:
            pieces.extend(_plain(start, end, lines))
            continue
        stack.extend(reversed(_regions(start, end, inner)))


def _regions(
    start: int, end: int, inner: Sequence[tuple[int, int, str, str]]
) -> list[tuple[int, int, Sequence[tuple[int, int, str, str]], bool]]:
    """Split a region at its outermost definitions: gaps between them, and each with the definitions inside it."""
    regions: list[tuple[int, int, Sequence[tuple[int, int, str, str]], bool]] = []
    at, index = start, 0
    while index < len(inner):
        first, last = inner[index][0], min(inner[index][1], end)
        following = index + 1
        while following < len(inner) and inner[following][0] <= last:
            following += 1
        if first > at:
            regions.append((at, first - 1, (), False))
        children = [child for child in inner[index + 1 : following] if child[0] > first]
        regions.append((max(first, at), last, children, True))
        at, index = last + 1, following
    if at <= end:
        regions.append((at, end, (), False))
    return regions


def _plain(start: int, end: int, lines: Sequence[str]) -> list[tuple[int, int]]:
    """Cut lines without structure about every `PLAIN_LINES`, after a blank line if one is near."""
    pieces: list[tuple[int, int]] = []
    while end - start >= MAX_LINES:
        cut = start + PLAIN_LINES - 1
        for offset in range(10):
            if not lines[cut - offset - 1].strip():
                cut -= offset
                break
        pieces.append((start, cut))
        start = cut + 1
    pieces.append((start, end))
    return pieces


def _joined(pieces: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join neighbours while one of them is shorter than `MIN_LINES` and both fit into `MAX_LINES`."""
    joined: list[tuple[int, int]] = []
    for start, end in pieces:
        if joined:
            before = joined[-1]
            is_short = before[1] - before[0] + 1 < MIN_LINES or end - start + 1 < MIN_LINES
            if is_short and end - before[0] < MAX_LINES:
                joined[-1] = (before[0], end)
                continue
        joined.append((start, end))
    return joined
