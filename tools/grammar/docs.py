"""Pure: the first line of a definition's documentation, found in the text next to it."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from .spans import LineMap, clip

MAX_DOC: Final = 100
_MAX_LINES_ABOVE: Final = 400
_DOCSTRING: Final = re.compile(rb"""\s*[rRuUbB]{0,2}(\"\"\"|'''|"|')\s*(?:\\\n\s*)?([^\n]*)""")
_ATTRIBUTE_LINE: Final = re.compile(rb"^\s*(?:#\[|@\w|\[\w)")
_DOC_ATTRIBUTE: Final = re.compile(r'^\s*@(?:module|type)?doc\s+~?[sS]?"+(.*?)"*$')
_MARKS: Final = re.compile(r"^(?:/\*+!?|\*+/|\*+|//+[/!<]?|#+:?|--+|;+|%+|\{-|\"\"\")*\s*\|?\s?")
_CLOSERS: Final = re.compile(r"\s*(?:\*+/|-\}|\"\"\"|''')\s*$")
_CLOSING: Final = frozenset("/}\"'")
"""The last characters of what closes a comment: most lines end otherwise, and looking for it is slow."""
_XML: Final = re.compile(r"</?(?:summary|remarks|para|p|see\w*|code|c|param|returns|typeparam|value|exception)\b[^>]*>")
_NOISE: Final = re.compile(
    r"^(?:[-=*#/_~\s]*|=(?:begin|end)|@\w+.*|(?:noqa|type:|eslint|NOLINT|pylint|(?:end)?region|-\*-|go:|nolint|fmt:|clang-format).*)$"
)
_QUOTED_OPENS: Final = re.compile(rb'^[ \t]*(?:@(?:type)?doc[ \t]+)?(?:~[sS]|raw|doc)?"""')
_MODULE_DOC: Final = re.compile(rb'do\s+@moduledoc\s+~?[sS]?(?:"""[ \t]*\r?\n([^\n]*)|"([^"\n]*)")')
_OPENS: Final = (b"/*", b"{-", b"=begin")
_CODE_INDENT: Final = 4
"""Columns from which on a line of Markdown is code."""
_CLOSES: Final = (b"*/", b"-}", b"=end", b'"""')
_CLOSE_ENDS: Final = frozenset(b'/}d"')
"""Their last bytes."""


def doc_inside(lines: LineMap, body_start: int) -> str:
    """Return the first line of the string that opens the body at `body_start` (Python)."""
    found = _DOCSTRING.match(lines.data, body_start, body_start + 2000)
    if found is None:
        return ""
    quote = found.group(1)
    text = found.group(2)
    closing = text.find(quote)
    return _clean((text if closing < 0 else text[:closing]).decode("utf-8", "replace"))


def doc_in_module(lines: LineMap, body_start: int) -> str:
    """Return the first line of the `@moduledoc` that opens the body at `body_start` (Elixir)."""
    found = _MODULE_DOC.match(lines.data, body_start, body_start + 2000)
    return _clean((found.group(1) or found.group(2) or b"").decode("utf-8", "replace")) if found else ""


def doc_above(lines: LineMap, first_line: int, mark: str) -> str:
    """Return the first telling line of the comment right above `first_line`; line comments begin with `mark`."""
    above = lines.above(first_line)
    if not above or (above[0] not in _first_bytes(mark) and above[-1] not in _CLOSE_ENDS):
        return ""  # most definitions: what follows would find the same, slowly
    is_comment = _comment_line(mark)
    lowest = max(1, first_line - _MAX_LINES_ABOVE)
    doc = ""
    comments: list[bytes] = []  # those above the attribute that `doc` is from, bottom up
    for number in range(first_line - 1, lowest - 1, -1):
        line = lines.line(number)
        if is_comment.match(line):
            comments.append(line)
        elif line.rstrip().endswith(_CLOSES):
            return _block_ending_at(lines, number, lowest) or _first_telling(reversed(comments)) or doc
        elif mark and _ATTRIBUTE_LINE.match(line):
            told = _DOC_ATTRIBUTE.match(line.decode("utf-8", "replace"))
            if told:
                doc = _clean(told.group(1))
                comments.clear()
        else:
            break
    return _first_telling(reversed(comments)) or doc


@lru_cache(maxsize=16)
def _first_bytes(mark: str) -> frozenset[int]:
    """Return what the line above a definition begins with if it is a comment or an attribute."""
    return frozenset(f"{mark[:1]}@#[".encode())


def _first_telling(comment: Iterable[bytes]) -> str:
    """Return the first text in lines of a comment."""
    return next(filter(None, map(_text_of, comment)), "")


@lru_cache(maxsize=16)
def _comment_line(mark: str) -> "re.Pattern[bytes]":
    marks = {"//": rb"//", "#": rb"#(?![\[!])", "--": rb"--", "": rb"(?!)"}.get(mark, re.escape(mark.encode()))
    return re.compile(rb"^\s*" + marks)


def _block_ending_at(lines: LineMap, number: int, lowest: int) -> str:
    """Return the first telling line of the block comment or string whose last line is `number`."""
    data, last = lines.data, lines.line(number).rstrip()
    end = lines.start_of(number) + len(last)
    if last.endswith(b"*/"):
        opened = data.rfind(b"/*", lines.start_of(lowest), end)
        if opened >= 0 and not data[data.rfind(b"\n", 0, opened) + 1 : opened].strip():
            block = data[opened:end]
            return _first_telling(block.split(b"\n", 3)[:3]) or _first_telling(block.split(b"\n"))
    if last.endswith(b'"""'):
        return _quoted_ending_at(lines, number, lowest)
    upwards: list[bytes] = []
    for at in range(number, lowest - 1, -1):
        line = lines.line(at).strip()
        upwards.append(line)
        if line.startswith(_OPENS):
            return _first_telling(reversed(upwards))
    return ""


def _quoted_ending_at(lines: LineMap, number: int, lowest: int) -> str:
    """Return the first telling line of the string that ends on line `number`; code that it opens with is passed over (Julia)."""
    if lines.line(number).count(b'"""') > 1:
        return _text_of(lines.line(number)) if _QUOTED_OPENS.match(lines.line(number)) else ""
    block: list[bytes] = []
    for at in range(number - 1, lowest - 1, -1):
        line = lines.line(at)
        if b'"""' in line:
            opened = _QUOTED_OPENS.match(line)
            if opened is None:
                return ""
            block.append(line[opened.end() :])
            margin = len(line) - len(line.lstrip()) + _CODE_INDENT
            told = [text for text in reversed(block) if text[:margin].strip() or not text.strip()]
            return _first_telling(told) or _first_telling(reversed(block))
        block.append(line)
    return ""


def _text_of(line: bytes) -> str:
    text = line.decode("utf-8", "replace").strip()
    mark = _MARKS.match(text)
    return _clean(text[mark.end() :] if mark else text)


def _clean(text: str) -> str:
    if text[-1:] in _CLOSING or text[-1:].isspace():
        text = _CLOSERS.sub("", text)
    if "<" in text:
        text = _XML.sub("", text)
    text = " ".join(text.split())
    return "" if _NOISE.match(text) else clip(text, MAX_DOC)
