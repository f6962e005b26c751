"""Insert and remove one entry of an inline table, `servers = {a = {…}, b = {…}}`. Pure: every other character stays.

The document is valid TOML when this is called, and the caller compares the result with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .toml_scan import dotted_key, scan, skipped


@dataclass(frozen=True, slots=True)
class Item:
    """One `key = value` inside the braces: `end` is behind its last character that is not blank."""

    key: tuple[str, ...]
    start: int
    end: int


def inline_table(text: str, path: Sequence[str]) -> tuple[int, int] | None:
    """Return where the inline table at `path` begins and ends, braces included; None where there is none."""
    for table in scan(text):
        for one in table.assignments:
            if table.path + one.key == tuple(path) and text.startswith("{", one.value_start):
                return one.value_start, one.value_end
    return None


def with_item(text: str, span: tuple[int, int], key: str, value: str) -> str:
    """Add `key = value` behind the last item of the table."""
    items = list(_items(text, *span))
    if not items:
        return f"{text[: span[0]]}{{ {key} = {value} }}{text[span[1] :]}"
    at = items[-1].end
    return f"{text[:at]}, {key} = {value}{text[at:]}"


def without_item(text: str, span: tuple[int, int], key: str) -> str:
    """Take every item below `key` out of the table, with the comma before it, or the one behind it for the first."""
    items = list(_items(text, *span))
    for place in reversed(range(len(items))):
        one = items[place]
        if one.key[0] != key:
            continue
        if place:
            text = text[: items[place - 1].end] + text[one.end :]
        elif len(items) > 1:
            text = text[: one.start] + text[items[1].start :]
        else:
            text = text[: span[0]] + "{}" + text[span[1] :]
        del items[place]
    return text


def _items(text: str, start: int, end: int) -> Iterator[Item]:
    at = start + 1
    while at < end - 1:
        while text[at] in " \t\r\n,":
            at += 1
        if at >= end - 1:
            return
        key, behind = dotted_key(text, at)
        last = _item_end(text, behind + 1, end - 1)
        yield Item(key, at, last)
        at = last


def _item_end(text: str, at: int, limit: int) -> int:
    """Behind the value that begins at or after `at`: in front of the comma or the closing brace, blanks left out."""
    depth = 0
    end = at
    while at < limit:
        behind = skipped(text, at)
        if behind > at:
            at = end = behind
            continue
        character = text[at]
        if character == "," and depth == 0:
            break
        depth += (character in "[{") - (character in "]}")
        at += 1
        if not character.isspace():
            end = at
    return end
