"""What a build does next: which files make a segment, which segments are merged. No I/O."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, overload

import numpy as np

from .build import Stat, WantedFile
from .catalog import Ints, WalkTable, key_of
from .chunk import MAX_FILE_BYTES
from .manifest import SegmentEntry
from .segment import stat_table
from .values import IndexLimits

MERGE_BYTES: Final = 96_000_000
"""Size of the largest segment that merging makes: about 8 million postings, 320 MB in the worker."""
MERGE_AT: Final = 16
"""So many small segments are merged while a build goes on: each has its own vocabulary, and every search looks into all."""
_LONG_BATCHES: Final = 8
"""A build of more batches than that is long: it begins with small ones, so that there is something to search soon."""
_FIRST_SHARE: Final = 32
"""The first batch of each lane is that much smaller, and the next ones twice as large each."""
DEAD_RATIO: Final = 0.25
"""With more dead files than that a segment is written anew."""


@dataclass(frozen=True, slots=True)
class LiveSegmentEntry:
    """A segment of the manifest, with the mask of its live files."""

    entry: SegmentEntry
    mask: bytes
    dead_ratio: float


class ChosenPaths(Sequence[str]):
    """The paths at some positions of another sequence, made when asked for."""

    def __init__(self, path_at: Callable[[int], str], positions: Ints) -> None:
        self._path_at = path_at
        self._positions = positions

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self._path_at(int(at)) for at in self._positions[index]]
        return self._path_at(int(self._positions[index]))


class WantedFiles(Sequence[WantedFile]):
    """Files to index, made when asked for: 200,000 of them are their walk's table and 40 bytes each."""

    def __init__(self, paths: Sequence[str], stats: Ints) -> None:
        self._paths = paths
        self._stats = stats

    @property
    def nbytes(self) -> int:
        """Text to read."""
        sizes = self._stats[:, 1]
        return int(sizes[sizes <= MAX_FILE_BYTES].sum())

    @classmethod
    def of(cls, files: Sequence[tuple[str, Stat]]) -> "WantedFiles":
        """Take (path, stat) over."""
        return cls([path for path, _ in files], stat_table([stat for _, stat in files]))

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, index: int) -> WantedFile: ...
    @overload
    def __getitem__(self, index: slice) -> list[WantedFile]: ...
    def __getitem__(self, index: int | slice) -> WantedFile | list[WantedFile]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        inode, size, mtime_ns, ctime_ns = self._stats[index].tolist()
        return WantedFile(self._paths[index], (inode, size, mtime_ns, ctime_ns))

    def table(self) -> WalkTable:
        """Return the files as a walk would give them."""
        return WalkTable(np.fromiter(map(key_of, self._paths), np.int64, len(self._paths)), self._stats)

    def chosen(self, positions: Ints) -> "WantedFiles":
        """Return the files at some positions."""
        return WantedFiles(ChosenPaths(self._paths.__getitem__, positions), self._stats[positions])


def is_long(files: WantedFiles, limits: IndexLimits) -> bool:
    """Whether a build of these files will take much longer than anybody waits."""
    return len(files) > _LONG_BATCHES * limits.batch_files or files.nbytes > _LONG_BATCHES * limits.batch_bytes


class BatchQueue:
    """The files of a build, handed out in batches that are bounded in number and in bytes of text."""

    def __init__(self, files: WantedFiles, limits: IndexLimits) -> None:
        self._files = files
        self._limits = limits
        self._next = 0
        self._taken = 0
        self._is_long = is_long(files, limits)
        self._returned: list[WantedFile] = []

    def __bool__(self) -> bool:
        return self._next < len(self._files) or bool(self._returned)

    def take(self, *, is_halved: bool = False) -> list[WantedFile]:
        """Return the files of the next segment; at least one, if there is any."""
        if self._returned:
            batch, self._returned = self._returned, []
            return batch
        share = 2 if is_halved else 1
        if self._is_long:
            share = max(share, _FIRST_SHARE >> (self._taken // self._limits.build_lanes))
        self._taken += 1
        batch, nbytes = list[WantedFile](), 0
        while self._next < len(self._files) and len(batch) < max(1, self._limits.batch_files // share):
            file = self._files[self._next]
            size = file.stat[1] if file.stat[1] <= MAX_FILE_BYTES else 0
            if batch and nbytes + size > self._limits.batch_bytes // share:
                break
            batch.append(file)
            nbytes += size
            self._next += 1
        return batch

    def give_back(self, files: Sequence[WantedFile]) -> None:
        """Take back files that did not fit into their segment."""
        self._returned.extend(files)


def has_many_small(entries: Sequence[SegmentEntry], at_least: int) -> bool:
    """Whether there are so many segments that are much smaller than they could be."""
    return sum(entry.size < MERGE_BYTES // 4 for entry in entries) >= at_least


def plan_merge(entries: Sequence[LiveSegmentEntry], max_segments: int) -> list[LiveSegmentEntry]:
    """Choose segments to merge: the smallest that fit together, if there are several small ones or much is dead.

    Order is kept. Each file is live in one segment only, so the masks make the merged one right in the place of the newest.
    """
    is_wasteful = any(entry.dead_ratio > DEAD_RATIO for entry in entries)
    if not is_wasteful and len(entries) <= max_segments and not has_many_small([one.entry for one in entries], 2):
        return []
    chosen: set[str] = set()
    room = MERGE_BYTES
    for entry in sorted(entries, key=lambda one: one.entry.size):
        if entry.entry.size > room:
            break
        room -= entry.entry.size
        chosen.add(entry.entry.name)
    picked = [entry for entry in entries if entry.entry.name in chosen]
    return picked if len(picked) > 1 or any(entry.dead_ratio > DEAD_RATIO for entry in picked) else []


def with_merged(entries: Sequence[SegmentEntry], sources: Collection[str], merged: SegmentEntry) -> list[SegmentEntry]:
    """Return the entries with some replaced by what they were merged into, in the place of the newest of them.

    Segments that were written while the merge ran are newer, and stay so.
    """
    newest = max(place for place, entry in enumerate(entries) if entry.name in sources)
    before = [entry for entry in entries[:newest] if entry.name not in sources]
    return [*before, merged, *entries[newest + 1 :]]
