"""Pure: SQL as statements; what they create is named with its columns, runs of inserts are counted."""

import re
from collections.abc import Generator, Iterator
from typing import Final

from .definition import Definition, Outline
from .docs import doc_above
from .spans import LineMap, clip, one_line

_REST: Final = (
    rb"|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]\n']{0,128}\]|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|;"
    rb"|^(?:[Gg][Oo]|/)[ \t]*\r?$|^[Dd][Ee][Ll][Ii][Mm][Ii][Tt][Ee][Rr][ \t]+(?P<mark>\S+)[^\n]*$"
)
_ROUTINE: Final = re.compile(
    rb"\s*(?:create|alter)\s+(?:or\s+\w+\s+)*(?:(?:definer|temp|temporary|editionable|noneditionable)\b\S*\s+)*"
    rb"(?:trigger|proc|procedure|function|package|event|type\s+body)\b",
    re.IGNORECASE,
)
"""The head of a statement whose body holds statements."""
_BATCH: Final = re.compile(rb"^(?:go|/)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_BLOCKS: Final = re.compile(
    rb"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|\b(?P<open>begin(?!\s+tran)|case)\b"
    rb"|\b(?P<close>end)\b(?!\s+(?:if|loop|while|repeat|for)\b)",
    re.IGNORECASE | re.DOTALL,
)
_FLAGS: Final = re.DOTALL | re.MULTILINE
_TOKEN: Final = re.compile(rb"'(?:[^']|'')*'" + _REST, _FLAGS)
_TOKEN_ESCAPED: Final = re.compile(rb"'(?:[^'\\]|''|\\.)*'" + _REST, _FLAGS)
"""For MySQL, where a backslash escapes a quote; backticks tell it apart."""
_FROM_STDIN: Final = re.compile(rb"copy\b[^;]*\bfrom\s+stdin\b[^;]*;$", re.IGNORECASE | re.DOTALL)
_END_OF_DATA: Final = re.compile(rb"^\\\.[ \t]*\r?$", re.MULTILINE)
_HEAD: Final = re.compile(
    r"^(?P<verb>create|alter|drop|insert|update|delete|select|with|grant|revoke|truncate|comment|merge|replace|call|do|begin|commit|use|set|copy)\b"
    r"(?:\s+(?:or\s+replace|temp(?:orary)?|unique|unlogged|global|local|recursive|materialized|external|definer\s*=\s*\S+))*"
    r"(?:\s+(?P<what>table|view|index|function|procedure|trigger|type|schema|database|sequence|role|user|extension|policy|domain|into|from|on))?"
    r"(?:\s+(?:if\s+(?:not\s+)?exists|only|concurrently))*\s*(?P<name>[\w.\"`\[\]$-]+)?",
    re.IGNORECASE,
)
_COLUMN: Final = re.compile(r"[(,]\s*([\"`\[]?\w+[\"`\]]?)\s+\w")
_NOT_COLUMNS: Final = frozenset({"constraint", "primary", "foreign", "unique", "check", "key", "index", "exclude", "like"})
_MAX_STATEMENTS: Final = 20_000


def sql_outline(data: bytes) -> Outline:
    """Outline statement by statement."""
    lines = LineMap(data)
    out: list[Definition] = []
    runs: dict[int, int] = {}
    for start, end in _statements(data):
        kind, name, signature, columns = _describe(data, start, end)
        first, last = lines.line_of(start), lines.last_line_of(start, end)
        if kind in {"insert", "copy"} and out and (out[-1].kind, out[-1].name) == (kind, name):
            runs[len(out) - 1] = runs.get(len(out) - 1, 1) + 1
            previous = out[-1]
            out[-1] = Definition(kind, name, previous.start_line, last, previous.signature)
            continue
        out.append(Definition(kind, name, first, last, signature, doc_above(lines, first, "--")))
        out += [Definition("field", column, first, last, column, depth=1, parent=name) for column in columns]
        if len(out) > _MAX_STATEMENTS:
            break
    for at, times in runs.items():
        one = out[at]
        out[at] = Definition(one.kind, one.name, one.start_line, one.end_line, f"{one.signature} ×{times:,}")
    return Outline("sql", lines.count, tuple(out))


def _statements(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the offsets of statements; rows behind `COPY … FROM stdin` belong to it, the body of a routine to the routine.

    `DELIMITER` is obeyed; `GO` (T-SQL) and `/` (Oracle) on a line end a batch.
    """
    pattern = _TOKEN_ESCAPED if b"`" in data else _TOKEN
    start = at = 0
    last_batch = max((mark.start() for mark in _BATCH.finditer(data)), default=-1)
    open_blocks = counted = 0
    while (token := pattern.search(data, at)) is not None:
        at = token.end()
        text = token.group()
        if text[:1] not in b";GgDd/" or text.startswith(b"/*"):
            continue
        begin = _skip(data, start, token.start())
        if text == b";" and _ROUTINE.match(data, begin, token.start()):
            open_blocks += _nesting(data, max(begin, counted), token.start())
            counted = token.end()
            if open_blocks > 0 or at < last_batch:
                continue
        open_blocks = 0
        if begin < token.start():
            end = token.end() if text == b";" else token.start()
            if text == b";" and _FROM_STDIN.match(data, begin, end):
                ended = _END_OF_DATA.search(data, end)
                end = at = ended.end() if ended else len(data)
            yield begin, end
        start = at
        if token.group("mark") is not None and token.group("mark") != b";":
            at = start = yield from _delimited(data, at, token.group("mark"))
    begin = _skip(data, start, len(data))
    if begin < len(data):
        yield begin, len(data)


def _nesting(data: bytes, start: int, end: int) -> int:
    """Return how many more blocks a stretch opens than it closes."""
    return sum(1 if one.group("open") else -1 for one in _BLOCKS.finditer(data, start, end) if one.lastgroup)


def _delimited(data: bytes, start: int, mark: bytes) -> Generator[tuple[int, int], None, int]:
    """Yield the statements that end with `mark`, up to the next `DELIMITER`; return where that begins."""
    following = _DELIMITER.search(data, start)
    stop = following.start() if following else len(data)
    while start < stop:
        end = data.find(mark, start, stop)
        end = stop if end < 0 else end
        begin = _skip(data, start, end)
        if begin < end:
            yield begin, end
        start = end + len(mark)
    return stop


_DELIMITER: Final = re.compile(rb"^delimiter[ \t]", re.IGNORECASE | re.MULTILINE)
_BLANK: Final = re.compile(rb"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


def _skip(data: bytes, start: int, end: int) -> int:
    match = _BLANK.match(data, start, end)
    return match.end() if match else start


def _describe(data: bytes, start: int, end: int) -> tuple[str, str, str, list[str]]:
    text = one_line(data, start, end, limit=4000)
    match = _HEAD.match(text)
    if match is None:
        return "statement", clip(text.split(" ", 1)[0], 40), clip(text, 100), []
    verb, what = match["verb"].lower(), (match["what"] or "").lower()
    name = (match["name"] or "").strip('"`[]') or verb
    if verb == "create" and what == "table":
        columns = [column.strip('"`[]') for column in _COLUMN.findall(text)]
        columns = list(dict.fromkeys(column for column in columns if column.lower() not in _NOT_COLUMNS))
        return "table", name, clip(text.split("(", 1)[0].strip(), 100), columns
    kind = what if verb == "create" and what else verb
    return kind, name, clip(text, 120), []
