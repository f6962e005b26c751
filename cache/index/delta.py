"""The delta: files re-indexed since the last segment was written. Immutable; an update makes a new one.

Forward lists only: a query looks its terms up in every file of the delta (about .3 µs per file), and in the chunks of those
that hold one, so an update costs no more than its own file, and removal leaves nothing behind that could make a score inexact.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final

from .analyse import AnalysedChunk, FileAnalysis
from .assemble import path_terms, symbol_terms
from .kinds import FileKind, kind_of
from .segment import FileRow

_TERM_BYTES: Final = 150
"""Measured heap per distinct term of a chunk: dict slot, key string, count, and its part in the set of the file."""
_CHUNK_BYTES: Final = 600
_FILE_BYTES: Final = 1_200


@dataclass(frozen=True)
class DeltaFile:
    """One file of the delta."""

    row: FileRow
    analysis: FileAnalysis = field(repr=False)

    @cached_property
    def path_terms(self) -> frozenset[str]:
        """Tokens of the path, none for a file that is not searched."""
        return frozenset(path_terms(self.row.path)) if self.row.status.is_searchable else frozenset()

    @cached_property
    def terms(self) -> frozenset[str]:
        """Every term of its chunks: a query passes by the files that hold none of its own."""
        return frozenset().union(*(chunk.terms for chunk in self.analysis.chunks))

    @cached_property
    def kind(self) -> FileKind:
        """What the file is for."""
        return kind_of(self.row.path)

    @cached_property
    def nbytes(self) -> int:
        """Estimated heap, for the ledger."""
        chunks = self.analysis.chunks
        return _FILE_BYTES + len(chunks) * _CHUNK_BYTES + sum(len(chunk.terms) for chunk in chunks) * _TERM_BYTES


@dataclass(frozen=True)
class DeltaDocument:
    """One chunk of the delta."""

    file: DeltaFile
    chunk: AnalysedChunk

    @cached_property
    def symbol_terms(self) -> frozenset[str]:
        """Tokens of the names defined in the chunk."""
        return frozenset(symbol_terms(self.chunk.symbols))


class Delta:
    """Files by their key; a value. Thread-safe: never changed after it was made."""

    def __init__(self, files: Mapping[int, DeltaFile] = MappingProxyType({})) -> None:
        self.files: Final = files

    @cached_property
    def documents(self) -> tuple[DeltaDocument, ...]:
        """Every chunk; positions are document ids within the delta."""
        return tuple(DeltaDocument(file, chunk) for file in self.files.values() for chunk in file.analysis.chunks)

    @cached_property
    def document_frequencies(self) -> Counter[str]:
        """How many chunks hold each term."""
        counts: Counter[str] = Counter()
        for document in self.documents:
            counts.update(document.chunk.terms.keys())
        return counts

    @cached_property
    def nbytes(self) -> int:
        """Estimated heap, for the ledger."""
        return sum(file.nbytes for file in self.files.values())

    @cached_property
    def length(self) -> int:
        """Tokens in all chunks."""
        return sum(document.chunk.length for document in self.documents)

    def replaced(self, put: Mapping[int, DeltaFile], drop: Iterable[int]) -> "Delta":
        """Return a delta with `put` added and `drop` gone."""
        files = dict(self.files)
        for key in drop:
            files.pop(key, None)
        files.update(put)
        return Delta(files)
