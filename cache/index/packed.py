"""What the index keeps of one file, packed into a dozen byte strings. Pure.

The delta holds files in this form: as objects a file of 160 KB is some 18,000 of them, which leave holes in the heap that outlive
them. It is made in the worker. Terms are told apart by their 64-bit hashes, as between the vocabularies of segments.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .analyse import FileAnalysis, analyse_file
from .assemble import symbol_terms
from .chunk import FileStatus, Import, Symbol
from .packing import imports_text, parse_imports, parse_symbols, symbols_text
from .vocabulary import number_of

_END: Final = b"\n"
"""Terms hold no line end, and texts of symbols and imports no control characters but their own two."""
_OBJECTS_BYTES: Final = 2_200
"""Measured heap of a packed file beside its byte strings."""


@dataclass(frozen=True, slots=True)
class PackedAnalysis:
    """An analysed file as it crosses between processes. Numbers are in the machine's own order."""

    status: FileStatus
    lines: int
    hashes: bytes
    """The terms' hashes, ascending, 8 bytes each."""
    names: bytes
    """The terms in that order, a line each."""
    first: bytes
    """Where each term's postings begin, and where the last one's end; 4 bytes each, as all that follows."""
    places: bytes
    times: bytes
    """The postings: which chunk, and how often."""
    spans: bytes
    """First line, last line and tokens of each chunk."""
    symbols: bytes
    """The symbols of each chunk, a line each."""
    definers: tuple[bytes, bytes]
    """Hashes of the tokens of defined names, ascending, and for each the chunk that defines it."""
    callers: tuple[bytes, bytes]
    """The same for what is called."""
    imports: str


def pack(analysis: FileAnalysis) -> PackedAnalysis:
    """Pack an analysed file."""
    postings: dict[str, list[tuple[int, int]]] = {}
    spans = array("I")
    for place, chunk in enumerate(analysis.chunks):
        spans.extend((chunk.start, chunk.end, chunk.length))
        for term, times in chunk.terms.items():
            postings.setdefault(term, []).append((place, times))
    encoded = sorted((_number(term), _encoded(term), held) for term, held in postings.items())
    flat = [posting for *_, held in encoded for posting in held]
    first = array("I", [0])
    for *_, held in encoded:
        first.append(first[-1] + len(held))
    return PackedAnalysis(
        analysis.status,
        analysis.lines,
        array("Q", [number for number, *_ in encoded]).tobytes(),
        _END.join(name for _, name, _ in encoded),
        first.tobytes(),
        array("I", [place for place, _ in flat]).tobytes(),
        array("I", [times for _, times in flat]).tobytes(),
        spans.tobytes(),
        _END.join(symbols_text(chunk.symbols).encode("utf-8", "surrogatepass") for chunk in analysis.chunks),
        _pairs(symbol_terms(chunk.symbols) for chunk in analysis.chunks),
        _pairs(chunk.calls for chunk in analysis.chunks),
        imports_text(analysis.imports),
    )


def analyse_packed(definitions: str, path: str, data: bytes, is_parsed: bool) -> PackedAnalysis:
    """Analyse one file; the entry point for `Worker.call`."""
    return pack(analyse_file(definitions, path, data, is_parsed))


