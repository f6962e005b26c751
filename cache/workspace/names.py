"""How file names are shown, and how a shown name is typed back. Pure.

A name may hold any byte but `/` and NUL. Shown names escape control, invisible and undecodable characters; `spellings`
undoes that, so that whatever was shown can be asked for.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

# C0, DEL, C1, zero-width, bidi controls and isolates, line separators, tag characters, lone surrogates.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_ESCAPE: Final = re.compile(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U(000e00[0-7][0-9a-f])")


def printable(name: str) -> str:
    r"""Return `name` with control, invisible and undecodable characters escaped as `\xNN` or `\uNNNN`."""
    return _UNPRINTABLE.sub(_escape, name)


def spellings(name: str) -> Iterator[str]:
    """Other spellings that a name may have on disk: escapes undone, and the two Unicode normal forms. Never `name` itself."""
    seen = {name, ""}
    for base in (name, _unescape(name, raw_bytes=True), _unescape(name, raw_bytes=False)):
        candidates = [base] if base.isascii() else [base, unicodedata.normalize("NFC", base), unicodedata.normalize("NFD", base)]
        for spelled in candidates:
            if spelled not in seen:
                seen.add(spelled)
                yield spelled


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:  # a raw byte that os.fsdecode could not decode
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unescape(name: str, *, raw_bytes: bool) -> str:
    def undo(match: re.Match[str]) -> str:
        code = int(match[1] or match[2] or match[3], 16)
        if code == 0 or (not _UNPRINTABLE.match(chr(code)) and not (match[1] and code >= 0x80)):  # never made by `printable`
            return match.group()
        return chr(code + 0xDC00) if match[1] and raw_bytes and code >= 0x80 else chr(code)

    return _ESCAPE.sub(undo, name)
