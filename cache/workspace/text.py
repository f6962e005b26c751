r"""Bytes as text: encodings, the binary test, and lines that end at `\n` alone. Pure.

`str.splitlines` also cuts at form feeds, U+0085 and U+2028, which no editor and no `sed` counts as line ends; here line 7 is what
`sed -n 7p` prints. Lines are numbered from 1; the bytes after the last `\n` are a line if there are any.
"""

import codecs
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from ..errors import BinaryFile
from .names import printable

SNIFF_BYTES: Final = 8192
"""git looks at the first 8,000 bytes for the same question."""
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16 LE, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS: Final = bytes(c for c in range(32) if c not in b"\t\n\r\f\b\x1b")
_MAX_CONTROL_RATIO: Final = 0.03
"""Random bytes hold 10% of them, text in any 8-bit encoding practically none."""
_MAX_BAD_RATIO: Final = 0.01
"""Random 16-bit units are lone surrogates in 3% of cases, text never."""
_TEXT_CONTROLS: Final = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A file's bytes as characters."""

    text: str
    """A byte order mark stays as U+FEFF: `text.encode(encoding)` gives the bytes back whenever `is_exact`."""
    encoding: str
    is_exact: bool
    """False if the encoding is a guess: good for viewing, not to be edited and written back."""


def decode(data: bytes, encoding: str = "") -> DecodedText:
    """Decode by byte order mark, else UTF-8, else UTF-16 by its NULs, else Latin-1 for viewing.

    `encoding` is that of a part of a file whose whole has been looked at (`encoding_of`).
    """
    named = encoding or encoding_of(data)
    if named.startswith(("utf-16", "utf-32")):
        try:
            text = data.decode(named)
        except UnicodeDecodeError:
            return DecodedText(data.decode(named, "replace"), named, is_exact=False)
        return DecodedText(text, named, is_exact=bool(encoding) or text.startswith("\ufeff"))
    if encoding != "latin-1":
        try:
            return DecodedText(data.decode("utf-8"), "utf-8", is_exact=True)
        except UnicodeDecodeError:
            pass
    return DecodedText(data.decode("latin-1"), "latin-1", is_exact=False)


def encoding_of(head: bytes) -> str:
    """Name the encoding that the first bytes of a file show; `latin-1` stands for whatever is not UTF-8, UTF-16 or UTF-32."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            is_short_for_utf32 = encoding == "utf-32-le" and not _decodes(head, encoding)
            if not is_short_for_utf32:
                return encoding
    sample = head[:SNIFF_BYTES]
    if b"\0" in sample:
        return _utf16_by_nuls(sample) or "latin-1"
    return "utf-8" if _decodes(sample, "utf-8") else "latin-1"


def is_binary(data: bytes) -> bool:
    """Whether the first 8 KB are no text: NULs that are not those of UTF-16 or UTF-32, or control characters in non-UTF-8."""
    head = data[:SNIFF_BYTES]
    encoding = encoding_of(head)
    if encoding.startswith(("utf-16", "utf-32")):
        text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
        bad = len(_TEXT_CONTROLS.findall(text)) + text.count("\ufffd")
        return bad > len(text) * _MAX_BAD_RATIO
    if b"\0" in head:
        return True
    return encoding == "latin-1" and len(head) - len(head.translate(None, _CONTROLS)) > len(head) * _MAX_CONTROL_RATIO


def check_text(rel: str, head: bytes, size: int) -> None:
    """Return if a file that begins with `head` holds text.

    Raises:
        BinaryFile: It does not; the message says how large it is and what it seems to be.
    """
    if is_binary(head):
        raise BinaryFile(
            f"{printable(rel)} is binary, {size:,} bytes{_kind_of(head)}",
            why="bytes that are no text would reach you garbled",
            next_call=f'read path="{printable(rel)}" view=reference gives its facts; convert it to text with its own tool',
        )


def line_offsets(data: bytes) -> Sequence[int]:
    r"""Return where each line begins, in bytes; 8 bytes a line. Line n (from 1) begins at `offsets[n - 1]`."""
    offsets = array("q", [0] if data else [])
    pieces = data.split(b"\n")
    del pieces[-1]
    offsets.extend(end + number for number, end in enumerate(accumulate(map(len, pieces)), 1))
    if data.endswith(b"\n"):
        offsets.pop()
    return offsets


def count_lines(data: bytes) -> int:
    r"""Return the number of lines: those ended by `\n`, and one more if bytes follow the last of them."""
    return data.count(b"\n") + (1 if data and not data.endswith(b"\n") else 0)


def slice_lines(data: bytes, first: int, last: int, offsets: Sequence[int] | None = None) -> bytes:
    """Return lines `first` to `last`, from 1 and inclusive, byte-exact with their line ends; clipped to the lines there are."""
    starts = line_offsets(data) if offsets is None else offsets
    first = max(first, 1)
    if first > len(starts) or last < first:
        return b""
    end = starts[last] if last < len(starts) else len(data)
    return data[starts[first - 1] : end]


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)  # not final: the sample may end inside a character
    except UnicodeDecodeError:
        return False
    return True


def _utf16_by_nuls(head: bytes) -> str:
    """UTF-16 text without a mark is mostly ASCII where it can be told at all: NULs on one side of each pair only."""
    if len(head) % 2:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    pairs = max(1, len(head) // 2)
    if odd > pairs * 0.4 and even < pairs * 0.02:
        return "utf-16-le"
    return "utf-16-be" if even > pairs * 0.4 and odd < pairs * 0.02 else ""


_KINDS: Final = (
    (b"\x7fELF", "ELF program"),
    (b"\x89PNG", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"%PDF", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"(\xb5/\xfd", "zstd data"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"\0asm", "WebAssembly module"),
    (b"MZ", "Windows program"),
)


def _kind_of(head: bytes) -> str:
    return next((f", {kind}" for magic, kind in _KINDS if head.startswith(magic)), "")
