"""Pure: YAML, TOML and INI by their keys and sections."""

import re
from typing import Final

from .definition import Outline
from .sections import SectionStart, nest, shallow
from .spans import LineMap, clip

_YAML_KEY: Final = re.compile(
    r"""^(?P<indent> *)(?P<item>(?:- +)*)(?P<key>"[^"]*"|'[^']*'|[^\s#&*!|>'"%@`{\[,][^:#]*?)\s*:(?:\s+(?P<value>.*))?$"""
)
_YAML_BLOCK: Final = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_SECTION: Final = re.compile(r"^\s*(\[{1,2})\s*([^\]]+?)\s*\]{1,2}\s*(?:[#;].*)?$")
_KEY: Final = re.compile(r"""^\s*("[^"]*"|'[^']*'|[\w.\-/ $]+?)\s*[=:]\s*(.*)$""")
_NAMES_ITEM: Final = ("name", "id", "key", "title", "uses", "run")


def yaml_outline(data: bytes) -> Outline:
    """Outline by keys and indentation; block scalars are stepped over, lists of named items show the names."""
    lines = LineMap(data)
    starts: list[SectionStart] = []
    block_indent: int | None = None
    quote = ""
    for number in range(1, lines.count + 1):
        raw = lines.line(number)[:1000].decode("utf-8", "replace").expandtabs(2)
        stripped = raw.strip()
        if quote:
            quote = "" if stripped.endswith(quote) else quote
            continue
        if not stripped or stripped.startswith("#"):
            continue
        indent = len(raw) - len(raw.lstrip())
        if block_indent is not None:
            if indent > block_indent:
                continue
            block_indent = None
        if raw.startswith("---"):
            starts.append(SectionStart(number, -1, "document", f"document {number}", clip(raw, 60)))
            continue
        match = _YAML_KEY.match(raw)
        if match is None:
            continue
        if _YAML_BLOCK.search(match["value"] or ""):
            block_indent = indent
        quote = _yaml_open_quote(match["value"] or "")
        start = _yaml_entry(number, indent, match)
        if start is not None:
            starts.append(start)
    kept, left_out = shallow(starts, lines.count)
    return Outline("yaml", lines.count, nest(kept, lines), notes=(f"{left_out:,} deeper keys left out",) if left_out else ())


def _yaml_open_quote(value: str) -> str:
    """Return the quote that a value opens and does not close on its line."""
    quote = value[:1]
    if quote not in {'"', "'"}:
        return ""
    inside = value[1:].replace("\\\\", "").replace('\\"', "") if quote == '"' else value[1:].replace("''", "")
    return "" if quote in inside else quote


def _yaml_entry(number: int, indent: int, match: re.Match[str]) -> SectionStart | None:
    key, value = match["key"].strip("\"'"), (match["value"] or "").strip()
    if match["item"]:
        shown = clip(f"- {key}: {value}" if value else f"- {key}:", 80)
        is_name = key in _NAMES_ITEM and value and not _YAML_BLOCK.search(value)
        name = value.strip("\"'") if is_name else key
        return SectionStart(number, indent, "item", clip(name or key, 80), shown)
    return SectionStart(number, indent, "key", clip(key, 80), clip(f"{key}: {value}" if value else f"{key}:", 80))


def toml_outline(data: bytes) -> Outline:
    """Outline TOML by tables; each names its keys."""
    return _sectioned("toml", data, comment="#")


def ini_outline(data: bytes) -> Outline:
    """Outline INI and properties files by sections; each names its keys."""
    return _sectioned("ini", data, comment="#;!")


def _sectioned(language: str, data: bytes, *, comment: str) -> Outline:
    lines = LineMap(data)
    starts: list[SectionStart] = []
    inside = ""
    depth = 0
    level = 0
    for number in range(1, lines.count + 1):
        text = lines.line(number)[:1000].decode("utf-8", "replace")
        stripped = text.strip()
        if inside:  # a multi-line string or array of TOML
            depth += stripped.count("[") - stripped.count("]")
            is_closed = depth <= 0 if inside == "]" else inside in stripped
            inside = "" if is_closed else inside
            continue
        if not stripped or stripped[0] in comment:
            continue
        section = _SECTION.match(text)
        if section is not None:
            starts.append(SectionStart(number, 0, "section", clip(section.group(2), 80), clip(stripped, 80)))
            level = 1
            continue
        key = _KEY.match(text)
        if key is not None and not text[0].isspace():
            kind = "field" if level else "key"
            starts.append(SectionStart(number, level, kind, clip(key.group(1).strip("\"'"), 60), clip(stripped, 80)))
            inside = _opened(key.group(2)) if language == "toml" else ""
            depth = key.group(2).count("[") - key.group(2).count("]")
    return Outline(language, lines.count, nest(starts[:5000], lines))


def _opened(value: str) -> str:
    """Return what closes the value that a line leaves open."""
    for quotes in ('"""', "'''"):
        if value.count(quotes) % 2:
            return quotes
    if value.startswith("[") and value.count("[") > value.count("]"):
        return "]"
    return ""
