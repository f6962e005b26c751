"""The `lines` argument: `10-40,80-`, `5`, `-20` (the last 20), `7:16385-` (line 7 from its 16,385th byte). Pure.

Columns exist for lines too long for one answer: the continuation that an answer prints names the byte of the line to go on from.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..errors import InvalidArgument

_RANGE: Final = re.compile(r"\s*(?:(\d{1,15})(?::(\d{1,15}))?)?\s*(-?)\s*(\d{1,15})?\s*", re.ASCII)
MAX_RANGES: Final = 100
"""An answer of more pieces than this is no reading any more; it also bounds the work of a hostile argument."""
_SYNTAX: Final = 'lines="10-40,80-" takes ranges from 1, "80-" to the end, "-20" the last 20 lines'


@dataclass(frozen=True, slots=True)
class LineRange:
    """Lines `first` to `last`, from 1 and inclusive; or the last `-first` lines; or a part of one line."""

    first: int
    """Negative: counted from the end, and `last` is None."""
    last: int | None
    """None: to the end of the file."""
    column: int | None = None
    """From 1, in bytes: the range is a part of line `first` alone."""
    last_column: int | None = None
    """Inclusive; None: to the end of the line."""

    def __post_init__(self) -> None:
        if self.first == 0 or (self.last is not None and (self.first < 0 or self.last < self.first)):
            raise ValueError(f"first and last must be a range from 1, got {self.first}-{self.last}")
        if self.column is not None and (self.last != self.first or self.column < 1):
            raise ValueError(f"column must be >= 1 in a range of one line, got {self.column}")
        if self.last_column is not None and (self.column is None or self.last_column < self.column):
            raise ValueError(f"last_column must be >= column, got {self.last_column}")

    def __str__(self) -> str:
        if self.column is not None:
            return f"{self.first}:{self.column}-{self.last_column or ''}"
        if self.first < 0:
            return str(self.first)
        if self.last is None:
            return f"{self.first}-"
        return str(self.first) if self.last == self.first else f"{self.first}-{self.last}"


def parse_ranges(text: str) -> tuple[LineRange, ...]:
    """Parse the `lines` argument; the ranges come as typed, neither sorted nor merged.

    Raises:
        InvalidArgument: The text is no list of ranges.
    """
    pieces = text.split(",", MAX_RANGES)
    if len(pieces) > MAX_RANGES:
        raise InvalidArgument(f"lines holds more than {MAX_RANGES} ranges", next_call="ask for fewer, or for the whole file")
    return tuple(_parse_range(piece) for piece in pieces)


def format_ranges(ranges: Iterable[LineRange]) -> str:
    """Spell ranges so that `parse_ranges` gives them back."""
    return ",".join(str(item) for item in ranges)


def plan_ranges(ranges: Sequence[LineRange], total_lines: int | None = None) -> tuple[LineRange, ...]:
    """Sort, merge what overlaps or touches, and, when `total_lines` is known, count from the end and clip.

    A part of a line is kept apart from whole lines, and dropped where a whole-line range covers it. Ranges past the end are gone
    from the result. Without `total_lines` ranges counted from the end stay, last and widest only.
    """
    if total_lines is not None:
        ranges = [clipped for item in ranges if (clipped := _clip(item, total_lines))]
    whole = _merge([item for item in ranges if item.first > 0 and item.column is None])
    partial = {item for item in ranges if item.column is not None and not any(_covers(other, item.first) for other in whole)}
    tails = [item for item in ranges if item.first < 0]
    ordered = sorted([*whole, *partial], key=lambda item: (item.first, item.column or 0, item.last_column or 0))
    return (*ordered, *([min(tails, key=lambda item: item.first)] if tails else []))


def _parse_range(piece: str) -> LineRange:
    match = _RANGE.fullmatch(piece)
    if match is None:
        raise _bad(piece, "it is not a line, a range or a count from the end")
    first, column, dash, last = match[1], match[2], match[3], match[4]
    if first is None:
        return _parse_tail(piece, dash, last)
    if not dash and last is not None:
        raise _bad(piece, "two numbers need a dash between them")
    start, end = int(first), int(last) if last is not None else None
    if 0 in (start, end) or (column is not None and int(column) == 0):
        raise _bad(piece, "lines and columns are numbered from 1")
    try:
        if column is not None:
            return LineRange(start, start, int(column), end if dash else int(column))
        return LineRange(start, end if dash else start)
    except ValueError:
        raise _bad(piece, "it ends before it begins") from None


def _parse_tail(piece: str, dash: str, last: str | None) -> LineRange:
    if not dash or last is None or int(last) == 0:
        raise _bad(piece, "it is empty" if not piece.strip() else "a count from the end is a dash and a number from 1")
    return LineRange(-int(last), None)


def _bad(piece: str, why: str) -> InvalidArgument:
    return InvalidArgument(f"lines has no meaning at {piece.strip()[:40]!r}", why=why, next_call=_SYNTAX)


def _clip(item: LineRange, total: int) -> LineRange | None:
    if item.first < 0:
        return LineRange(max(1, total + item.first + 1), total) if total else None
    if item.first > total:
        return None
    return item if item.column is not None else replace(item, last=total if item.last is None else min(item.last, total))


def _merge(ranges: Sequence[LineRange]) -> list[LineRange]:
    merged: list[LineRange] = []
    for item in sorted(ranges, key=lambda item: item.first):
        before = merged[-1] if merged else None
        if before is None or (before.last is not None and item.first > before.last + 1):
            merged.append(item)
        elif before.last is not None:
            merged[-1] = replace(before, last=None if item.last is None else max(before.last, item.last))
    return merged


def _covers(item: LineRange, line: int) -> bool:
    return item.first <= line and (item.last is None or line <= item.last)
