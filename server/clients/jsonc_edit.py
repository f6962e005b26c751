"""Insert and remove single entries in JSONC text. Pure: every character that is not the entry stays as it was.

An insertion writes the entry behind the last one, in the style it finds there (indentation, line ends, one line or
many, trailing comma), and comments stay on their lines. A removal is its inverse. Each result is parsed again and
compared with the document before: unless exactly the entry changed, the edit is refused.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .jsonc import Child, Json, Node, comments_end, find, member, pairs_of, parse, value_of
from .refusal import EditRefused


@dataclass(frozen=True, slots=True)
class Style:
    """How the document is laid out."""

    newline: str
    unit: str
    """One step of indentation."""


def style_of(text: str) -> Style:
    """The dominant line end, and the first indentation found; two blanks where there is none."""
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    match = re.search(r"[{\[][ \t]*(?://[^\r\n]*)?\r?\n([ \t]+)\S", text)
    return Style(newline, match.group(1) if match else "  ")


def set_member(text: str, path: Sequence[str], key: str, value: Json) -> str:
    """Give the object at `path` the member `key`, making the objects on the way that are missing.

    A member that is there keeps its place; only its value is written anew, and nothing at all when it is equal.

    Raises:
        EditRefused: The text is broken, a value on the path is not an object, or a key on it is there twice.
    """
    root = parse(text)
    depth = next(size for size in range(len(path), -1, -1) if find(root, path[:size]) is not None)
    if depth < len(path):
        for name in reversed((*path[depth + 1 :], key)):
            value = {name: value}
        key = path[depth]
        path = path[:depth]
    parent = find(root, path)
    if parent is None or parent.kind != "object":
        raise EditRefused(f"The value at {'.'.join(path) or 'the top'} is not an object", next_call="correct the file by hand")
    present = member(parent, key)
    if present is None:
        result = _insert(text, parent, value, key)
    elif value_of(present.node) == value:
        return text
    else:
        body = _render(value, style_of(text), _indent_at(text, present.start))
        result = text[: present.node.start] + body + text[present.node.end :]
    return _checked(text, result, [*path, key], value)


def remove_member(text: str, path: Sequence[str], key: str) -> str:
    """Take the member `key` out of the object at `path`; the same text when it is not there.

    Raises:
        EditRefused: As for `set_member`.
    """
    parent = find(parse(text), path)
    present = member(parent, key) if parent is not None else None
    if parent is None or present is None:
        return text
    return _checked(text, _remove(text, parent, parent.children.index(present)), [*path, key], None)


def append_item(text: str, path: Sequence[str], value: Json) -> str:
    """Add `value` to the end of the array at `path`, making it and the objects on the way; no change when it is there.

    Raises:
        EditRefused: As for `set_member`; also when the value at `path` is not an array.
    """
    array = find(parse(text), path)
    if array is None:
        return set_member(text, path[:-1], path[-1], [value])
    if array.kind != "array":
        raise EditRefused(f"The value at {'.'.join(path)} is not an array", next_call="correct the file by hand")
    if any(value_of(child.node) == value for child in array.children):
        return text
    result = _insert(text, array, value)
    items = value_of(array)
    return _checked(text, result, path, [*items, value] if isinstance(items, list) else None)


def remove_item(text: str, path: Sequence[str], value: Json) -> str:
    """Take every item equal to `value` out of the array at `path`.

    Raises:
        EditRefused: As for `append_item`.
    """
    while True:
        array = find(parse(text), path)
        if array is None or array.kind != "array":
            return text
        place = next((place for place, child in enumerate(array.children) if value_of(child.node) == value), None)
        if place is None:
            return text
        rest: list[Json] = [value_of(child.node) for at, child in enumerate(array.children) if at != place]
        text = _checked(text, _remove(text, array, place), path, rest)


def _insert(text: str, parent: Node, value: Json, key: str | None = None) -> str:
    style = style_of(text)
    lead = f"{json.dumps(key, ensure_ascii=False)}: " if key is not None else ""
    if not parent.children:
        return _insert_first(text, parent, lead, value, style)
    last = parent.children[-1]
    indent = _indent_at(text, last.start)
    own_line = _starts_line(text, last.start)
    body = lead + _render(value, style if own_line else None, indent)
    lead_space = style.newline + indent if own_line else " "
    if last.comma is not None:
        at = comments_end(text, last.comma + 1) if own_line else last.comma + 1
        return text[:at] + lead_space + body + "," + text[at:]
    at = comments_end(text, last.node.end) if own_line else last.node.end
    return text[: last.node.end] + "," + text[last.node.end : at] + lead_space + body + text[at:]


def _insert_first(text: str, parent: Node, lead: str, value: Json, style: Style) -> str:
    """Fill an empty container, keeping the comments that are in it."""
    closing = parent.end - 1
    at = len(text[:closing].rstrip())
    outer = _indent_at(text, parent.start)
    indent = outer + style.unit
    after = "" if "\n" in text[at:closing] else style.newline + outer
    return text[:at] + style.newline + indent + lead + _render(value, style, indent) + after + text[at:]


def _remove(text: str, parent: Node, place: int) -> str:
    child = parent.children[place]
    before = parent.children[place - 1] if place else None
    start = _lead_start(text, child, parent, before)
    end = child.node.end if child.comma is None else child.comma + 1
    result = text[:start] + text[end:]
    if before is not None and before.comma is not None and child.comma is None:
        # Ours was the last and had no trailing comma: then neither has the one before it.
        return result[: before.comma] + result[before.comma + 1 :]
    if len(parent.children) == 1 and not result[parent.start + 1 : parent.end - 1 - (end - start)].strip():
        return result[: parent.start + 1] + result[parent.end - 1 - (end - start) :]
    return result


def _lead_start(text: str, child: Child, parent: Node, before: Child | None) -> int:
    """Where the space that leads an entry in starts: its line end and indentation, or one blank on the same line."""
    floor = parent.start + 1
    if before is not None:
        floor = before.node.end if before.comma is None else before.comma + 1
    match = re.compile(r"\r?\n[ \t]*\Z").search(text, floor, child.start)
    if match:
        return match.start()
    return child.start - 1 if child.start > floor and text[child.start - 1] == " " else child.start


def _render(value: Json, style: Style | None, indent: str) -> str:
    if style is None:
        return json.dumps(value, ensure_ascii=False)
    lines = _laid_out(value, style.unit).split("\n")
    return (style.newline + indent).join(lines)


def _laid_out(value: Json, unit: str) -> str:
    """Objects over several lines, arrays of plain values on one: as people write these files."""
    if isinstance(value, dict) and value:
        inner = (f"{unit}{json.dumps(key, ensure_ascii=False)}: {_nested(item, unit)}" for key, item in value.items())
        return "{\n" + ",\n".join(inner) + "\n}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "[\n" + ",\n".join(unit + _nested(item, unit) for item in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)


def _nested(value: Json, unit: str) -> str:
    return _laid_out(value, unit).replace("\n", "\n" + unit)


def _indent_at(text: str, at: int) -> str:
    """The indentation of the line that `at` is on."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _starts_line(text: str, at: int) -> bool:
    line_start = text.rfind("\n", 0, at) + 1
    return line_start > 0 and not text[line_start:at].strip(" \t")


def _checked(before: str, after: str, path: Sequence[str], value: Json) -> str:
    """Refuse an edit that changed anything but the value at `path`; `None` stands for removed."""
    old, new = parse(before), parse(after)
    changed = find(new, path)
    is_as_wanted = changed is None if value is None else changed is not None and value_of(changed) == value
    if not is_as_wanted or _without(old, path) != _without(new, path):
        raise EditRefused("The edit would change more than its own entry", next_call="add the entry by hand")
    return after


def _without(node: Node, path: Sequence[str]) -> object:
    """The document less the value at `path`, and less objects on the way that hold nothing else."""
    if node.kind != "object" or not path:
        return pairs_of(node)
    kept: list[object] = []
    for child in node.children:
        if child.key != path[0]:
            kept.append((child.key, pairs_of(child.node)))
        elif len(path) > 1 and (rest := _without(child.node, path[1:])) != ("object", ()):
            kept.append((child.key, rest))
    return ("object", tuple(kept))
