"""What the index keeps of one file, packed into a dozen byte strings: how it crosses from the worker. Pure.

Without numpy: a child that analyses single files starts in half the time. `packed_file.py` reads it.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .analyse import FileAnalysis, analyse_file
from .chunk import FileStatus
from .named import symbol_terms
from .packing import imports_text, symbols_text
from .tokenise import hash_of

END: Final = b"\n"
"""Terms hold no line end, and texts of symbols and imports no control characters but their own two."""
_MAX_REMEMBERED: Final = 50_000
_remembered: Final[dict[str, bytes]] = {}
"""Hashes of late, in the worker alone: it has one thread. Files of one workspace share most of their terms."""


@dataclass(frozen=True, slots=True)
class PackedTokens:
    """Tokens, chunk by chunk."""

    hashes: bytes
    """8 bytes each."""
    counts: bytes
    """How many there are in each chunk; 4 bytes each, in the machine's own order, as all numbers here."""


@dataclass(frozen=True, slots=True)
class PackedAnalysis:
    """An analysed file."""

    status: FileStatus
    lines: int
    hashes: bytes
    """The hash of each term, 8 bytes."""
    names: bytes
    """The terms in the same order, a line each."""
    rows: bytes
    times: bytes
    """The terms of the first chunk, of the second, …: which term, and how often."""
    counts: bytes
    """How many terms each chunk holds."""
    spans: bytes
    """First line, last line and tokens of each chunk."""
    symbols: bytes
    """The symbols of each chunk, a line each."""
    definers: PackedTokens
    """Tokens of the names that a chunk defines."""
    callers: PackedTokens
    """Tokens that are the whole name of what a chunk calls."""
    imports: str


def pack(analysis: FileAnalysis) -> PackedAnalysis:
    """Pack an analysed file."""
    chunks = analysis.chunks
    ids: dict[str, int] = {}
    rows, times, spans = array("I"), array("I"), array("I")
    for chunk in chunks:
        spans.extend((chunk.start, chunk.end, chunk.length))
        rows.extend([ids.setdefault(term, len(ids)) for term in chunk.terms])
        times.extend(chunk.terms.values())
    return PackedAnalysis(
        analysis.status,
        analysis.lines,
        _hashes(ids),
        END.join([term.encode("utf-8", "surrogatepass") for term in ids]),
        rows.tobytes(),
        times.tobytes(),
        array("I", [len(chunk.terms) for chunk in chunks]).tobytes(),
        spans.tobytes(),
        END.join([symbols_text(chunk.symbols).encode("utf-8", "surrogatepass") for chunk in chunks]),
        _tokens([list(symbol_terms(chunk.symbols)) for chunk in chunks]),
        _tokens([list(chunk.calls) for chunk in chunks]),
        imports_text(analysis.imports),
    )


def analyse_packed(definitions: str, path: str, data: bytes, is_parsed: bool) -> PackedAnalysis:
    """Analyse one file; the entry point for `Worker.call`."""
    return pack(analyse_file(definitions, path, data, is_parsed))


def _tokens(held: list[list[str]]) -> PackedTokens:
    return PackedTokens(_hashes([token for some in held for token in some]), array("I", map(len, held)).tobytes())


def _hashes(terms: Iterable[str]) -> bytes:
    known = _remembered.get
    return b"".join([known(term) or _hashed(term) for term in terms])


def _hashed(term: str) -> bytes:
    if len(_remembered) >= _MAX_REMEMBERED:
        _remembered.clear()
    digest = _remembered[term] = hash_of(term.encode("utf-8", "surrogatepass"))
    return digest
