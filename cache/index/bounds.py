"""What each term can add to each file's score at most, and which chunks hold a frequent term: made with a segment. Pure.

For a term and a file that holds it there is one byte: the term's greatest gain in a chunk of the file, tf / (tf + k1 (1 - b + b
length / mean)), times the shares of as many chunks as hold it, rounded up. Their sum over the terms of a query, each times its
idf, bounds the file's score from above (rearrangement inequality), and there are some times fewer of them than postings. The mean
is the segment's own: where a state's chunks are longer in the mean, gains are larger by that factor at most.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .formula import K1, SHARES, B

Array = npt.NDArray[Any]
STEP: Final = sum(SHARES) / 255
"""What one unit of a byte stands for."""
_SPREAD: Final = np.cumsum((0.0, *SHARES))
_BLOCK: Final = 1 << 20
"""Postings that are worked on at a time: about 50 MB."""
_OFTEN: Final = 32
"""A term that one chunk of so many holds has a row of bits, which is no larger than its postings are."""


class FileBounds:
    """The bounds of a mapped segment. Immutable."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._ptr: Final = memoryview(arrays["bound_ptr"].data)
        self.file: Final[Array] = arrays["bound_file"]
        """The files that hold a term, ascending, term by term."""
        self.most: Final[npt.NDArray[np.uint8]] = arrays["bound_most"]
        self.first: Final[npt.NDArray[np.uint32]] = arrays["bound_first"]
        """Where the postings of a term in a file begin; one more than there are files."""
        self.mean: Final = float(arrays["bound_mean"][0])
        """Mean length of the segment's chunks."""
        self.often: Final[npt.NDArray[np.uint8]] = arrays["often_docs"]
        """The chunks of frequent terms, a row of bits for each."""
        self._row: Final = {tid: row for row, tid in enumerate(arrays["often_term"].tolist())}

    def range_of(self, tid: int) -> tuple[int, int]:
        """Return where the files of a term begin and end."""
        return self._ptr[tid], self._ptr[tid + 1]

    def row_of(self, tid: int) -> int:
        """Return the row of a frequent term, -1 for any other."""
        return self._row.get(tid, -1)


def bound_arrays(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays of the bounds, from those of the postings, documents and files."""
    n_files, n_terms = len(arrays["file_doc"]) - 1, len(arrays["post_ptr"]) - 1
    mean = float(arrays["doc_len"].mean()) if len(arrays["doc_len"]) else 1.0
    files: list[Array] = [np.empty(0, np.uint16 if n_files <= 1 << 16 else np.uint32)]
    most: list[Array] = [np.empty(0, np.uint8)]
    first: list[Array] = [np.empty(0, np.uint32)]
    counts = np.zeros(n_terms + 1, np.int64)
    for terms, at, gains in _blocks(arrays, mean or 1.0):
        owners = arrays["doc_file"][arrays["post_doc"][at : at + len(terms)]]
        starts = np.append(True, (terms[1:] != terms[:-1]) | (owners[1:] != owners[:-1])).nonzero()[0]
        chunks = np.diff(starts, append=len(terms))
        bounds = np.maximum.reduceat(gains, starts) * _SPREAD[np.minimum(chunks, len(SHARES))]
        files.append(owners[starts].astype(files[0].dtype))
        most.append(np.ceil(bounds / STEP).clip(1, 255).astype(np.uint8))
        first.append((starts + at).astype(np.uint32))
        counts += np.bincount(terms[starts] + 1, minlength=n_terms + 1)
    first.append(np.asarray([len(arrays["post_doc"])], np.uint32))
    return {
        "bound_ptr": counts.cumsum().astype(np.uint32),
        "bound_file": np.concatenate(files),
        "bound_most": np.concatenate(most),
        "bound_first": np.concatenate(first),
        "bound_mean": np.asarray([mean or 1.0]),
        **_often_arrays(arrays),
    }


def _blocks(arrays: Mapping[str, Array], mean: float) -> Iterator[tuple[Array, int, Array]]:
    """Yield, for the postings of some terms at a time, whose they are, where they begin, and the gain of each."""
    pointer, n_postings = arrays["post_ptr"], len(arrays["post_doc"])
    norms = K1 * (1 - B) + (K1 * B / mean) * arrays["doc_len"].astype(np.float64)
    cuts = np.searchsorted(pointer, np.arange(0, n_postings, _BLOCK), side="right") - 1
    cuts = np.unique(np.append(cuts, len(pointer) - 1))
    for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        first, last = int(pointer[low]), int(pointer[high])
        gains = arrays["post_tf"][first:last].astype(np.float64)
        gains /= gains + norms[arrays["post_doc"][first:last]]
        yield np.arange(low, high).repeat(np.diff(pointer[low : high + 1])), first, gains


def _often_arrays(arrays: Mapping[str, Array]) -> dict[str, Array]:
    pointer, n_docs = arrays["post_ptr"], len(arrays["doc_len"])
    often = (np.diff(pointer) * _OFTEN > n_docs).nonzero()[0]
    rows = np.zeros((len(often), -(-n_docs // 8)), np.uint8)
    for row, tid in zip(rows, often.tolist(), strict=True):
        holds = np.zeros(n_docs, np.uint8)
        holds[arrays["post_doc"][pointer[tid] : pointer[tid + 1]]] = 1
        row[:] = np.packbits(holds)
    return {"often_term": often.astype(np.uint32), "often_docs": rows}
