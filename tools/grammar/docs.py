"""Pure: the first line of a definition's documentation, found in the text next to it."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from .spans import LineMap, clip

MAX_DOC: Final = 100
_MAX_LINES_ABOVE: Final = 80
_DOCSTRING: Final = re.compile(rb"""\s*[rRuUbB]{0,2}(\"\"\"|'''|"|')\s*(?:\\\n\s*)?([^\n]*)""")
_ATTRIBUTE_LINE: Final = re.compile(rb"^\s*(?:#\[|@\w|\[\w)")
_DOC_ATTRIBUTE: Final = re.compile(r'^\s*@(?:module|type)?doc\s+~?[sS]?"+(.*?)"*$')
_MARKS: Final = re.compile(r"^(?:/\*+!?|\*+/|\*+|//+[/!<]?|#+:?|--+|;+|%+|\{-|\"\"\")*\s*\|?\s?")
_CLOSERS: Final = re.compile(r"\s*(?:\*+/|-\}|\"\"\"|''')\s*$")
_XML: Final = re.compile(r"</?(?:summary|remarks|para|p|see\w*|code|c)\b[^>]*>")
_NOISE: Final = re.compile(
    r"^(?:[-=*#/_~\s]*|=(?:begin|end)|@\w+.*|(?:noqa|type:|eslint|NOLINT|pylint|(?:end)?region|-\*-|go:|nolint|fmt:|clang-format).*)$"
)
_OPENS: Final = (b"/*", b"{-", b"=begin", b'"""')
_CLOSES: Final = (b"*/", b"-}", b"=end", b'"""')


def doc_inside(lines: LineMap, body_start: int) -> str:
    """Return the first line of the string that opens the body at `body_start` (Python)."""
    found = _DOCSTRING.match(lines.data, body_start, body_start + 2000)
    if found is None:
        return ""
    quote = found.group(1)
    text = found.group(2)
    closing = text.find(quote)
    return _clean((text if closing < 0 else text[:closing]).decode("utf-8", "replace"))


def doc_above(lines: LineMap, first_line: int, mark: str) -> str:
    """Return the first telling line of the comment right above `first_line`; line comments begin with `mark`."""
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
        elif _ATTRIBUTE_LINE.match(line):
            told = _DOC_ATTRIBUTE.match(line.decode("utf-8", "replace"))
            if told:
                doc = _clean(told.group(1))
                comments.clear()
        else:
            break
    return _first_telling(reversed(comments)) or doc


def _first_telling(comment: Iterable[bytes]) -> str:
    """Return the first text in lines of a comment."""
    return next(filter(None, map(_text_of, comment)), "")


@lru_cache(maxsize=16)
def _comment_line(mark: str) -> "re.Pattern[bytes]":
    marks = {"//": rb"//", "#": rb"#(?![\[!])", "--": rb"--", "": rb"(?!)"}.get(mark, re.escape(mark.encode()))
    return re.compile(rb"^\s*" + marks)


def _block_ending_at(lines: LineMap, number: int, lowest: int) -> str:
    """Return the first telling line of the block comment or string whose last line is `number`."""
    block: list[bytes] = []
    for at in range(number, lowest - 1, -1):
        line = lines.line(at).strip()
        block.append(line)
        is_alone = at == number and line in _CLOSES  # `\"\"\"` both opens and closes
        if line.startswith(_OPENS) and not is_alone:
            return _first_telling(reversed(block))
    return ""


def _text_of(line: bytes) -> str:
    return _clean(_MARKS.sub("", line.decode("utf-8", "replace").strip()))


def _clean(text: str) -> str:
    text = _XML.sub("", _CLOSERS.sub("", text))
    text = " ".join(text.split())
    return "" if _NOISE.match(text) else clip(text, MAX_DOC)
