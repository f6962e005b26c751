"""What the index keeps of one file, packed into a dozen byte strings. Pure.

The delta holds files in this form: as objects a file of 160 KB is some 18,000 of them, which leave holes in the heap that outlive
them. It is made in the worker. Terms are told apart by their 64-bit hashes, as between the vocabularies of segments.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .analyse import FileAnalysis, analyse_file
from .assemble import symbol_terms
from .chunk import FileStatus, Import, Symbol
from .packing import imports_text, parse_imports, parse_symbols, symbols_text
from .vocabulary import hash_of

_END: Final = b"\n"
"""Terms hold no line end, and texts of symbols and imports no control characters but their own two."""
_MAX_REMEMBERED: Final = 50_000
_remembered: Final[dict[str, bytes]] = {}
"""Hashes of late, in the worker alone: it has one thread."""
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
    chunks = analysis.chunks
    ids: dict[str, int] = {}
    rows, places, times, spans = array("I"), array("I"), array("I"), array("I")
    for place, chunk in enumerate(chunks):
        spans.extend((chunk.start, chunk.end, chunk.length))
        rows.extend([ids.setdefault(term, len(ids)) for term in chunk.terms])
        times.extend(chunk.terms.values())
        places.extend([place] * len(chunk.terms))
    encoded = [term.encode("utf-8", "surrogatepass") for term in ids]
    hashes = _hashes(ids)
    order = np.argsort(hashes)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    row = rank[np.asarray(rows)] if rows else np.empty(0, np.int64)
    by_row = np.argsort(row, kind="stable")
    counts = np.bincount(row, minlength=len(order))
    return PackedAnalysis(
        analysis.status,
        analysis.lines,
        hashes[order].tobytes(),
        _END.join([encoded[term] for term in order.tolist()]),
        np.append(0, counts.cumsum()).astype(np.uint32).tobytes(),
        np.asarray(places, np.uint32)[by_row].tobytes(),
        np.asarray(times, np.uint32)[by_row].tobytes(),
        spans.tobytes(),
        _END.join([symbols_text(chunk.symbols).encode("utf-8", "surrogatepass") for chunk in chunks]),
        _pairs(symbol_terms(chunk.symbols) for chunk in chunks),
        _pairs(chunk.calls for chunk in chunks),
        imports_text(analysis.imports),
    )


def analyse_packed(definitions: str, path: str, data: bytes, is_parsed: bool) -> PackedAnalysis:
    """Analyse one file; the entry point for `Worker.call`."""
    return pack(analyse_file(definitions, path, data, is_parsed))


def _hashes(terms: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return the hashes of terms; files of one workspace share most of theirs."""
    known = _remembered.get
    return np.frombuffer(b"".join([known(term) or _hashed(term) for term in terms]), np.uint64)


def _hashed(term: str) -> bytes:
    if len(_remembered) >= _MAX_REMEMBERED:
        _remembered.clear()
    digest = _remembered[term] = hash_of(term.encode("utf-8", "surrogatepass"))
    return digest


def _pairs(tokens: Iterable[Collection[str]]) -> tuple[bytes, bytes]:
    held = list(tokens)
    hashes = _hashes(token for some in held for token in some)
    places = np.arange(len(held), dtype=np.uint32).repeat([len(some) for some in held])
    order = np.argsort(hashes, kind="stable")
    return hashes[order].tobytes(), places[order].tobytes()


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

    def frequencies(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]:
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
