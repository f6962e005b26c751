"""Answering `lines` from a file of any size: exact consecutive bytes up to a budget, and how to go on.

Nothing is cut out of the middle. The window ends where the budget ends: after the last whole line that fits, or inside a line
that alone is larger than the budget, whose rest is then named by its column. Memory is the budget and one block.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from ..errors import InvalidArgument
from .ranges import LineRange, format_ranges, plan_ranges
from .scanner import BLOCK_BYTES, LineScanner, ReadAt, line_unit
from .values import WindowPart

COUNTED_BYTES: Final = 64 * 1024 * 1024
"""Lines from the end get their numbers in files up to this size: counting costs about 30 ms."""
MIN_WINDOW_BYTES: Final = 64
"""No character and no line unit is larger."""


class WindowReader:
    """Reads one window. One use, one thread."""

    def __init__(
        self,
        read_at: ReadAt,
        size: int,
        encoding: str,
        *,
        max_bytes: int,
        check: Callable[[], None],
        counted_bytes: int = COUNTED_BYTES,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        if max_bytes < MIN_WINDOW_BYTES:
            raise ValueError(f"max_bytes must be >= {MIN_WINDOW_BYTES}, got {max_bytes}")
        self._read_at = read_at
        self._size = size
        self._unit = line_unit(encoding)
        self._scanner = LineScanner(read_at, self._unit, check, block_bytes)
        self._counted_bytes = counted_bytes
        self._block_bytes = block_bytes
        self._room = max_bytes
        self.parts: list[WindowPart] = []
        self.next_lines = ""
        self.is_complete = True

    @property
    def total_lines(self) -> int | None:
        """Lines of the file, if the scan met its end."""
        return self._scanner.total_lines

    def run(self, ranges: Sequence[LineRange]) -> None:
        """Fill `parts`, `next_lines` and `is_complete`.

        Raises:
            InvalidArgument: The file has none of the lines.
        """
        total = None
        if any(item.first < 0 for item in ranges) and self._size <= self._counted_bytes:
            total = self._scanner.count_to_end()
        planned = plan_ranges(ranges, total)
        for index, item in enumerate(planned):
            rest = self._take_tail(-item.first) if item.first < 0 else self._take(item)
            if rest is not None:
                self.is_complete = False
                self.next_lines = format_ranges([part for part in (*rest, *planned[index + 1 :]) if part.first > 0])
                break
        if not self.parts and self.is_complete:
            self._refuse(ranges)

    def _take(self, item: LineRange) -> Sequence[LineRange] | None:
        """Deliver a range; None if all of it is here, else what of it is not."""
        if not self._scanner.seek(item.first):
            return None
        if item.column is not None:
            return self._take_columns(item, item.column)
        lines = None if item.last is None else item.last - item.first + 1
        data, is_all = self._scanner.read(lines, self._room)
        if is_all and len(data) <= self._room:
            self._add(WindowPart(item.first, item.first + self._lines_of(data) - 1, data))
            return None
        end = self._unit.rfind(data, self._room) + self._unit.width
        if end >= self._unit.width:
            whole = data[:end]
            count = self._unit.count(whole)
            self._add(WindowPart(item.first, item.first + count - 1, whole))
            return [replace(item, first=item.first + count)]
        if self.parts:
            return [item]
        return self._cut_line(item, data, 1)

    def _take_columns(self, item: LineRange, column: int) -> Sequence[LineRange] | None:
        if not self._scanner.reaches(column - 1):
            return None
        wanted = self._size if item.last_column is None else item.last_column - column + 1
        data = self._read_at(self._scanner.offset + column - 1, min(wanted, self._room) + 4 * self._unit.width)
        # Asked columns may fall inside characters; those are left out, and the part says where it begins.
        skip = self._unit.next_start(data, column - 1)
        data, column, wanted = data[skip:], column + skip, wanted - skip
        line_end = self._unit.find(data, 0)
        if 0 <= line_end < min(wanted, self._room):
            self._add(WindowPart(item.first, item.first, data[: line_end + self._unit.width], column))
        elif wanted <= self._room or len(data) <= self._room:
            end = self._unit.cut_before(data, max(0, wanted))
            self._add(WindowPart(item.first, item.first, data[:end], column, is_cut=end < len(data)))
        else:
            return [item] if self.parts else self._cut_line(item, data, column)
        return None

    def _cut_line(self, item: LineRange, data: bytes, column: int) -> Sequence[LineRange]:
        end = self._unit.cut_before(data, self._room)
        self._add(WindowPart(item.first, item.first, data[:end], column, is_cut=True))
        rest = [LineRange(item.first, item.first, column + end, item.last_column)]
        if item.column is None and item.last != item.first:
            rest.append(replace(item, first=item.first + 1))
        return rest

    def _take_tail(self, lines: int) -> Sequence[LineRange] | None:
        """Deliver the last lines of a file too large to count, by blocks from its end."""
        data = self._read_tail(lines)
        if not data:
            return None
        begin = self._begin_of_last(data, lines)
        is_all = begin is not None and len(data) - begin <= self._room
        column = 1
        if begin is None or not is_all:
            begin, column = self._begin_in_reach(data)
        piece = data[begin:]
        self._add(WindowPart(-self._lines_of(piece), -1, piece, column))
        return None if is_all else []

    def _read_tail(self, lines: int) -> bytes:
        data, start = b"", self._size
        while start > 0 and self._size - start < self._room and self._unit.count(data[: -self._unit.width]) < lines:
            end, start = start, max(0, start - self._block_bytes)
            start -= start % self._unit.width
            block = self._read_at(start, end - start)
            if len(block) < end - start:  # shrunk under our hands
                break
            data = block + data
        return data

    def _begin_in_reach(self, data: bytes) -> tuple[int, int]:
        """Where to begin when the asked lines are more than there is room for, and the column of that, 0 if unknown."""
        reach = max(0, len(data) - self._room)
        reach += -reach % self._unit.width
        first_end = self._unit.find(data[reach:], 0)
        after = reach + first_end + self._unit.width
        if first_end >= 0 and after < len(data):
            return after, 1
        return reach + self._unit.next_start(data[reach:], reach), 0

    def _begin_of_last(self, data: bytes, lines: int) -> int | None:
        """Where the last `lines` lines of `data` begin; None if it holds fewer whole ones."""
        at = len(data) - self._unit.width  # the end of the last line is not the end of one before it
        for _ in range(lines):
            at = self._unit.rfind(data, at)
            if at < 0:
                return 0 if len(data) == self._size else None
        return at + self._unit.width

    def _lines_of(self, data: bytes) -> int:
        ends = self._unit.count(data)
        return ends + (self._unit.rfind(data, len(data)) + self._unit.width < len(data) if ends else bool(data))

    def _add(self, part: WindowPart) -> None:
        if part.data:
            self.parts.append(part)
            self._room -= len(part.data)

    def _refuse(self, ranges: Sequence[LineRange]) -> None:
        total = self._scanner.total_lines
        if total == 0 or (total is None and not self._size):
            return  # an empty file has no lines, and saying so is the answer
        raise InvalidArgument(
            f"there is nothing at lines={format_ranges(ranges)}",
            why=f"the file has {total:,} lines" if total is not None else "it is shorter than that",
            next_call=f'lines="1-{min(total, 200)}"' if total else 'lines="1-200"',
        )
