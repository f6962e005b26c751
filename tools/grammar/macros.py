"""Pure: C and C++ types behind a macro, `class API_EXPORT Shape : public Figure {`, which the grammars take for functions."""

import re
from typing import Final

_KEYS: Final = (b"class ", b"struct ", b"union ")
_MACROS: Final = re.compile(
    rb"[ \t]*((?:[A-Z_][A-Z0-9_]{2,}(?:\([^()\n]*\))?[ \t]+)+)"
    rb"(?!final\b)[A-Za-z_]\w*(?:<[^<>;{}\n]*>)?\s*(?:final\s*)?(?:\{|:(?!:))"
)
"""Macros, then a name, then what only the head of a type has: a brace or its bases."""


def without_macros(data: bytes) -> bytes:
    """Return `data` with blanks in the place of macros between `class` and the name of a type; every offset stays the same."""
    spans = [found.span(1) for key in _KEYS for at in _ends(data, key) if (found := _MACROS.match(data, at))]
    if not spans:
        return data
    blanked = bytearray(data)
    for start, end in spans:
        blanked[start:end] = b" " * (end - start)
    return bytes(blanked)


def _ends(data: bytes, key: bytes) -> list[int]:
    out: list[int] = []
    at = data.find(key)
    while at >= 0:
        at += len(key)
        out.append(at)
        at = data.find(key, at)
    return out
