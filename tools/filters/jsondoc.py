"""JSON documents and NDJSON. Pure.

Kept: the outer levels, the first elements of every array, and lines that speak of errors; the shape of the whole document is
derived and says so.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from .filter import Document, Rank, Scores
from .rules import rank_words

_PARSE_CHARS: Final = 8_000_000
_SAMPLES: Final = 40
_KEYS: Final = 24
_DEPTH: Final = 5
_SHAPE_CHARS: Final = 1200
_FIRST: Final = 2
"""Elements of an array that are kept before the others."""
_BRACKETS: Final = ("[", "{")
_OPENS: Final = re.compile(r"\s*(?:\"(?:[^\"\\]|\\.)*\"\s*:\s*)?[\[{]\s*$")


def is_json(document: Document) -> bool:
    """Whether the text looks like one JSON document: decided by its ends, so that a damaged one is still recognised."""
    text = document.text.strip()
    if len(text) < 2 or text[0] + text[-1] not in ("{}", "[]"):
        return False
    head = text[1:].lstrip()[:1]
    return head in '"}]' if text[0] == "{" else head in '"{[]-0123456789tfn'


def score_json(document: Document) -> Scores:
    """Rank the lines of a JSON document."""
    scores = Scores(bytearray([Rank.PLAIN]) * len(document))
    _rank_levels(document, scores)
    rank_words(document, scores)
    shape = shape_of_text(document.text)
    if shape:
        scores.derived.append(f"shape: {shape}")
    return scores


def score_ndjson(document: Document) -> Scores:
    """Rank records, one a line: the first of every set of keys, errors by class, the ends."""
    scores = Scores(bytearray([Rank.PLAIN]) * len(document))
    kinds: dict[str, int] = {}
    for number, line in enumerate(document.lines):
        kind = "".join(re.findall(r'"[\w.$@-]{1,40}":', line[:600]))
        kinds[kind] = kinds.get(kind, 0) + 1
        if kinds[kind] <= _FIRST:
            scores.ranks[number] = Rank.CONTEXT
        if not line.strip():
            scores.ranks[number] = Rank.NOISE
    rank_words(document, scores)
    shape = shape_of_text(next((line for line in document.lines if line.startswith("{")), ""))
    scores.derived.append(f"{len(document):,} records, {len(kinds):,} sets of keys; the first has the shape {shape}")
    return scores


def _rank_levels(document: Document, scores: Scores) -> None:
    """Rank pretty-printed lines: outer levels first, and of long arrays the first elements."""
    elements: dict[int, int] = {}
    skip_above: int | None = None
    for number, line in enumerate(document.lines):
        stripped = line.lstrip(" \t")
        depth = len(line) - len(stripped)
        if skip_above is not None:
            if depth >= skip_above and stripped[:1] not in "]":
                continue
            if depth >= skip_above:
                continue
            skip_above = None
        if stripped[:1] in "{[" or (stripped[:1] == '"' and '":' not in stripped):
            elements[depth] = elements.get(depth, 0) + 1
            if elements[depth] > _FIRST:
                skip_above = depth
                continue
        elif stripped.rstrip()[-1:] in _BRACKETS and _OPENS.match(line):
            # A new container: its elements are counted from the start.
            for level in [level for level in elements if level > depth]:
                del elements[level]
        scores.ranks[number] = Rank.CONTEXT


def shape_of_text(text: str) -> str:
    """Return the shape of a JSON text, or nothing when it cannot be parsed or is too large to be."""
    if not text or len(text) > _PARSE_CHARS:
        return ""
    try:
        value: object = json.loads(text)
        shape = shape_of(value)
    except (ValueError, RecursionError, MemoryError):
        return ""
    return shape if len(shape) <= _SHAPE_CHARS else shape[:_SHAPE_CHARS] + "…"


def shape_of(value: object, depth: int = 0) -> str:
    """Describe the types of a parsed JSON value: `{id: int, tags: [3 × str]}`; long arrays by a sample of their elements."""
    if isinstance(value, Mapping):
        items: list[tuple[object, object]] = list(value.items())
        if depth >= _DEPTH:
            return f"{{{len(items)} keys}}"
        named = [f"{key}: {shape_of(item, depth + 1)}" for key, item in items[:_KEYS]]
        if len(items) > _KEYS:
            named.append(f"… {len(items) - _KEYS} more keys")
        return "{" + ", ".join(named) + "}"
    if isinstance(value, list):
        elements: Sequence[object] = value  # pyright: ignore[reportUnknownVariableType]
        return _shape_of_list(elements, depth)
    return _NAMES.get(type(value), type(value).__name__)


_NAMES: Final[Mapping[type, str]] = {type(None): "null"}


def _shape_of_list(elements: Sequence[object], depth: int) -> str:
    if not elements:
        return "[]"
    if depth >= _DEPTH:
        return f"[{len(elements)}]"
    step = max(1, len(elements) // _SAMPLES)
    shapes: dict[str, None] = {}
    merged: dict[object, object] = {}
    for element in elements[::step]:
        if isinstance(element, Mapping):
            for key, item in element.items():  # pyright: ignore[reportUnknownVariableType]
                if merged.get(key) is None:
                    merged[key] = item
        else:
            shapes[shape_of(element, depth + 1)] = None
    if merged:
        shapes[shape_of(merged, depth + 1)] = None
    return f"[{len(elements):,} × {' | '.join(list(shapes)[:4])}]"
