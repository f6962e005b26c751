"""Pure: CSV and TSV: the header with inferred types, the number of rows, and a few rows verbatim."""

import csv
import re
from collections.abc import Sequence
from typing import Final

from .definition import Definition, Outline
from .spans import LineMap, clip

_TYPED_ROWS: Final = 200
_SAMPLES: Final = 3
_MAX_COLUMNS: Final = 200
_MAX_RECORD_LINES: Final = 200
"""A quote that is never closed must not swallow the file."""
_QUOTED: Final = re.compile(rb'"(?:[^"]|"")*"')
_INTEGER: Final = re.compile(r"[+-]?\d{1,18}")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?.*)?|\d{1,2}/\d{1,2}/\d{2,4}")
_BOOLEAN: Final = re.compile(r"true|false|yes|no", re.IGNORECASE)


def csv_outline(data: bytes) -> Outline:
    """Outline comma-, semicolon-, tab- or bar-separated values."""
    head = _QUOTED.sub(b"", data[:4096]).split(b"\n", 1)[0]
    delimiter = max((b",", b";", b"\t", b"|"), key=lambda mark: (head.count(mark), mark == b","))
    return _outline("csv", data, delimiter.decode())


def tsv_outline(data: bytes) -> Outline:
    """Outline tab-separated values."""
    return _outline("tsv", data, "\t")


def _outline(language: str, data: bytes, delimiter: str) -> Outline:
    lines = LineMap(data)
    if not lines.count:
        return Outline(language, 0)
    starts = _records(data, lines, delimiter)
    header = _cells(lines, starts, 0, delimiter)[:_MAX_COLUMNS]
    step = max(1, len(starts) // _TYPED_ROWS)
    rows = [_cells(lines, starts, at, delimiter) for at in range(1, len(starts) - 1, step)]
    first_types = [_type_of([cell]) for cell in header]
    has_header = bool(header) and all(kind in {"text", "empty"} for kind in first_types)
    if not has_header:
        rows.insert(0, header)
        header = [f"column {at + 1}" for at in range(len(header))]
    rows = [row for row in rows if len(row) >= min(2, len(header))]
    types = [_type_of([row[at] for row in rows if at < len(row)]) for at in range(len(header))]
    named = (" ".join(name.split()) or "(unnamed)" for name in header)
    columns = ", ".join(f"{clip(name, 40)}: {kind}" for name, kind in zip(named, types, strict=True))
    first = 1 if has_header else 0
    out = [Definition("header", "columns", 1, starts[1] - 1 if has_header else 1, clip(columns, 1500))]
    out += [
        Definition("row", f"row {starts[at]}", starts[at], starts[at + 1] - 1, _sample(lines, starts[at], starts[at + 1]))
        for at in range(first, min(first + _SAMPLES, len(starts) - 1))
    ]
    notes = (f"{len(starts) - 1 - first:,} rows × {len(header):,} columns",)
    return Outline(language, lines.count, tuple(out), is_derived=True, notes=notes)


def _records(data: bytes, lines: LineMap, delimiter: str) -> Sequence[int]:
    """Return the line at which each record begins, and the one behind the last; quoted cells may hold line ends."""
    if b'"' not in data:
        return range(1, lines.count + 2)
    starts: list[int] = []
    is_open = False
    opening = re.compile(rb"(?:^|" + re.escape(delimiter.encode()) + rb')\s*"')
    since = 0
    for number in range(1, lines.count + 1):
        line = lines.line(number)
        if not is_open or number - since > _MAX_RECORD_LINES:
            starts.append(number)
            is_open = opening.search(line) is not None and line.count(b'"') % 2 == 1
            since = number
        elif line.count(b'"') % 2 == 1:
            is_open = False
    return [*starts, lines.count + 1]


def _sample(lines: LineMap, first: int, following: int) -> str:
    text = " ".join(lines.line(number)[:400].decode("utf-8", "replace") for number in range(first, min(following, first + 5)))
    return clip(text, 150)


def _cells(lines: LineMap, starts: Sequence[int], at: int, delimiter: str) -> list[str]:
    raw = b"\n".join(lines.line(number)[:100_000] for number in range(starts[at], starts[at + 1]))
    text = raw.decode("utf-8", "replace").replace("\0", "")
    try:
        return next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), [])
    except csv.Error:
        return text.split(delimiter)


def _type_of(cells: Sequence[str]) -> str:
    filled = [cell.strip() for cell in cells if cell.strip()]
    if not filled:
        return "empty"
    for kind, pattern in (("int", _INTEGER), ("float", _NUMBER), ("bool", _BOOLEAN), ("date", _DATE)):
        if all(pattern.fullmatch(cell) for cell in filled):
            return kind
    return "text"
