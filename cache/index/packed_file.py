"""A packed file as the delta holds it. Pure.

As objects a file of 160 KB is some 18,000 of them, which leave holes in the heap that outlive them; packed it is a dozen arrays.
Terms are told apart by their 64-bit hashes, as between the vocabularies of segments, and found by bisection.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .chunk import Import, Symbol
from .packed import END, PackedAnalysis, PackedTokens
from .packing import parse_imports, parse_symbols

_OBJECTS_BYTES: Final = 2_200
"""Measured heap of a packed file beside what its arrays hold."""


def _uints(values: npt.NDArray[Any]) -> "array[int]":
    return array("I", values.astype(np.uint32).tobytes())


class _Pairs:
    """Places by the hash of what they hold."""

    def __init__(self, tokens: PackedTokens) -> None:
        hashes = np.frombuffer(tokens.hashes, np.uint64)
        counts = np.frombuffer(tokens.counts, np.uint32)
        order = np.argsort(hashes, kind="stable")
        self._hashes: Final = array("Q", hashes[order].tobytes())
        self._places: Final = _uints(np.arange(len(counts)).repeat(counts)[order])

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
        hashes = np.frombuffer(packed.hashes, np.uint64)
        order = np.argsort(hashes)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        rows = rank[np.frombuffer(packed.rows, np.uint32)]
        by_row = np.argsort(rows, kind="stable")  # of a row, the places stay ascending
        counts = np.frombuffer(packed.counts, np.uint32)
        names = packed.names.split(END)
        self._hashes: Final = array("Q", hashes[order].tobytes())
        self._names: Final = END.join([names[row] for row in order.tolist()])
        self._first: Final = _uints(np.append(0, np.bincount(rows, minlength=len(order)).cumsum()))
        self._places: Final = _uints(np.arange(len(counts)).repeat(counts)[by_row])
        self._times: Final = _uints(np.frombuffer(packed.times, np.uint32)[by_row])
        self._spans: Final = array("I", packed.spans)
        self._symbols: Final = packed.symbols
        self._definers: Final = _Pairs(packed.definers)
        self._callers: Final = _Pairs(packed.callers)
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
        return self._symbols.split(END, place + 1)[place]

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
