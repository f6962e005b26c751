"""A file as the tools deliver it: its text in lines, its encoding, its tokens, what there is to warn of.

Values and pure functions over bytes that were read through the jail.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ..cache.tokens import TokenCount, TokenCounter
from ..cache.workspace.names import printable
from ..cache.workspace.ranges import LineRange
from ..cache.workspace.text import check_text, decode
from .paging import Page, split_lines
from .views.view import has_marks

_INVISIBLE: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\U000e0000-\U000e007f]")
_MEMO: Final = 4096


class TokenMemo:
    """Token counts by content hash: counting once per content, not once per read. Bounded, about 0.5 MB when full."""

    def __init__(self, counter: TokenCounter, size: int = _MEMO) -> None:
        self.counter = counter
        self._size = size
        self._counts: OrderedDict[str, TokenCount] = OrderedDict()

    def count(self, sha256: str, text: str) -> TokenCount:
        """Return the tokens of `text`, whose bytes have the hash `sha256`."""
        found = self._counts.get(sha256)
        if found is None:
            found = self.counter.count(text)
            self._counts[sha256] = found
            while len(self._counts) > self._size:
                self._counts.popitem(last=False)
        return found

    def tokens(self, text: str) -> int:
        """Count a text that is not worth remembering."""
        return self.counter.count(text).tokens


@dataclass(frozen=True)
class FileText:
    """Decoded content of one file or payload."""

    name: str
    """Display name, unescaped."""
    text: str
    encoding: str
    is_exact: bool
    sha256: str
    is_changing: bool = False

    @cached_property
    def lines(self) -> list[str]:
        r"""The lines, each with its end; split at `\n` alone."""
        return split_lines(self.text)

    @cached_property
    def total(self) -> int:
        r"""How many lines there are: those ended by `\n`, and one more if text follows the last of them."""
        return self.text.count("\n") + (bool(self.text) and not self.text.endswith("\n"))

    @cached_property
    def shown(self) -> str:
        """The name as it may be shown."""
        return printable(self.name)

    def slice(self, span: LineRange) -> tuple[list[str], int]:
        """Return the lines of a planned range, and the characters of the first that its column leaves out.

        Columns count bytes in the file's encoding.
        """
        first, last = span.first, span.last or self.total
        chosen = self.lines[first - 1 : last]
        if span.column is None or not chosen:
            return chosen, 0
        raw = chosen[0].encode(self.encoding, "surrogatepass")
        start = len(raw[: span.column - 1].decode(self.encoding, "ignore"))
        if span.last_column is not None:
            chosen = [raw[: span.last_column].decode(self.encoding, "ignore")]
        return chosen, start

    def continuation(self, page: Page, last: int | None = None) -> str:
        """Return the `lines` value that goes on after `page`, to `last` if given; "" if nothing is left."""
        if not page.next_line:
            return ""
        if page.next_char:
            shown = self.lines[page.next_line - 1][: page.next_char]
            part = f"{page.next_line}:{len(shown.encode(self.encoding, 'surrogatepass')) + 1}-"
            following = page.next_line + 1
            if following > (last or self.total):
                return part
            return f"{part},{following}-{last or ''}"
        return f"{page.next_line}-{last or ''}"

    def warnings(self, body: str) -> list[str]:
        """Say what a reader or editor of `body` must know about the file."""
        found: list[str] = []
        if not self.is_exact:
            found.append(f"{self.encoding} shown as text, do not edit from it")
        elif self.encoding != "utf-8":
            found.append(self.encoding)
        if self.is_changing:
            found.append("being written right now")
        if not body.isascii() or "\x1b" in body or "\x08" in body:
            hidden = len(_INVISIBLE.findall(body))
            if hidden:
                found.append(f"contains {hidden} invisible characters")
        if has_marks(body):
            found.append("holds marks of omission: a view may have been saved over this file")
        return found


def file_text(name: str, data: bytes, sha256: str, *, is_changing: bool = False) -> FileText:
    """Decode `data`.

    Raises:
        BinaryFile: It holds no text.
    """
    check_text(name, data[:8192], len(data))
    decoded = decode(data)
    return FileText(name, decoded.text, decoded.encoding, decoded.is_exact, sha256, is_changing)
