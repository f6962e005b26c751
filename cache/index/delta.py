"""The delta: files re-indexed since the last segment was written. Immutable; an update makes a new one.

A query looks its terms up in every file of the delta (about a microsecond per file), so an update costs no more than its own
file, and removal leaves nothing behind that could make a score inexact.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .analyse import FileAnalysis
from .kinds import FileKind, kind_of
from .named import path_terms
from .packed import PackedAnalysis, pack
from .packed_file import PackedFile
from .segment import FileRow

_FILE_BYTES: Final = 1_200
"""Measured heap of a file's row and of the terms of its path."""


class DeltaFile(PackedFile):
    """One file of the delta."""

    def __init__(self, row: FileRow, packed: PackedAnalysis) -> None:
        super().__init__(packed)
        self.row: Final = row

    @classmethod
    def of(cls, row: FileRow, analysis: FileAnalysis) -> "DeltaFile":
        """Pack an analysed file."""
        return cls(row, pack(analysis))

    @cached_property
    def path_terms(self) -> frozenset[str]:
        """Tokens of the path, none for a file that is not searched."""
        return frozenset(path_terms(self.row.path)) if self.row.status.is_searchable else frozenset()

    @cached_property
    def kind(self) -> FileKind:
        """What the file is for."""
        return kind_of(self.row.path)


class DeltaTerm(NamedTuple):
    """A term in a file of the delta: the number of the file's first chunk, the file, and the term's row there."""

    start: int
    file: DeltaFile
    row: int


class Delta:
    """Files by their key; a value. Thread-safe: never changed after it was made. Chunks are numbered over all files."""

    def __init__(self, files: Mapping[int, DeltaFile] = MappingProxyType({})) -> None:
        self.files: Final = files

    @cached_property
    def starts(self) -> list[int]:
        """The number of each file's first chunk, and of the one after the last."""
        return [0, *accumulate(file.n_chunks for file in self.files.values())]

    @cached_property
    def n_docs(self) -> int:
        """Chunks of all files."""
        return self.starts[-1]

    @cached_property
    def length(self) -> int:
        """Tokens in all chunks."""
        return sum(file.length for file in self.files.values())

    @cached_property
    def lengths(self) -> npt.NDArray[np.float64]:
        """Tokens of each chunk."""
        return np.asarray([length for file in self.files.values() for length in file.lengths()], np.float64)

    @cached_property
    def nbytes(self) -> int:
        """Estimated heap, for the ledger."""
        return sum(_FILE_BYTES + file.nbytes for file in self.files.values())

    @cached_property
    def _listed(self) -> list[DeltaFile]:
        return list(self.files.values())

    def owner_of(self, doc: int) -> tuple[DeltaFile, int]:
        """Return the file of a chunk and its place there."""
        number = bisect_right(self.starts, doc) - 1
        return self._listed[number], doc - self.starts[number]

    def find(self, number: int) -> tuple[DeltaTerm, ...]:
        """Return where the term with this hash is held."""
        if not self.files:
            return ()
        rows = [file.find(number) for file in self._listed]
        return tuple([DeltaTerm(start, file, row) for start, file, row in zip(self.starts, self._listed, rows) if row >= 0])  # noqa: B905

    def definers(self, number: int) -> list[int]:
        """Return the chunks that define a symbol with the token of this hash in its name."""
        return self._numbered(file.definers(number) for file in self._listed)

    def callers(self, number: int) -> list[int]:
        """Return the chunks that call something whose whole name is the token of this hash."""
        return self._numbered(file.callers(number) for file in self._listed)

    def _numbered(self, places: Iterable[Sequence[int]]) -> list[int]:
        return [start + place for start, held in zip(self.starts, places) for place in held]  # noqa: B905 -- one start more

    def frequencies(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Return, file by file, the hash of every term, and how many chunks of the file hold it."""
        found = [file.frequencies() for file in self._listed]
        hashes = np.concatenate([hashes for hashes, _ in found]) if found else np.empty(0, np.uint64)
        counts = np.concatenate([counts for _, counts in found]) if found else np.empty(0, np.uint32)
        return hashes, counts.astype(np.int64)

    def replaced(self, put: Mapping[int, DeltaFile], drop: Iterable[int]) -> "Delta":
        """Return a delta with `put` added and `drop` gone."""
        files = dict(self.files)
        for key in drop:
            files.pop(key, None)
        files.update(put)
        return Delta(files)
