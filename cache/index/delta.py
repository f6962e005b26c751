"""The delta: files re-indexed since the last segment was written. Immutable; an update makes a new one.

Forward lists only: a query looks its terms up in every file of the delta (about .3 µs per file), and in the chunks of those
that hold one, so an update costs no more than its own file, and removal leaves nothing behind that could make a score inexact.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    def definers(self) -> dict[str, list[int]]:
        """The chunks that define a symbol with a token in its name, by that token."""
        return _by_token(symbol_terms(chunk.symbols) for chunk in self.analysis.chunks)

    @cached_property
    def callers(self) -> dict[str, list[int]]:
        """The chunks that call something with a token as its whole name, by that token."""
        return _by_token(chunk.calls for chunk in self.analysis.chunks)

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


def _by_token(tokens: Iterable[Iterable[str]]) -> dict[str, list[int]]:
    """Return, by token, the places at which it stands."""
    found: dict[str, list[int]] = {}
    for place, held in enumerate(tokens):
        for token in held:
            found.setdefault(token, []).append(place)
    return found


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

    def frequencies(self, terms: Collection[str]) -> Counter[str]:
        """Count how many chunks hold each of some terms."""
        counts: Counter[str] = Counter()
        for file in self.files.values():
            held = file.terms.intersection(terms)
            for chunk in file.analysis.chunks if held else ():
                counts.update(held & chunk.terms.keys())
        return counts

    def definers(self, term: str) -> list[int]:
        """Return the chunks that define a symbol with this token in its name."""
        return self._numbered(file.definers.get(term, ()) for file in self.files.values())

    def callers(self, term: str) -> list[int]:
        """Return the chunks that call something with this token as its whole name."""
        return self._numbered(file.callers.get(term, ()) for file in self.files.values())

    def _numbered(self, places: Iterable[Sequence[int]]) -> list[int]:
        """Return the documents at some places of each file."""
        found: list[int] = []
        first = 0
        for file, held in zip(self.files.values(), places, strict=True):
            found += [first + place for place in held]
            first += len(file.analysis.chunks)
        return found

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
