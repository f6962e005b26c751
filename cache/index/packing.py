"""Symbols and imports as the text that a segment holds of them, and back. Pure.

Names hold no control characters: chunking and analysis put spaces in their place.
"""

from collections.abc import Sequence
from typing import Final

from .chunk import Import, Symbol

_FIELD: Final = "\x1f"
_RECORD: Final = "\x1e"


def symbols_text(symbols: Sequence[Symbol]) -> str:
    """Pack the symbols of a chunk."""
    return _RECORD.join(f"{s.kind}{_FIELD}{s.name}{_FIELD}{s.line}{_FIELD}{s.end}" for s in symbols)


def parse_symbols(text: str) -> tuple[Symbol, ...]:
    """Unpack the symbols of a chunk."""
    if not text:
        return ()
    found: list[Symbol] = []
    for record in text.split(_RECORD):
        kind, name, line, end = record.split(_FIELD)
        found.append(Symbol(kind, name, int(line), int(end)))
    return tuple(found)


def symbol_names(text: str) -> list[str]:
    """Return the names alone of packed symbols."""
    return text.replace(_RECORD, _FIELD).split(_FIELD)[1::4]


def imports_text(imports: Sequence[Import]) -> str:
    """Pack the imports of a file."""
    return _RECORD.join(f"{module}{_FIELD}{' '.join(names)}" for module, names in imports)


def parse_imports(text: str) -> tuple[Import, ...]:
    """Unpack the imports of a file."""
    pairs = [record.partition(_FIELD) for record in text.split(_RECORD)] if text else []
    return tuple((module, tuple(names.split())) for module, _, names in pairs)