def _encoded(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")


def _number(term: str) -> int:
    return number_of(_encoded(term))


def _pairs(tokens: Iterable[Iterable[str]]) -> tuple[bytes, bytes]:
    pairs = sorted((_number(token), place) for place, held in enumerate(tokens) for token in held)
    return array("Q", [number for number, _ in pairs]).tobytes(), array("I", [place for _, place in pairs]).tobytes()


class _Pairs:
    """Places by the hash of what they hold."""

    def __init__(self, hashes: bytes, places: bytes) -> None:
        self._hashes: Final = array("Q", hashes)
        self._places: Final = array("I", places)

    @property
    def nbytes(self) -> int:
        return self._hashes.itemsize * len(self._hashes) + self._places.itemsize * len(self._places)

    def held(self, number: int) -> Sequence[int]:
        """Return the places of a hash."""
        first = bisect_left(self._hashes, number)
        if first == len(self._hashes) or self._hashes[first] != number:
            return ()
        return self._places[first : bisect_right(self._hashes, number, first)]


class PackedFile:
    """Reads a packed file. Immutable. A place is the number of a chunk in it, a row that of a term."""

    def __init__(self, packed: PackedAnalysis) -> None:
        self._hashes: Final = array("Q", packed.hashes)
        self._names: Final = packed.names
        self._first: Final = array("I", packed.first)
        self._places: Final = array("I", packed.places)
        self._times: Final = array("I", packed.times)
        self._spans: Final = array("I", packed.spans)
        self._symbols: Final = packed.symbols
        self._definers: Final = _Pairs(*packed.definers)
        self._callers: Final = _Pairs(*packed.callers)
        self._imports: Final = packed.imports
        self.n_chunks: Final = len(self._spans) // 3
        self.length: Final = sum(self._spans[2::3])
        """Tokens in all chunks."""

    @property
    def nbytes(self) -> int:
        """Estimated heap."""
        arrays = (self._hashes, self._first, self._places, self._times, self._spans)
        held = sum(len(one) * one.itemsize for one in arrays) + self._definers.nbytes + self._callers.nbytes
        return _OBJECTS_BYTES + held + len(self._names) + len(self._symbols) + len(self._imports)

    def find(self, number: int) -> int:
        """Return the row of the term with this hash, -1 if no chunk holds it."""
        row = bisect_left(self._hashes, number)
        return row if row < len(self._hashes) and self._hashes[row] == number else -1

    def frequency(self, row: int) -> int:
        """Return how many chunks hold a term."""
        return self._first[row + 1] - self._first[row]

    def postings(self, row: int) -> list[tuple[int, int]]:
        """Return the places that hold a term, ascending, and how often each does."""
        first, last = self._first[row], self._first[row + 1]
        return list(zip(self._places[first:last], self._times[first:last], strict=True))

    def frequencies(self) -> tuple["np.ndarray[tuple[int], np.dtype[np.uint64]]", "np.ndarray[tuple[int], np.dtype[np.uint32]]"]:
        """Return every term's hash, and how many chunks hold it."""
        return np.asarray(self._hashes, np.uint64), np.diff(np.asarray(self._first, np.uint32))

    def terms(self) -> list[str]:
        """Return every term, by row."""
        names = self._names.decode("utf-8", "surrogatepass")
        return names.split("\n") if len(self._hashes) else []

    def rows_of(self, place: int) -> list[int]:
        """Return the terms that a chunk holds."""
        at = np.flatnonzero(np.asarray(self._places, np.uint32) == place)
        return (np.searchsorted(np.asarray(self._first, np.uint32), at, side="right") - 1).tolist()

    def counts(self, place: int) -> dict[str, int]:
        """Return the terms of a chunk, and how often it holds each."""
        names = self.terms()
        return {names[row]: dict(self.postings(row))[place] for row in self.rows_of(place)}

    def number_at(self, row: int) -> int:
        """Return the hash of a term."""
        return self._hashes[row]

    def span(self, place: int) -> tuple[int, int]:
        """Return the first and last line of a chunk."""
        return self._spans[3 * place], self._spans[3 * place + 1]

    def length_of(self, place: int) -> int:
        """Return the tokens of a chunk."""
        return self._spans[3 * place + 2]

    def lengths(self) -> Sequence[int]:
        """Return the tokens of every chunk."""
        return self._spans[2::3]

    def symbols_raw(self, place: int) -> bytes:
        """Return the packed definitions of a chunk."""
        return self._symbols.split(_END, place + 1)[place]

    def symbols(self, place: int) -> tuple[Symbol, ...]:
        """Return the definitions that begin in a chunk."""
        return parse_symbols(self.symbols_raw(place).decode("utf-8", "surrogatepass"))

    @property
    def imports(self) -> tuple[Import, ...]:
        """What the file imports."""
        return parse_imports(self._imports)

    def definers(self, number: int) -> Sequence[int]:
        """Return the places that define a symbol with the token of this hash in its name."""
        return self._definers.held(number)

    def callers(self, number: int) -> Sequence[int]:
        """Return the places that call something whose whole name is the token of this hash."""
        return self._callers.held(number)
