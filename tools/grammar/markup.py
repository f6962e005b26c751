"""Pure: XML by its upper elements; runs of like siblings are one entry with a count."""

import re
from dataclasses import dataclass
from typing import Final

from .definition import Definition, Outline
from .spans import LineMap, clip

_TOKEN: Final = re.compile(
    rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|<!DOCTYPE[^>\[]*(?:\[.*?\])?>|<(/?)([\w:.-]+)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(/?)>",
    re.DOTALL,
)
_NAMING: Final = re.compile(rb"""\b(?:id|name|key|Include|artifactId|title)\s*=\s*["']([^"']*)["']""")
_MAX_DEPTH: Final = 4
_MAX_ENTRIES: Final = 2_000


@dataclass(slots=True)
class _Element:
    name: str
    label: str
    start: int
    end: int
    depth: int
    times: int = 1


def xml_outline(data: bytes) -> Outline:
    """Outline elements down to the fourth level."""
    lines = LineMap(data)
    elements: list[_Element] = []
    stack: list[tuple[str, int]] = []  # name, index in elements or -1
    last_at: dict[int, int] = {}
    for token in _TOKEN.finditer(data):
        raw = token.group(2)
        if raw is None:
            continue
        name = raw.decode("utf-8", "replace")[:80]
        if token.group(1):
            _close(stack, name, elements, token.end())
            continue
        index = _opened(elements, last_at, token, name, len(stack))
        if token.group(4):
            if index >= 0:
                elements[index].end = token.end()
        else:
            stack.append((name, index))
        if len(elements) >= _MAX_ENTRIES:
            break
    definitions = tuple(_definition(element, lines) for element in elements)
    return Outline("xml", lines.count, definitions, is_derived=True, notes=(f"elements down to level {_MAX_DEPTH}",))


def _opened(elements: list[_Element], last_at: dict[int, int], token: re.Match[bytes], name: str, depth: int) -> int:
    """Record an element; one that is like its elder sibling is counted there. Return its index, -1 when not recorded."""
    if depth >= _MAX_DEPTH:
        return -1
    naming = _NAMING.search(token.group(3)[:500])
    label = naming.group(1).decode("utf-8", "replace") if naming else ""
    elder = last_at.get(depth, -1)
    for deeper in [at for at in last_at if at > depth]:
        del last_at[deeper]
    if elder >= 0 and elements[elder].name == name and (elements[elder].times > 1 or not label):
        elements[elder].times += 1
        last_at[depth] = elder
        return elder
    elements.append(_Element(name, label, token.start(), token.end(), depth))
    last_at[depth] = len(elements) - 1
    return len(elements) - 1


def _close(stack: list[tuple[str, int]], name: str, elements: list[_Element], end: int) -> None:
    for at in range(len(stack) - 1, max(-1, len(stack) - 20), -1):
        if stack[at][0] == name:
            for _, index in stack[at:]:
                if index >= 0:
                    elements[index].end = max(elements[index].end, end)
            del stack[at:]
            return


def _definition(element: _Element, lines: LineMap) -> Definition:
    times = f" ×{element.times:,}" if element.times > 1 else ""
    label = f' "{clip(element.label, 60)}"' if element.label else ""
    name = element.label or element.name
    first, last = lines.line_of(element.start), lines.line_of(max(element.start, element.end - 1))
    return Definition("element", clip(name, 80), first, last, f"<{element.name}>{label}{times}", depth=element.depth)
