"""The catalogue: which version of which file is indexed where, and what a walk says about it. Pure and immutable.

Files are named by the process's own 64-bit hash of their path (keyed per process, so nobody can craft a collision) in sorted
arrays: 70 bytes a file, and a walk of 7,000 files is compared in about 5 ms. A row is stale when inode, size, mtime or ctime
differ, or when the file was so young when it was read that they could not differ (racy), unless it was read after the
asking call began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..workspace.table import FIELDS, FileTable
from .segment import MAX_INODE, FileRow, stat_table

Ints = npt.NDArray[np.int64]
DELTA: Final = -1
"""Segment number of files that live in the delta."""


def key_of(path: str) -> int:
    """Return the catalogue's key of a path; the same within one process only."""
    return hash(path)


@dataclass(frozen=True, slots=True)
class WalkTable:
    """A walk as arrays, in the walk's order."""

    keys: Ints
    stats: Ints

    @classmethod
    def from_stats(cls, files: Sequence[tuple[str, tuple[int, int, int, int]]]) -> "WalkTable":
        """Take (path, (inode, size, mtime, ctime)) over."""
        keys = np.fromiter((key_of(path) for path, _ in files), np.int64, len(files))
        return cls(keys, stat_table([stat for _, stat in files]))

    @classmethod
    def from_files(cls, files: FileTable) -> "WalkTable":
        """Take a walk's files over, without copying them if they stand in order."""
        keys = np.frombuffer(files.keys, np.int64)
        stats = np.frombuffer(files.rows, np.int64).reshape(-1, FIELDS)
        if files.order is not None:
            order = np.frombuffer(files.order, np.uint64).astype(np.int64)
            keys, stats = keys[order], stats[order]
        if len(stats) and int(stats[:, 0].min()) < 0:
            stats = stats.copy()
            stats[:, 0] &= MAX_INODE
        return cls(keys, stats)

    def first(self, count: int) -> "WalkTable":
        """Return the first `count` files."""
        return self if count == len(self.keys) else WalkTable(self.keys[:count], self.stats[:count])


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What differs between the catalogue and a walk."""

    stale: Ints
    """Positions in the walk of files that are new or changed."""
    racy: Ints
    """Positions in the walk of files whose stat agrees but cannot be trusted: their bytes must be looked at."""
    gone: Ints
    """Keys of indexed files that the walk did not meet."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The indexed files, sorted by key."""

    keys: Ints
    stats: Ints
    segments: npt.NDArray[np.int16]
    file_ids: npt.NDArray[np.int32]
    statuses: npt.NDArray[np.uint8]
    is_racy: npt.NDArray[np.bool_]
    read_at: npt.NDArray[np.float64]
    """Monotonic seconds of the read; 0 for rows from disk."""

    @classmethod
    def empty(cls) -> "Catalog":
        """Return the catalogue of nothing."""
        none = np.empty(0, np.int64)
        return cls(
            none,
            none.reshape(0, 4),
            none.astype(np.int16),
            none.astype(np.int32),
            none.astype(np.uint8),
            none.astype(np.bool_),
            none.astype(np.float64),
        )

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def nbytes(self) -> int:
        """Heap of the arrays."""
        columns = (self.keys, self.stats, self.segments, self.file_ids, self.statuses, self.is_racy, self.read_at)
        return sum(column.nbytes for column in columns)

    def positions(self, keys: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Return where each key is, and whether it is there at all."""
        if not len(self.keys):
            return np.zeros(len(keys), np.int64), np.zeros(len(keys), np.bool_)
        position = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1).astype(np.int64)
        return position, self.keys[position] == keys

    def plan(self, walk: WalkTable, *, started: float) -> SweepPlan:
        """Compare with a walk made for a call that began at `started`."""
        position, is_known = self.positions(walk.keys)
        is_stale, is_racy = ~is_known, np.zeros(len(walk.keys), np.bool_)
        if len(self.keys):
            is_old = is_known & (self.read_at[position] < started)
            differs = (self.stats[position] != walk.stats).any(axis=1)
            is_stale |= differs & is_old
            is_racy = self.is_racy[position] & is_old & ~differs
        is_seen = np.zeros(len(self.keys), np.bool_)
        is_seen[position[is_known]] = True
        return SweepPlan(np.flatnonzero(is_stale), np.flatnonzero(is_racy), self.keys[~is_seen & (self.read_at < started)])

    def newer_than(self, keys: Ints, read_at: float) -> set[int]:
        """Return those of the keys whose file was read after `read_at`."""
        position, is_known = self.positions(keys)
        if not len(self.keys):
            return set()
        return set(keys[is_known & (self.read_at[position] > read_at)].tolist())

    def replaced(self, rows: Mapping[int, tuple[FileRow, int, int, float]], gone: Ints) -> "Catalog":
        """Return a catalogue with `rows` (key -> row, segment, file id, read at) put in and `gone` taken out."""
        new_keys = np.fromiter(rows.keys(), np.int64, len(rows))
        position, is_known = self.positions(np.concatenate([new_keys, gone]))
        keep = np.ones(len(self.keys), np.bool_)
        keep[position[is_known]] = False
        values = list(rows.values())
        added = Catalog(
            new_keys,
            stat_table([(r.inode, r.size, r.mtime_ns, r.ctime_ns) for r, _, _, _ in values]),
            np.asarray([segment for _, segment, _, _ in values], np.int16),
            np.asarray([file_id for _, _, file_id, _ in values], np.int32),
            np.asarray([row.status for row, _, _, _ in values], np.uint8),
            np.asarray([row.is_racy for row, _, _, _ in values], np.bool_),
            np.asarray([read_at for _, _, _, read_at in values], np.float64),
        )
        if len(gone) == 0 and bool(is_known.all()):
            return self._overwritten(position, added)
        return self.taken(keep).joined(added)

    def _overwritten(self, position: Ints, rows: "Catalog") -> "Catalog":
        """Return a catalogue with known rows replaced: the common case, an edited file, keeps the order."""
        copy = Catalog(
            self.keys,
            self.stats.copy(),
            self.segments.copy(),
            self.file_ids.copy(),
            self.statuses.copy(),
            self.is_racy.copy(),
            self.read_at.copy(),
        )
        copy.stats[position] = rows.stats
        copy.segments[position] = rows.segments
        copy.file_ids[position] = rows.file_ids
        copy.statuses[position] = rows.statuses
        copy.is_racy[position] = rows.is_racy
        copy.read_at[position] = rows.read_at
        return copy

    def taken(self, mask: npt.NDArray[np.bool_]) -> "Catalog":
        """Return the rows where `mask` is true."""
        return Catalog(
            self.keys[mask],
            self.stats[mask],
            self.segments[mask],
            self.file_ids[mask],
            self.statuses[mask],
            self.is_racy[mask],
            self.read_at[mask],
        )

    def joined(self, *others: "Catalog") -> "Catalog":
        """Return all catalogues' rows; where a key is in several, the last one's row."""
        parts = (self, *others)
        keys = np.concatenate([part.keys for part in parts])
        order = np.argsort(keys, kind="stable")
        ranked = keys[order]
        is_last = np.ones(len(keys), np.bool_)
        is_last[:-1] = ranked[1:] != ranked[:-1]
        order = order[is_last]
        return Catalog(
            keys[order],
            np.concatenate([part.stats for part in parts])[order],
            np.concatenate([part.segments for part in parts])[order],
            np.concatenate([part.file_ids for part in parts])[order],
            np.concatenate([part.statuses for part in parts])[order],
            np.concatenate([part.is_racy for part in parts])[order],
            np.concatenate([part.read_at for part in parts])[order],
        )
