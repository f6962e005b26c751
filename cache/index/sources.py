"""Segments and delta seen as one: numbers for files over all of them, and the columns that ranking needs. Pure.

A source is a segment, or, last, the delta. Built once per state and kept with it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .bm25 import TermPostings
from .chunk import Import, Symbol
from .kinds import PRIORS
from .named import own_name
from .packing import symbol_names
from .segment import Documents, Segment
from .state import IndexState
from .values import Prefer

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_KEY: Final = "_sources"
_NONE: Final[Ints] = np.empty(0, np.int64)
_MEMO_TERMS: Final = 2_048
_MEMO_FILES: Final = 128
"""Terms whose files are kept with a state, and how many files at most: 2 MB, and mostly a hundredth of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk lies and what begins in it."""

    start: int
    end: int
    symbols: tuple[Symbol, ...]


class Sources:
    """The files of a state, numbered: those of the first segment, of the second, …, of the delta."""

    def __init__(self, state: IndexState) -> None:
        self.state: Final = state
        segments = [live.segment for live in state.segments]
        self.delta_files: Final = tuple(state.delta.files.values())
        counts = [segment.n_files for segment in segments]
        self.starts: Final = tuple(int(n) for n in np.cumsum([0, *counts]))
        self.n_files: Final = self.starts[-1] + len(self.delta_files)
        chunks = np.asarray([file.n_chunks for file in self.delta_files], np.int64)
        self.delta_owner: Final = np.repeat(np.arange(len(chunks), dtype=np.int64), chunks) + self.starts[-1]
        self.n_chunks: Final[Ints] = np.concatenate([*(np.diff(segment.file_doc) for segment in segments), chunks])
        kinds = np.asarray([file.kind for file in self.delta_files], np.uint8)
        self.kinds: Final[Any] = np.concatenate([*(segment.file_kind for segment in segments), kinds])
        self._priors: Final[dict[Prefer, Floats]] = {}
        self._path_gains: Final[dict[str, tuple[Ints, float]]] = {}
        """Of terms that were asked for; losing one to another thread costs a look-up."""

    @classmethod
    def of(cls, state: IndexState) -> "Sources":
        """Return the sources of a state, made at their first use."""
        found = state.__dict__.get(_KEY)
        if found is None:
            found = state.__dict__[_KEY] = cls(state)
        return found

    def source_of(self, file: int) -> int:
        """Return the source of a file number."""
        number = len(self.starts) - 1
        while file < self.starts[number]:
            number -= 1
        return number

    def path(self, file: int) -> str:
        """Return the path of a file number."""
        number = self.source_of(file)
        return self.path_in(number, file - self.starts[number])

    def path_in(self, source: int, file: int) -> str:
        """Return the path of a source's file."""
        return self.paths_in(source)(file)

    def paths_in(self, source: int) -> Callable[[int], str]:
        """Return what tells the paths of a source's files."""
        if source == len(self.state.segments):
            return lambda file: self.delta_files[file].row.path
        return self.state.segments[source].segment.path

    def path_gain(self, term: TermPostings) -> tuple[Ints, float]:
        """Return the live files with a term in their path, and its idf among paths."""
        found = self._path_gains.get(term.term)
        if found is None:
            files = self.files_with(term)
            total = max(1, len(self.state.catalog))
            found = files, math.log(1 + (total - len(files) + 0.5) / (len(files) + 0.5)) if len(files) else 0.0
            if len(files) <= _MEMO_FILES:
                if len(self._path_gains) >= _MEMO_TERMS:
                    self._path_gains.clear()
                self._path_gains[term.term] = found
        return found

    def files_with(self, term: TermPostings) -> Ints:
        """Return the live files with a term in their path."""
        held: list[Ints] = []
        for number, (live, tid) in enumerate(zip(self.state.segments, term.ids, strict=True)):
            if tid is not None and live.segment.has_path(tid):
                files = live.segment.path_files(tid)
                if live.is_live_doc is not None:
                    files = files[live.is_live_file[files]]
                held.append(files.astype(np.int64) if number == 0 else files + np.int64(self.starts[number]))
        if self.delta_files:
            start = self.starts[-1]
            numbers = [start + i for i, file in enumerate(self.delta_files) if term.term in file.path_terms]
            held.append(np.asarray(numbers, np.int64))
        return held[0] if len(held) == 1 else np.concatenate(held) if held else _NONE

    def priors(self, prefer: Prefer) -> Floats:
        """Return the factor of every file."""
        found = self._priors.get(prefer)
        if found is None:
            found = self._priors[prefer] = np.asarray(PRIORS[prefer]).take(self.kinds)
        return found

    def definers(self, term: TermPostings) -> list[tuple[int, Ints]]:
        """Return, by source, the live chunks that define a symbol with this token in its name."""
        return self._by_source(term, Segment.symbol_docs, self.state.delta.definers(term.number))

    def callers(self, term: TermPostings) -> list[tuple[int, Ints]]:
        """Return, by source, the live chunks that call something with this token as its whole name."""
        return self._by_source(term, Segment.call_docs, self.state.delta.callers(term.number))

    def _by_source(
        self, term: TermPostings, docs_of: Callable[[Segment, int], Documents], in_delta: Sequence[int]
    ) -> list[tuple[int, Ints]]:
        found: list[tuple[int, Ints]] = []
        for number, (live, tid) in enumerate(zip(self.state.segments, term.ids, strict=True)):
            if tid is not None:
                docs = docs_of(live.segment, tid).astype(np.int64)
                found.append((number, docs if live.is_live_doc is None else docs[live.is_live_doc[docs]]))
        found.append((len(self.state.segments), np.asarray(in_delta, np.int64)))
        return found

    def imports(self, file: int) -> tuple[Import, ...]:
        """Return what a file number imports."""
        number = self.source_of(file)
        if number == len(self.state.segments):
            return self.delta_files[file - self.starts[number]].imports
        return self.state.segments[number].segment.imports(file - self.starts[number])

    def files_importing(self, name: str) -> list[int]:
        """Return the live files that have a name, in this case, somewhere among their imports."""
        found: list[int] = []
        for start, live in zip(self.starts, self.state.segments, strict=False):
            found += [start + file for file in live.segment.files_importing(name) if live.is_live_file[file]]
        for number, file in enumerate(self.delta_files, self.starts[-1]):
            if any(name in module or any(name in one for one in names) for module, names in file.imports):
                found.append(number)
        return found

    def file_of(self, source: int, doc: int) -> int:
        """Return the file number of a chunk."""
        if source == len(self.state.segments):
            return int(self.delta_owner[doc])
        return int(self.state.segments[source].segment.doc_file[doc]) + self.starts[source]

    def place(self, source: int, doc: int) -> Place:
        """Return where a chunk lies."""
        if source < len(self.state.segments):
            segment = self.state.segments[source].segment
            return Place(int(segment.doc_start[doc]), int(segment.doc_end[doc]), segment.symbols(doc))
        file, place = self.state.delta.owner_of(doc)
        return Place(*file.span(place), file.symbols(place))

    def symbol_names(self, source: int, doc: int) -> list[str]:
        """Return the names of the definitions that begin in a chunk."""
        if source == len(self.state.segments):
            file, place = self.state.delta.owner_of(doc)
            return symbol_names(file.symbols_raw(place).decode("utf-8", "surrogatepass"))
        return symbol_names(self.state.segments[source].segment.symbols_raw(doc).decode("utf-8"))

    def defines(self, source: int, doc: int, name: str) -> bool:
        """Whether a definition that begins in a chunk has this very name, in any case and without what encloses it."""
        if source == len(self.state.segments):
            return any(own_name(one) == name for one in self.symbol_names(source, doc))
        text = self.state.segments[source].segment.symbols_raw(doc).decode("utf-8").lower()
        return name in text and any(name in one and own_name(one) == name for one in symbol_names(text))

    def span(self, source: int, doc: int) -> tuple[int, int]:
        """Return the first and last line of a chunk."""
        if source == len(self.state.segments):
            file, place = self.state.delta.owner_of(doc)
            return file.span(place)
        segment = self.state.segments[source].segment
        return int(segment.doc_start[doc]), int(segment.doc_end[doc])

    def first_doc(self, file: int) -> int:
        """Return the first chunk of a file in its source; -1 if it has none."""
        if not self.n_chunks[file]:
            return -1
        number = self.source_of(file)
        if number < len(self.state.segments):
            return int(self.state.segments[number].segment.file_doc[file - self.starts[number]])
        return int(np.searchsorted(self.delta_owner, file))

    def frequencies(self, terms: Sequence[TermPostings], chunks: Sequence[tuple[int, int]]) -> dict[tuple[int, int], list[int]]:
        """Return, for each (source, chunk), how often it holds each term; none for a chunk below 0."""
        found: dict[tuple[int, int], list[int]] = {}
        for source in {source for source, _ in chunks}:
            docs = sorted({doc for one, doc in chunks if one == source})
            columns = [self._column(source, docs, term) for term in terms]
            for row, doc in enumerate(docs):
                found[source, doc] = [column[row] for column in columns]
        return found

    def _column(self, source: int, docs: Sequence[int], term: TermPostings) -> list[int]:
        if source == len(self.state.segments):
            found = {start + place: tf for start, file, row in term.delta for place, tf in file.postings(row)}
            return [found.get(doc, 0) for doc in docs]
        tid = term.ids[source]
        if tid is None:
            return [0] * len(docs)
        held, tfs = self.state.segments[source].segment.postings(tid)
        if not len(held):
            return [0] * len(docs)
        wanted = np.asarray(docs, np.int64)
        at = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
        return np.where(held[at] == wanted, tfs[at], 0).tolist()

    def length(self, source: int, doc: int) -> int:
        """Return the tokens of a chunk."""
        if source == len(self.state.segments):
            file, place = self.state.delta.owner_of(doc)
            return file.length_of(place)
        return int(self.state.segments[source].segment.doc_len[doc])
