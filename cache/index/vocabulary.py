"""The vocabulary of a segment: sorted terms, found whole by a hash table and by their beginning by bisection. Pure.

A hash table is an array of slots. From its home on (its hash, modulo four thirds of the number of terms) a term is in the first
slot that was free; a slot holds the id of a term + 1, an empty one 0, and the last slot is empty. A look-up reads three or four
places of the map, a bisection a dozen.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_SAMPLE_EVERY: Final = 64


def _homes_for(n_terms: int) -> int:
    """Return how many homes the hash table of so many terms has."""
    return n_terms * 4 // 3 + 1


def slot_array(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
    """Lay out the hash table of terms, given by their hashes."""
    numbers = np.arange(len(hashes))
    homes = (hashes % np.uint64(_homes_for(len(hashes)))).astype(np.int64)
    order = np.argsort(homes, kind="stable")
    places = np.maximum.accumulate(homes[order] - numbers) + numbers
    slots = np.zeros(max(_homes_for(len(hashes)), int(places.max(initial=0)) + 1) + 1, np.uint32)
    slots[places] = order + 1
    return slots


class Vocabulary:
    """The terms of a mapped segment. Immutable."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        # Bisection reads a handful of bytes at a time; a memoryview does that five times faster than an array.
        self._terms_blob: Final = memoryview(arrays["terms_blob"].data)
        self._terms_ptr: Final = memoryview(arrays["terms_ptr"].data)
        blob, ptr = self._terms_blob, self._terms_ptr
        self._samples: Final = [bytes(blob[ptr[i] : ptr[i + 1]]) for i in range(0, len(ptr) - 1, _SAMPLE_EVERY)]
        """Every 64th term, on the heap: a bisection touches one page of the map instead of six."""
        self._slots: Final = memoryview(arrays["term_slot"].data)
        self.term_hash: npt.NDArray[np.uint64] = arrays["term_hash"]
        self.n_terms: Final = len(self.term_hash)
        self._homes: Final = _homes_for(self.n_terms)

    def term(self, tid: int) -> str:
        """Return the term of an id."""
        return bytes(self._terms_blob[self._terms_ptr[tid] : self._terms_ptr[tid + 1]]).decode("utf-8")

    def position_of(self, term: str) -> int:
        """Return where `term` is or would be in the sorted terms."""
        key = term.encode("utf-8", "surrogatepass")
        block = max(0, bisect_right(self._samples, key) - 1) * _SAMPLE_EVERY
        low, high = block, min(self.n_terms, block + _SAMPLE_EVERY)
        blob, ptr = self._terms_blob, self._terms_ptr
        while low < high:
            middle = (low + high) // 2
            if bytes(blob[ptr[middle] : ptr[middle + 1]]) < key:
                low = middle + 1
            else:
                high = middle
        return low

    def find(self, key: bytes, number: int) -> int | None:
        """Return the id of an encoded term whose hash is known, None if no chunk holds it."""
        slots, blob, ptr = self._slots, self._terms_blob, self._terms_ptr
        place = number % self._homes
        while tid := slots[place]:
            if bytes(blob[ptr[tid - 1] : ptr[tid]]) == key:
                return tid - 1
            place += 1
        return None

    def terms_with_prefix(self, prefix: str, limit: int) -> Iterator[tuple[int, str]]:
        """Yield at most `limit` (id, term) that begin with `prefix`, in order."""
        position = self.position_of(prefix)
        for tid in range(position, min(self.n_terms, position + limit)):
            term = self.term(tid)
            if not term.startswith(prefix):
                return
            yield tid, term

    def terms(self) -> list[bytes]:
        """Return every term, encoded, by id."""
        blob, ptr = self._terms_blob.tobytes(), self._terms_ptr.tolist()
        return [blob[ptr[i] : ptr[i + 1]] for i in range(self.n_terms)]
