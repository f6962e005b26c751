"""Pure: where lines begin, and text for one line of an outline."""

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from itertools import count as itertools_count
from operator import add
from typing import Final

MAX_SIGNATURE: Final = 200
"""Characters; longer signatures are cut with `…`. 99 of 100 signatures in CPython's library are shorter."""
MAX_NAME: Final = 120
_SCAN: Final = 4_000
_TAIL: Final = " \t\r\n:{=;,"
_SPACE: Final = b" \t\r\n\f\v"


class LineMap:
    r"""Line numbers (1-based) of byte offsets. Only `\n` ends a line."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        lengths = map(len, data.split(b"\n"))
        self._starts = [0, *map(add, accumulate(lengths), itertools_count(1))]
        self._starts.pop()

    @property
    def count(self) -> int:
        """Number of lines; a newline at the end of the data begins no further one."""
        return len(self._starts) - (self._starts[-1] == len(self.data))

    def line_of(self, offset: int) -> int:
        """Return the line that holds the byte at `offset`."""
        return bisect_right(self._starts, offset)

    def last_line_of(self, start: int, end: int) -> int:
        """Return the line of the last byte of `[start, end)` that is not white space."""
        return self.span_of(start, end)[1]

    def span_of(self, start: int, end: int) -> tuple[int, int]:
        """Return the lines of the first byte of `[start, end)` and of the last that is not white space."""
        data = self.data
        while end > start + 1 and data[end - 1] in _SPACE:
            end -= 1
        first = bisect_right(self._starts, start)
        if first < len(self._starts) and end > self._starts[first]:
            return first, bisect_right(self._starts, end - 1, first)
        return first, first

    def start_of(self, line: int) -> int:
        """Return the offset at which `line` begins."""
        return self._starts[line - 1]

    def above(self, number: int) -> bytes:
        """Return the line above line `number` without the space around it; empty when there is none."""
        return self.data[self._starts[number - 2] : self._starts[number - 1]].strip() if number > 1 else b""

    def line(self, number: int) -> bytes:
        """Return line `number` without its newline; empty when there is none."""
        if not 1 <= number <= len(self._starts):
            return b""
        end = self._starts[number] if number < len(self._starts) else len(self.data)
        return self.data[self._starts[number - 1] : end].rstrip(b"\r\n")


@lru_cache(maxsize=16)
def _comment_pattern(mark: str) -> "re.Pattern[str]":
    blocks = r"|/\*(?s:.*?)\*/" if mark == "//" else ""
    return re.compile(rf"(?:(?<=\s)|^){re.escape(mark)}.*$" + blocks, re.MULTILINE)


def one_line(data: bytes, start: int, end: int, *, limit: int = MAX_SIGNATURE, tail: str = _TAIL, mark: str = "") -> str:
    """Return `data[start:end]` on one line, white space collapsed, cut at `limit` characters.

    In text of several lines, comments that begin with `mark` are dropped: on one line they would swallow what follows. With `//`
    go those between `/*` and `*/`.
    """
    text = data[start : min(end, start + _SCAN)].decode("utf-8", "replace")
    if "\n" in text:
        if mark:
            text = _comment_pattern(mark).sub("", text)
        text = " ".join(text.split()).replace("( ", "(").replace(", )", ")").replace(" )", ")").replace("[ ", "[")
    else:
        text = " ".join(text.split())
    return clip(text.rstrip(tail), limit)


def clip(text: str, limit: int) -> str:
    """Cut `text` to `limit` characters, `…` included."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
