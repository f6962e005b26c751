"""Pure: the shape of JSON documents and the cells of notebooks. What is inferred is labelled derived."""

import json
from typing import Final

from .definition import Definition, Outline
from .jsonscan import JsonValueSpan, scan_json
from .sections import SectionStart, nest, shallow
from .spans import LineMap, clip

_MAX_DEPTH: Final = 5
_MAX_KEYS: Final = 60
_MAX_CELLS: Final = 2_000


def json_outline(data: bytes) -> Outline:
    """Outline keys with the type and size of their values; of an array, the first element stands for all."""
    lines = LineMap(data)
    found: list[tuple[int, SectionStart]] = []
    skipped = 0
    widths: dict[tuple[str | int, ...], int] = {}
    value: JsonValueSpan | None = None
    for value in scan_json(data, max_depth=_MAX_DEPTH):
        if _is_passed_over(value):
            continue
        parent = value.path[:-1]
        widths[parent] = widths.get(parent, 0) + 1
        if widths[parent] > _MAX_KEYS:
            skipped += 1
            continue
        found.append((value.start, _entry(value, data, lines)))
    notes = [f"{value.size:,} keys"] if value is not None and value.kind == "object" else []
    found.sort(key=lambda pair: (pair[0], pair[1].level))  # by offset: minified documents are one line
    kept, left_out = shallow([start for _, start in found], lines.count)
    left_out += skipped
    notes += [f"{left_out:,} keys left out"] if left_out else []
    return Outline("json", lines.count, nest(kept, lines), is_derived=True, notes=tuple(notes))


def _is_passed_over(value: JsonValueSpan) -> bool:
    """Leave out the document itself when it is an object, later elements of arrays, and elements without a shape."""
    if not value.path:
        return value.kind == "object"
    if any(isinstance(step, int) and step > 0 for step in value.path):
        return True
    return isinstance(value.path[-1], int) and value.kind not in {"object", "array"}


def _entry(value: JsonValueSpan, data: bytes, lines: LineMap) -> SectionStart:
    name = str(value.path[-1]) if value.path else "(document)"
    if value.path and isinstance(value.path[-1], int):
        name = "[0]"
    shape = _shape_of(value, data)
    first, last = lines.line_of(value.start), lines.line_of(max(value.start, value.end - 1))
    return SectionStart(first, len(value.path), "key", clip(name, 80), f"{clip(name, 80)}: {shape}", last_line=last)


def _shape_of(value: JsonValueSpan, data: bytes) -> str:
    if value.kind == "object":
        return f"{{{value.size:,} key{'s' if value.size != 1 else ''}}}"
    if value.kind == "array":
        return f"[{value.size:,} item{'s' if value.size != 1 else ''}]"
    if value.kind in {"string", "number", "word"}:
        return clip(data[value.start : min(value.end, value.start + 400)].decode("utf-8", "replace"), 60)
    return value.kind


def ndjson_outline(data: bytes) -> Outline:
    """Outline line-delimited JSON: the keys of the first records, and how many records there are."""
    lines = LineMap(data)
    seen: dict[tuple[str, ...], list[int]] = {}
    for number in range(1, min(lines.count, 100_000) + 1):
        line = lines.line(number)
        if not line.strip():
            continue
        keys = tuple(str(value.path[0]) for value in scan_json(line[:20_000], max_depth=1) if len(value.path) == 1)
        seen.setdefault(keys, []).append(number)
        if len(seen) > _MAX_KEYS:
            break
    definitions = tuple(
        Definition("record", ", ".join(keys)[:80] or "value", at[0], at[0], clip(f"×{len(at):,} {{{', '.join(keys)}}}", 200))
        for keys, at in seen.items()
    )
    return Outline("ndjson", lines.count, definitions, is_derived=True, notes=(f"{sum(map(len, seen.values())):,} records",))


def notebook_outline(data: bytes) -> Outline:
    """Outline the cells of a Jupyter notebook: kind, first line, size, outputs."""
    lines = LineMap(data)
    definitions: list[Definition] = []
    is_old = b'"worksheets"' in data  # before nbformat 4, cells were in worksheets
    for value in scan_json(data, max_depth=4 if is_old else 2):
        if value.kind == "object" and len(value.path) in (2, 4) and value.path[-2] == "cells":
            definitions.append(_cell(value, data, lines, len(definitions)))
            if len(definitions) >= _MAX_CELLS:
                break
    if not definitions:
        return json_outline(data)
    return Outline("notebook", lines.count, tuple(definitions), is_derived=True, notes=(f"{len(definitions):,} cells",))


def _cell(value: JsonValueSpan, data: bytes, lines: LineMap, index: int) -> Definition:
    first, last = lines.line_of(value.start), lines.line_of(max(value.start, value.end - 1))
    try:
        cell = json.loads(data[value.start : value.end])
        source = cell.get("source", cell.get("input", ""))
        text = "".join(source) if isinstance(source, list) else str(source)
        kind = str(cell.get("cell_type", "cell"))
        outputs = len(cell.get("outputs", []) or [])
    except (ValueError, AttributeError, TypeError, RecursionError):
        return Definition("cell", f"cell {index + 1}", first, last, f"cell {index + 1}: unreadable")
    shown = next((line.strip() for line in text.split("\n") if line.strip()), "(empty)")
    size = text.count("\n") + 1 if text else 0
    facts = f"{size} line{'s' if size != 1 else ''}" + (f", {outputs} output{'s' if outputs != 1 else ''}" if outputs else "")
    return Definition("cell", f"cell {index + 1}", first, last, clip(f"cell {index + 1} {kind} ({facts}): {shown}", 160))
