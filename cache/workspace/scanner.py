r"""Finding lines in a file of any size, in flat memory.

The source is a function from offset and length to bytes, so that the same code reads descriptors and, in tests, plain bytes.
Lines end at `\n`, which UTF-16 and UTF-32 spell in two and four bytes that count only where a character begins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

BLOCK_BYTES: Final = 256 * 1024
"""Large enough that Python's share of the scan vanishes, small enough to forget."""

ReadAt = Callable[[int, int], bytes]
"""(offset, length) -> at most that many bytes; empty at the end."""


@dataclass(frozen=True, slots=True)
class LineUnit:
    """How an encoding spells a line end, and where characters may begin."""

    newline: bytes
    width: int
    is_utf8: bool = False

    def count(self, block: bytes) -> int:
        """Count the line ends in a block that begins at a character."""
        if self.width == 1:
            return block.count(self.newline)
        count, at = 0, self.find(block, 0)
        while at >= 0:
            count += 1
            at = self.find(block, at + self.width)
        return count

    def find(self, block: bytes, start: int) -> int:
        """Return where the first line end at or after `start` begins, or -1."""
        at = block.find(self.newline, start)
        while at >= 0 and at % self.width:
            at = block.find(self.newline, at + 1)
        return at

    def rfind(self, block: bytes, end: int) -> int:
        """Return where the last line end that is over by `end` begins, or -1."""
        at = block.rfind(self.newline, 0, end)
        while at >= 0 and at % self.width:
            at = block.rfind(self.newline, 0, at + self.width - 1)
        return at

    def end_of(self, block: bytes, count: int) -> int:
        """Return the offset just after the `count`-th line end, of which the block has that many at least."""
        at = -self.width
        for _ in range(count):
            at = self.find(block, at + self.width)
        return at + self.width

    def cut_before(self, block: bytes, end: int) -> int:
        """Return the largest offset <= `end` at which a character begins, if `end` is inside the block."""
        end = min(end, len(block))
        if self.is_utf8:
            at = end
            while 0 < at < len(block) and end - at < 4 and block[at] & 0xC0 == 0x80:
                at -= 1
            return at or end
        at = end - end % self.width
        if self.width == 2 and 2 <= at < len(block) and self._is_low_surrogate(block[at : at + 2]):
            at -= 2
        return at or min(self.width, len(block))

    def next_start(self, block: bytes, offset: int) -> int:
        """Return how many bytes of `block`, which begins `offset` bytes into its line, belong to a character before it."""
        if not self.is_utf8:
            return -offset % self.width
        skip = 0
        while offset and skip < min(3, len(block)) and block[skip] & 0xC0 == 0x80:
            skip += 1
        return skip

    def _is_low_surrogate(self, pair: bytes) -> bool:
        return int.from_bytes(pair, "little" if self.newline[0] else "big") & 0xFC00 == 0xDC00


def line_unit(encoding: str) -> LineUnit:
    """Return the line unit of an encoding that `text.encoding_of` names."""
    newline = "\n".encode(encoding)
    return LineUnit(newline, len(newline), is_utf8=encoding == "utf-8")


class LineScanner:
    """A forward scan that remembers where the last line asked for begins."""

    def __init__(self, read_at: ReadAt, unit: LineUnit, check: Callable[[], None], block_bytes: int = BLOCK_BYTES) -> None:
        self._block_bytes = max(unit.width, block_bytes - block_bytes % unit.width)
        self._read_at = read_at
        self._unit = unit
        self._check = check
        self.line = 1
        """The line that begins at `offset`."""
        self.offset = 0
        self.total_lines: int | None = None
        """Known once a scan has met the end."""

    def seek(self, line: int) -> bool:
        """Go forward to the start of `line`; False, with `total_lines` known, if the file has fewer lines."""
        at = self.offset
        while self.line < line:
            block = self._block(at)
            if not block:
                break
            count = self._unit.count(block)
            if self.line + count >= line:
                self.offset = at + self._unit.end_of(block, line - self.line)
                self.line = line
            elif count:
                self.line += count
                self.offset = at + self._unit.rfind(block, len(block)) + self._unit.width
            at += len(block)
        is_there = self.line == line and bool(self._read_at(self.offset, 1))
        if not is_there:
            self.total_lines = self.line if self._read_at(self.offset, 1) else self.line - 1
        return is_there

    def read(self, lines: int | None, max_bytes: int) -> tuple[bytes, bool]:
        """Read `lines` lines (None: all) from `offset`, at most `max_bytes`; the second value says whether that was all of them.

        Does not move. Sets `total_lines` if the end was met.
        """
        taken = bytearray()
        missing = lines
        while len(taken) <= max_bytes:
            block = self._block(self.offset + len(taken), max_bytes - len(taken) + self._unit.width)
            if not block:
                data = bytes(taken)
                self.total_lines = self.line - 1 + self._unit.count(data) + self._has_rest(data)
                return data, True
            count = self._unit.count(block) if missing is not None else 0
            if missing is not None and count >= missing:
                taken += block[: self._unit.end_of(block, missing)]
                return bytes(taken), len(taken) <= max_bytes
            missing = None if missing is None else missing - count
            taken += block
        return bytes(taken), False

    def reaches(self, length: int) -> bool:
        """Whether the line at `offset` has more than `length` bytes, its end included."""
        at = 0
        while at < length:
            block = self._block(self.offset + at, length - at + self._unit.width)
            end = self._unit.find(block, 0)
            if not block or (end >= 0 and at + end < length):
                return False
            at += len(block)
        return bool(self._read_at(self.offset + length, 1))

    def count_to_end(self) -> int:
        """Return the number of lines of the whole file. Does not move."""
        at, ends, has_rest = self.offset, 0, False
        while block := self._block(at):
            ends += self._unit.count(block)
            has_rest = self._has_rest(block)
            at += len(block)
        self.total_lines = self.line - 1 + ends + has_rest
        return self.total_lines

    def _has_rest(self, data: bytes) -> bool:
        """Whether bytes follow the last line end."""
        last = self._unit.rfind(data, len(data))
        return last + self._unit.width < len(data) if last >= 0 else bool(data)

    def _block(self, offset: int, wanted: int | None = None) -> bytes:
        """Read a block; of `wanted` bytes at most, rounded up to whole units."""
        self._check()
        if wanted is None:
            return self._read_at(offset, self._block_bytes)
        return self._read_at(offset, min(self._block_bytes, wanted + -wanted % self._unit.width))
