"""Pure: logs as templates: lines that differ only in numbers, ids, times and paths are one entry, shown by its first line.

The grouping is derived; each entry quotes a line verbatim, with how often its like occurs and where the last one is.
"""

import re
from dataclasses import dataclass
from typing import Final

from .definition import Definition, Outline
from .spans import LineMap, clip

_MASKED: Final = re.compile(
    rb"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{7,}\b|\d+|\"[^\"]*\"|'[^']*'"
)
_SEVERE: Final = re.compile(
    rb"\b(?:FATAL|CRITICAL|ERROR|ERR|SEVERE|PANIC|EXCEPTION|Traceback|WARN(?:ING)?|FAIL(?:ED|URE)?)\b|\b(?:error|exception|failed|panic)\b"
)
_MAX_TEMPLATES: Final = 400
_MAX_KEY: Final = 160
_SHOWN: Final = 60


@dataclass(slots=True)
class _Group:
    first: int
    last: int
    count: int
    is_severe: bool


def log_outline(data: bytes) -> Outline:
    """Group lines by template; the severe and the rare come before the frequent when there are many."""
    lines = LineMap(data)
    groups: dict[bytes, _Group] = {}
    others = 0
    for number in range(1, lines.count + 1):
        raw = lines.line(number)[:400]
        if not raw.strip():
            continue
        key = _MASKED.sub(b"#", raw)[:_MAX_KEY]
        group = groups.get(key)
        if group is not None:
            group.count += 1
            group.last = number
        elif len(groups) < _MAX_TEMPLATES * 10:
            groups[key] = _Group(number, number, 1, _SEVERE.search(raw) is not None)
        else:
            others += 1
    chosen = sorted(groups.values(), key=lambda group: (not group.is_severe, -group.count, group.first))[:_SHOWN]
    hidden = len(groups) - len(chosen)
    definitions = tuple(_entry(group, lines) for group in sorted(chosen, key=lambda group: group.first))
    notes = [f"{len(groups):,} templates"]
    if hidden or others:
        notes.append(f"{hidden:,} templates left out" + (f", {others:,} lines not grouped" if others else ""))
    return Outline("log", lines.count, definitions, is_derived=True, notes=tuple(notes))


def _entry(group: _Group, lines: LineMap) -> Definition:
    text = clip(lines.line(group.first).decode("utf-8", "replace").rstrip(), 160)
    count = f"×{group.count:,} (last {group.last}) " if group.count > 1 else ""
    return Definition("template", clip(text, 80), group.first, group.first, count + text, is_public=group.is_severe)
