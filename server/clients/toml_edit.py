"""Insert and remove one table in TOML text. Pure: every character that is not the table stays as it was.

A new table goes to the end of the document, where it can break no other. Each result is read by `tomllib` and compared with
the document before: unless exactly the table changed, the edit is refused.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import cast

from .refusal import EditRefused
from .toml_inline import inline_table, with_item, without_item
from .toml_scan import Assignment, scan

TomlValue = bool | int | str | Sequence[str]


def loads(text: str) -> dict[str, object]:
    """The document's value.

    Raises:
        EditRefused: Not valid TOML; says where.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise EditRefused(f"Not valid TOML: {error}", next_call="correct the file by hand") from error


def set_table(text: str, path: Sequence[str], values: Mapping[str, TomlValue]) -> str:
    """Make the table at `path` hold `values`; its other keys stay. A missing table is added at the end.

    Raises:
        EditRefused: The text is broken, or the table is written in a way that cannot be changed safely.
    """
    before = loads(text)
    present = _at(before, path)
    if present is not None and all(present.get(key) == value for key, value in values.items()):
        return text
    result = _added(text, path, values) if present is None else _update(text, path, present, values)
    wanted = {**(present or {}), **values}
    return _checked(before, result, path, wanted)


def remove_table(text: str, path: Sequence[str]) -> str:
    """Take the table at `path` out, with its sub-tables; the same text when it is not there.

    Raises:
        EditRefused: As for `set_table`.
    """
    before = loads(text)
    if _at(before, path) is None:
        return text
    wanted = tuple(path)
    inline = inline_table(text, path[:-1])
    result = text if inline is None else without_item(text, inline, path[-1])
    for table in reversed(scan(result)):
        if table.path and table.path[: len(wanted)] == wanted:
            start = _blank_line_start(result, table.start)
            if table.end == len(result) and start and not result.endswith("\n"):
                start = len(result[:start].removesuffix("\n").removesuffix("\r"))
            result = result[:start] + result[table.end :]
    return _checked(before, result, path, None)


def render_table(path: Sequence[str], values: Mapping[str, TomlValue]) -> str:
    """Return the table as text, to be pasted by hand."""
    return "\n".join([f"[{'.'.join(path)}]", *(f"{key} = {_render(value)}" for key, value in values.items())]) + "\n"


def _added(text: str, path: Sequence[str], values: Mapping[str, TomlValue]) -> str:
    """Add the table where its kind stands: in an inline table as an item, else at the end."""
    inline = inline_table(text, path[:-1])
    if inline is None:
        return _append(text, path, values)
    return with_item(text, inline, path[-1], "{ " + ", ".join(f"{key} = {_render(one)}" for key, one in values.items()) + " }")


def _append(text: str, path: Sequence[str], values: Mapping[str, TomlValue]) -> str:
    newline = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    lines = render_table(path, values).splitlines()
    if text and not text.endswith("\n"):
        # No line end at the end before, none after: a removal can tell.
        return text + newline * 2 + newline.join(lines)
    return text + (newline if text else "") + newline.join(lines) + newline


def _update(text: str, path: Sequence[str], present: Mapping[str, object], values: Mapping[str, TomlValue]) -> str:
    """Write changed values in place, and missing ones below the table's header."""
    table = next((table for table in scan(text) if table.path == tuple(path)), None)
    if table is None:
        raise EditRefused(f"{'.'.join(path)} is not written as a table of its own", next_call="change it by hand")
    newline = "\r\n" if "\r\n" in text[table.start : table.end] else "\n"
    missing = [f"{key} = {_render(value)}{newline}" for key, value in values.items() if key not in present]
    body_end = table.end if text[: table.end].endswith("\n") else None
    if missing:
        tail = "".join(missing) if body_end is not None else newline + "".join(missing)
        text = text[: table.end] + tail + text[table.end :]
    for place in reversed(table.assignments):
        if _changes(place, present, values):
            text = text[: place.value_start] + _render(values[place.key[0]]) + text[place.value_end :]
    return text


def _changes(place: Assignment, present: Mapping[str, object], values: Mapping[str, TomlValue]) -> bool:
    key = place.key[0]
    return len(place.key) == 1 and key in values and present.get(key) != values[key]


def _render(value: TomlValue) -> str:
    if isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, str):
        return _quoted(value)
    return "[" + ", ".join(_quoted(item) for item in value) + "]"


def _quoted(text: str) -> str:
    """A basic string; JSON's escapes are TOML's, except DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _blank_line_start(text: str, at: int) -> int:
    """One blank line above a header belongs to it, as `_append` put it there."""
    line_start = text.rfind("\n", 0, at) + 1
    for blank in ("\r\n", "\n"):
        if text.endswith(blank, 0, line_start) and (line_start == len(blank) or text[: line_start - len(blank)].endswith("\n")):
            return line_start - len(blank)
    return line_start


def _at(document: Mapping[str, object], path: Sequence[str]) -> Mapping[str, object] | None:
    found: object = document
    for key in path:
        if not isinstance(found, dict):
            raise EditRefused(f"The value around {key!r} is not a table", next_call="correct the file by hand")
        table = cast("Mapping[str, object]", found)
        if key not in table:
            return None
        found = table[key]
    if not isinstance(found, dict):
        raise EditRefused(f"The value at {'.'.join(path)} is not a table", next_call="correct the file by hand")
    return cast("Mapping[str, object]", found)


def _checked(before: Mapping[str, object], text: str, path: Sequence[str], wanted: Mapping[str, object] | None) -> str:
    """Refuse an edit that changed anything but the table at `path`."""
    try:
        after = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise EditRefused(
            f"{'.'.join(path[:-1])} is written in a way that takes no further table", next_call="add the entry by hand"
        ) from error
    if _at(after, path) != wanted or _without(after, path) != _without(before, path):
        raise EditRefused("The edit would change more than its own entry", next_call="add the entry by hand")
    return text


def _without(value: object, path: Sequence[str]) -> object:
    """The document less the table at `path`, and less tables on the way that hold nothing else. As text: NaN has no equal."""
    if not isinstance(value, dict):
        return repr(value)
    kept: dict[str, object] = {}
    for key, item in cast("Mapping[str, object]", value).items():
        if not path or key != path[0]:
            kept[key] = repr(item)
        elif len(path) > 1 and (rest := _without(item, path[1:])) != {}:
            kept[key] = rest
    return kept
