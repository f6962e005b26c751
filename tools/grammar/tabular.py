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
_INTEGER: Final = re.compile(r"[+-]?\d{1,18}")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?.*)?|\d{1,2}/\d{1,2}/\d{2,4}")
_BOOLEAN: Final = re.compile(r"true|false|yes|no", re.IGNORECASE)


def csv_outline(data: bytes) -> Outline:
    """Outline comma- or semicolon-separated values."""
    head = data[:4096].split(b"\n", 1)[0]
    delimiter = max((b",", b";", b"\t", b"|"), key=lambda mark: (head.count(mark), mark == b","))
    return _outline("csv", data, delimiter.decode())


def tsv_outline(data: bytes) -> Outline:
    """Outline tab-separated values."""
    return _outline("tsv", data, "\t")


def _outline(language: str, data: bytes, delimiter: str) -> Outline:
    lines = LineMap(data)
    if not lines.count:
        return Outline(language, 0)
    step = max(1, lines.count // _TYPED_ROWS)
    rows = [_cells(lines.line(number), delimiter) for number in range(2, lines.count + 1, step)]
    header = _cells(lines.line(1), delimiter)[:_MAX_COLUMNS]
    first_types = [_type_of([cell]) for cell in header]
    has_header = bool(header) and all(kind in {"text", "empty"} for kind in first_types)
    if not has_header:
        header = [f"column {at + 1}" for at in range(len(header))]
        rows.insert(0, _cells(lines.line(1), delimiter))
    rows = [row for row in rows if len(row) >= min(2, len(header))]
    types = [_type_of([row[at] for row in rows if at < len(row)]) for at in range(len(header))]
    columns = ", ".join(f"{clip(name.strip() or '(unnamed)', 40)}: {kind}" for name, kind in zip(header, types, strict=True))
    first = 2 if has_header else 1
    out = [Definition("header", "columns", 1, 1, clip(columns, 1500))]
    out += [
        Definition("row", f"row {at}", at, at, clip(lines.line(at).decode("utf-8", "replace"), 150))
        for at in range(first, min(first + _SAMPLES, lines.count + 1))
    ]
    notes = (f"{lines.count - first + 1:,} rows × {len(header):,} columns",)
    return Outline(language, lines.count, tuple(out), is_derived=True, notes=notes)


def _cells(line: bytes, delimiter: str) -> list[str]:
    text = line[:100_000].decode("utf-8", "replace").replace("\0", "")
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
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
