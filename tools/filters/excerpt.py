"""An excerpt of an output too large to hold: both ends, and between them the lines that speak of errors. Pure, streaming.

The bytes may be a memory map; they are walked once in blocks, so the cost is the size of the excerpt in memory and a scan at
the speed of `bytes.find`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import Final

from .filter import Document, Skip

Bytes = bytes | mmap

_WORDS: Final = (b"error", b"fail", b"fatal", b"panic", b"exception", b"traceback", b"critical", b"assert", b"killed", b"denied")
_BLOCK: Final = 4 << 20
_AROUND: Final = 2
"""Lines before and after a line with a word that are taken with it."""
_MAX_REGIONS: Final = 60
"""Places in the middle; each costs a gap mark."""
_MAX_REGION_BYTES: Final = 20_000
_DIGITS: Final = re.compile(rb"[0-9a-f]*\d[0-9a-f]*")
_KEY_BYTES: Final = 80


@dataclass(frozen=True, slots=True)
class _Region:
    start: int
    end: int
    """Bytes; both at line boundaries."""


def excerpt(data: Bytes, size: int, *, end_bytes: int, query: str = "") -> Document:
    """Return the first and last `end_bytes` of `data` (`size` bytes), whole lines, and the telling lines between.

    A line longer than the ends is cut at their edge.
    """
    if size <= 2 * end_bytes:
        return Document(_text(data[:size]))
    head = _line_end(data, end_bytes, size)
    tail = max(head, _line_start(data, size - end_bytes))
    words = (*_WORDS, query.lower().encode()) if query.strip() else _WORDS
    regions = [_Region(0, head), *_telling(data, head, tail, words), _Region(tail, size)]
    return _assemble(data, regions)


def _assemble(data: Bytes, regions: Sequence[_Region]) -> Document:
    parts: list[str] = []
    skips: list[Skip] = []
    lines = 0
    at = 0
    for region in regions:
        skipped = _count_lines(data, at, region.start)
        if skipped:
            skips.append(Skip(lines, skipped))
        parts.append(_text(data[region.start : region.end]))
        lines += _count_lines(data, region.start, region.end)
        at = region.end
    return Document("".join(parts), tuple(skips))


def _telling(data: Bytes, start: int, end: int, words: Sequence[bytes]) -> Iterator[_Region]:
    """Yield regions around lines with a word, one for each class of line, ascending and apart."""
    seen: set[bytes] = set()
    at = start
    regions = 0
    while at < end and regions < _MAX_REGIONS:
        stop = _line_end(data, min(end, at + _BLOCK), end)
        block = data[at:stop].lower()
        after = 0
        for hit in _hits(block, words):
            if hit < after:
                continue
            begin = block.rfind(b"\n", 0, hit) + 1
            finish = block.find(b"\n", hit) + 1 or len(block)
            key = _DIGITS.sub(b"", block[begin : min(finish, begin + 400)])[:_KEY_BYTES]
            if key in seen or finish - begin > _MAX_REGION_BYTES:
                continue
            seen.add(key)
            first, after = max(after, _back(block, begin)), _forth(block, finish)
            yield _Region(at + first, at + after)
            regions += 1
            if regions == _MAX_REGIONS:
                return
        at = stop


def _hits(block: bytes, words: Sequence[bytes]) -> Iterator[int]:
    """Yield where a word occurs first in a line, ascending."""
    nearest = {word: block.find(word) for word in words}
    while True:
        found = [at for at in nearest.values() if at >= 0]
        if not found:
            return
        hit = min(found)
        yield hit
        line_end = block.find(b"\n", hit)
        if line_end < 0:
            return
        for word, at in nearest.items():
            if 0 <= at < line_end:
                nearest[word] = block.find(word, line_end)


def _back(block: bytes, begin: int) -> int:
    for _ in range(_AROUND):
        begin = block.rfind(b"\n", 0, max(0, begin - 1)) + 1
    return begin


def _forth(block: bytes, finish: int) -> int:
    for _ in range(_AROUND):
        finish = block.find(b"\n", finish) + 1 or len(block)
    return finish


def _line_end(data: Bytes, at: int, limit: int) -> int:
    """Return the first line boundary at or after `at`; `at` itself inside a line longer than a block."""
    if at >= limit:
        return limit
    found = data.find(b"\n", at, min(limit, at + _BLOCK))
    return found + 1 if found >= 0 else at


def _line_start(data: Bytes, at: int) -> int:
    found = data.rfind(b"\n", max(0, at - _BLOCK), at)
    return found + 1 if found >= 0 else at


def _count_lines(data: Bytes, start: int, end: int) -> int:
    total = 0
    for at in range(start, end, _BLOCK):
        total += data[at : min(end, at + _BLOCK)].count(b"\n")
    if end > start and end == len(data) and data[end - 1 : end] != b"\n":
        total += 1
    return total


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
