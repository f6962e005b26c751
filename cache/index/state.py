"""The state of the index at one moment: segments with their dead files, delta, catalogue. Immutable values, pure transitions.

A search holds one state to its end; an update makes another. The live copy of a file is the one in the delta, else the one
in the newest segment; every other is dead. N, the lengths and so every score are exact in each state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .catalog import DELTA, Catalog, Ints, key_of
from .chunk import FileStatus
from .delta import Delta, DeltaFile
from .segment import FileRow, Segment

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LiveSegment:
    """A segment and which of its files are live."""

    segment: Segment
    is_live_file: Mask

    @classmethod
    def whole(cls, segment: Segment) -> "LiveSegment":
        """Return the segment with every file live."""
        return cls(segment, np.ones(segment.n_files, np.bool_))

    @cached_property
    def is_live_doc(self) -> Mask | None:
        """Mask of the live documents; None if all are, which saves a pass per query term."""
        return None if self.is_live_file.all() else self.is_live_file[self.segment.doc_file]

    @cached_property
    def n_docs(self) -> int:
        """Live documents."""
        return self.segment.n_docs if self.is_live_doc is None else int(self.is_live_doc.sum())

    @cached_property
    def length(self) -> int:
        """Tokens in the live documents."""
        lengths = self.segment.doc_len if self.is_live_doc is None else self.segment.doc_len[self.is_live_doc]
        return int(lengths.sum(dtype=np.int64))

    @property
    def heap_bytes(self) -> int:
        """Heap of the masks."""
        return self.is_live_file.nbytes + (self.segment.n_docs if not self.is_live_file.all() else 0)

    def without(self, file_ids: Ints) -> "LiveSegment":
        """Return the segment with those files dead."""
        mask = self.is_live_file.copy()
        mask[file_ids] = False
        return LiveSegment(self.segment, mask)


@dataclass(frozen=True)
class IndexState:
    """All that a search needs."""

    segments: tuple[LiveSegment, ...] = ()
    delta: Delta = Delta()  # noqa: RUF009 -- a value
    catalog: Catalog = Catalog.empty()  # noqa: RUF009 -- a value
    generation: int = 0
    """Of the manifest the segments come from."""

    @cached_property
    def n_docs(self) -> int:
        """N: live documents."""
        return sum(live.n_docs for live in self.segments) + self.delta.n_docs

    @cached_property
    def length(self) -> int:
        """Tokens in all live documents."""
        return sum(live.length for live in self.segments) + self.delta.length

    @property
    def mapped_bytes(self) -> int:
        """Bytes of the mapped files."""
        return sum(live.segment.nbytes for live in self.segments)

    def release_pages(self, kept_bytes: int = 0) -> None:
        """Let go of the mapped pages, if the maps are larger than `kept_bytes`; searches read through ever more of them."""
        if self.mapped_bytes > kept_bytes:
            for live in self.segments:
                live.segment.release_pages()

    def forget(self) -> None:
        """Drop what searches keep with this state: some of it points back at it, and would wait for the garbage collector.

        A search that is under way holds what it uses.
        """
        for name in [name for name in self.__dict__ if name.startswith("_")]:
            self.__dict__.pop(name, None)

    @property
    def resident_bytes(self) -> int:
        """Mapped bytes and heap together."""
        return self.mapped_bytes + self.table_bytes + self.delta.nbytes

    @property
    def table_bytes(self) -> int:
        """Heap of catalogue, masks and the columns by file that searches keep: chunks, rooms, prior, kind."""
        kept = sum(25 * live.segment.n_files for live in self.segments)
        return self.catalog.nbytes + kept + sum(live.heap_bytes for live in self.segments)

    def updated(self, files: Mapping[int, DeltaFile], stats: Mapping[int, FileRow], gone: Ints, read_at: float) -> "IndexState":
        """Return the state after re-indexing `files`, learning new `stats` of unchanged ones, and losing `gone`.

        All are keyed by the catalogue's key of the path. What another thread has read after `read_at` stays as it is.
        """
        touched = np.concatenate([np.asarray([*files, *stats], np.int64), gone])
        newer = self.catalog.newer_than(touched, read_at)
        if newer:
            files = {key: file for key, file in files.items() if key not in newer}
            stats = {key: row for key, row in stats.items() if key not in newer}
            gone = np.asarray([key for key in gone.tolist() if key not in newer], np.int64)
        moved = np.concatenate([np.fromiter(files.keys(), np.int64, len(files)), gone])
        rows: dict[int, tuple[FileRow, int, int, float]] = {key: (f.row, DELTA, 0, read_at) for key, f in files.items()}
        position, is_known = self.catalog.positions(np.fromiter(stats.keys(), np.int64, len(stats)))
        for (key, row), at, known in zip(stats.items(), position.tolist(), is_known.tolist(), strict=True):
            if known and self.digest_of(row.path) == row.digest:
                row = replace(row, status=FileStatus(int(self.catalog.statuses[at])))
                rows[key] = (row, int(self.catalog.segments[at]), int(self.catalog.file_ids[at]), read_at)
        return IndexState(
            self._without(moved),
            self.delta.replaced(files, moved.tolist()),
            self.catalog.replaced(rows, gone),
            self.generation,
        )

    def _without(self, keys: Ints) -> tuple[LiveSegment, ...]:
        """Return the segments with the files of those keys dead."""
        position, is_known = self.catalog.positions(keys)
        position = position[is_known]
        owners, file_ids = self.catalog.segments[position], self.catalog.file_ids[position]
        return tuple(
            live.without(file_ids[owners == number].astype(np.int64)) if (owners == number).any() else live
            for number, live in enumerate(self.segments)
        )

    def adopted(self, segments: Sequence[Segment], generation: int) -> "IndexState":
        """Return the state over another list of segments, oldest first, keeping what only the delta knows.

        A file of the delta whose bytes the segments hold leaves the delta. What the segments hold and the disk does not
        any more is found by the next sweep.
        """
        known = [live.segment.name for live in self.segments]
        if known and known == [segment.name for segment in segments[: len(known)]]:
            state = self
            for segment in segments[len(known) :]:
                state = state._appended(segment)
            return IndexState(state.segments, state.delta, state.catalog, generation)
        catalog = Catalog.empty().joined(*(catalog_of(segment, number) for number, segment in enumerate(segments)))
        position, is_known = catalog.positions(np.fromiter(self.delta.files.keys(), np.int64, len(self.delta.files)))
        kept: dict[int, DeltaFile] = {}
        for (key, file), at, known in zip(self.delta.files.items(), position.tolist(), is_known.tolist(), strict=True):
            number = int(catalog.segments[at]) if known else DELTA
            if number == DELTA or segments[number].digest(int(catalog.file_ids[at])) != file.row.digest:
                kept[key] = file
        rows = {key: (file.row, DELTA, 0, 0.0) for key, file in kept.items()}
        catalog = catalog.replaced(rows, np.empty(0, np.int64))
        live: list[LiveSegment] = []
        for number, segment in enumerate(segments):
            mask = np.zeros(segment.n_files, np.bool_)
            mask[catalog.file_ids[catalog.segments == number]] = True
            live.append(LiveSegment(segment, mask))
        return IndexState(tuple(live), Delta(kept), catalog, generation)

    def _appended(self, segment: Segment) -> "IndexState":
        """Return the state with one more segment, whose files stand before their older copies."""
        rows = catalog_of(segment, len(self.segments))
        position, is_known = rows.positions(np.fromiter(self.delta.files.keys(), np.int64, len(self.delta.files)))
        is_taken, dropped = np.ones(len(rows), np.bool_), list[int]()
        for (key, file), at, known in zip(self.delta.files.items(), position.tolist(), is_known.tolist(), strict=True):
            if known and segment.digest(int(rows.file_ids[at])) == file.row.digest:
                dropped.append(key)
            elif known:
                is_taken[at] = False
        taken = rows.taken(is_taken)
        live = np.zeros(segment.n_files, np.bool_)
        live[taken.file_ids] = True
        return IndexState(
            (*self._without(taken.keys), LiveSegment(segment, live)),
            self.delta.replaced({}, dropped),
            self.catalog.joined(taken),
            self.generation,
        )

    def digest_of(self, path: str) -> bytes:
        """Return the digest of the indexed version of a path, empty if there is none."""
        key = key_of(path)
        position, is_known = self.catalog.positions(np.asarray([key], np.int64))
        if not is_known[0]:
            return b""
        number = int(self.catalog.segments[position[0]])
        if number == DELTA:
            return self.delta.files[key].row.digest
        return self.segments[number].segment.digest(int(self.catalog.file_ids[position[0]]))


def catalog_of(segment: Segment, number: int) -> Catalog:
    """Return the catalogue rows of one segment."""
    keys = np.fromiter(map(key_of, segment.paths()), np.int64, segment.n_files)
    rows = Catalog(
        keys,
        segment.file_stat.copy(),
        np.full(segment.n_files, number, np.int16),
        np.arange(segment.n_files, dtype=np.int32),
        segment.file_status.copy(),
        segment.file_racy.astype(np.bool_),
        np.zeros(segment.n_files, np.float64),
    )
    return Catalog.empty().joined(rows)
