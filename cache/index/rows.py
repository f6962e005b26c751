"""Frequency rows: for the terms that much of a segment holds, how often each chunk does, one byte a chunk.

A frequent term's postings are the bulk of a query and say least. With its row a query looks the term up in the few chunks
that can still win instead of going through all its postings. A row belongs to the segment, which never changes, so edits
do not make it stale; a segment keeps `MAX_ROWS` of them, and less if it is large.
"""

import threading
from typing import Final

import numpy as np

from .segment import Array, Segment

MAX_ROWS: Final = 40
_MAX_BYTES: Final = 4_000_000
_KEY: Final = "_frequency_rows"


class FrequencyRows:
    """The rows of one segment, those used last. Thread-safe; two threads may make the same row."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._room = min(MAX_ROWS, _MAX_BYTES // max(1, segment.n_docs))
        self._lock = threading.Lock()
        self._rows: dict[int, Array] = {}

    def __repr__(self) -> str:
        return f"<FrequencyRows of {self._segment.name}: {len(self._rows)} of {self._room}>"

    @property
    def nbytes(self) -> int:
        """Heap of the rows kept now."""
        with self._lock:
            return sum(row.nbytes for row in self._rows.values())

    def row(self, tid: int) -> Array:
        """Return how often each chunk holds a term."""
        with self._lock:
            row = self._rows.pop(tid, None)
        if row is None:
            docs, tfs = self._segment.postings(tid)
            row = np.zeros(self._segment.n_docs, np.uint8 if int(tfs.max(initial=0)) < 256 else tfs.dtype)
            row[docs] = tfs
        with self._lock:
            self._rows[tid] = row
            while len(self._rows) > self._room:
                del self._rows[next(iter(self._rows))]
        return row


def row_bytes(segment: Segment) -> int:
    """Return what the rows of a segment take, 0 before their first use: for the ledger."""
    found = segment.__dict__.get(_KEY)
    return 0 if found is None else found.nbytes


def rows_of(segment: Segment) -> FrequencyRows:
    """Return the rows of a segment, made at their first use and kept with it."""
    found = segment.__dict__.get(_KEY)
    if found is None:
        found = segment.__dict__[_KEY] = FrequencyRows(segment)
    return found
