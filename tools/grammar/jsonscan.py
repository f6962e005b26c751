"""Pure: JSON read as a stream of tokens, without recursion, so that values know their lines and bad input costs nothing.

Comments and trailing commas are stepped over: configuration files have them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(rb'"(?:[^"\\\n]|\\.)*"|[{}\[\],:]|-?\d[\d.eE+-]*|[A-Za-z_$][\w$-]*|//[^\n]*|/\*.*?\*/', re.DOTALL)
MAX_VALUES: Final = 2_000_000


@dataclass(slots=True)
class JsonValueSpan:
    """A value that has just ended: where it is and what it is."""

    path: tuple[str | int, ...]
    kind: str
    """`object`, `array`, `string`, `number`, `true`, `false`, `null`, or `word`."""
    start: int
    end: int
    size: int = 0
    """Members of an object or array."""


@dataclass(slots=True)
class _Frame:
    kind: str
    start: int
    size: int = 0
    key: str = ""
    is_after_colon: bool = False
    keys: list[str] = field(default_factory=list)


def scan_json(data: bytes, *, max_depth: int) -> Iterator[JsonValueSpan]:
    """Yield the values down to `max_depth` as they end, children before parents; deeper ones are only counted."""
    stack: list[_Frame] = []
    for seen, token in enumerate(_TOKEN.finditer(data)):
        if seen > MAX_VALUES:
            return
        first = data[token.start()]
        if first in b"{[":
            stack.append(_Frame("object" if first == 0x7B else "array", token.start()))
        elif first in b"}]":
            if not stack:
                return
            frame = stack.pop()
            yield from _ended(stack, frame.kind, frame.start, token.end(), frame.size, max_depth)
        elif first == 0x3A:
            if stack:
                stack[-1].is_after_colon = True
        elif first != 0x2C and first != 0x2F:
            yield from _scalar(stack, data, token.start(), token.end(), max_depth)


def _scalar(stack: list[_Frame], data: bytes, start: int, end: int, max_depth: int) -> Iterator[JsonValueSpan]:
    top = stack[-1] if stack else None
    if top is not None and top.kind == "object" and not top.is_after_colon:
        top.key = data[start : min(end, start + 200)].decode("utf-8", "replace").strip('"') if len(stack) <= max_depth else ""
        return
    first = data[start]
    if first == 0x22:
        kind = "string"
    elif first in b"-0123456789":
        kind = "number"
    else:
        word = data[start:end].decode("utf-8", "replace")
        kind = word if word in {"true", "false", "null"} else "word"
    yield from _ended(stack, kind, start, end, 0, max_depth)


def _ended(stack: list[_Frame], kind: str, start: int, end: int, size: int, max_depth: int) -> Iterator[JsonValueSpan]:
    """Count a finished value in what holds it, and yield it if it is not too deep."""
    if len(stack) <= max_depth:
        path = tuple(frame.key if frame.kind == "object" else frame.size for frame in stack)
        yield JsonValueSpan(path, kind, start, end, size)
    if stack:
        stack[-1].size += 1
        stack[-1].is_after_colon = False
