"""Walked files in columns: 100 bytes a file, names included, so that a walk of 500,000 leaves no litter of small objects."""

from array import array
from collections.abc import Sequence
from os import stat_result
from typing import Final, overload

from .values import FileStat, WalkedFile

FIELDS: Final = 4
"""Of `rows`: inode, size, mtime, ctime."""
_MASK: Final = (1 << 64) - 1
_HALF: Final = 1 << 63
_ENCODING: Final = ("utf-8", "surrogatepass")
"""Bytes in this encoding sort as the code points do, lone surrogates included."""


class FileTable(Sequence[WalkedFile]):
    """A growing sequence of `WalkedFile`, made when asked for. One thread adds; any thread may take a `snapshot`."""

    def __init__(self) -> None:
        self._names = bytearray()
        self._ends = array("Q")
        self._kinds = array("I")
        self._kind_of: dict[tuple[int, int], int] = {}
        """(device, mode) -> its number: a workspace has a handful of them."""
        self._kind_list: list[tuple[int, int]] = []
        self._last = ""
        self._is_sorted = True
        self._order: array[int] | None = None
        self.rows = array("q")
        """`FIELDS` numbers a file, in the order of adding; an inode of 64 bits has lost its sign."""
        self.keys = array("q")
        """The process's own hash of each path, in the order of adding."""

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> WalkedFile: ...
    @overload
    def __getitem__(self, index: slice) -> list[WalkedFile]: ...
    def __getitem__(self, index: int | slice) -> WalkedFile | list[WalkedFile]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        row = at if self._order is None else self._order[at]
        ino, size, mtime, ctime = self.rows[row * FIELDS : (row + 1) * FIELDS]
        dev, mode = self._kind_list[self._kinds[row]]
        return WalkedFile(self._name(row).decode(*_ENCODING), FileStat(dev, ino & _MASK, size, mtime, ctime, mode))

    @property
    def order(self) -> "array[int] | None":
        """The row of each file, None if they stand in the order of adding."""
        return self._order

    @property
    def lowered(self) -> bytearray:
        """Every path in lower case, as far as it is ASCII, encoded, end to end in the order of adding."""
        return self._names.lower()

    @property
    def ends(self) -> "array[int]":
        """Where each path ends in `lowered`."""
        return self._ends

    @property
    def nbytes(self) -> int:
        """Heap of the columns."""
        return len(self._names) + 8 * (len(self.rows) + len(self.keys) + len(self._ends)) + 4 * len(self._kinds)

    def path(self, index: int) -> str:
        """Return the path of a file."""
        return self._name(index if self._order is None else self._order[index]).decode(*_ENCODING)

    def add(self, rel: str, stat: stat_result) -> None:
        """Append one file that a walk has met."""
        row = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        self._append(rel, (stat.st_dev, stat.st_mode), row)

    def add_stat(self, rel: str, stat: FileStat) -> None:
        """Append one file."""
        self._append(rel, (stat.dev, stat.mode), (stat.ino, stat.size, stat.mtime_ns, stat.ctime_ns))

    def _append(self, rel: str, kind: tuple[int, int], row: tuple[int, int, int, int]) -> None:
        if rel < self._last:
            self._is_sorted = False
        self._last = rel
        number = self._kind_of.get(kind)
        if number is None:
            number = self._kind_of[kind] = len(self._kind_list)
            self._kind_list.append(kind)
        if row[0] >= _HALF:  # Windows has 128-bit file numbers: 64 bits of each identify well enough
            inode = row[0] & _MASK
            row = (inode if inode < _HALF else inode - (1 << 64), *row[1:])
        self._names += rel.encode(*_ENCODING)
        self._kinds.append(number)
        self.rows.extend(row)
        self.keys.append(hash(rel))
        # Last: what has an end is there.
        self._ends.append(len(self._names))

    def sort(self) -> None:
        """Order by path, in code points."""
        if not self._is_sorted:
            self._order = array("Q", sorted(range(len(self)), key=self._name))

    def snapshot(self) -> "FileTable":
        """Return a copy of what is there now, while another thread adds."""
        copy, count = FileTable(), len(self._ends)
        copy._ends = self._ends[:count]
        copy._names = self._names[: copy._ends[-1]] if count else bytearray()
        copy._kinds, copy.keys, copy.rows = self._kinds[:count], self.keys[:count], self.rows[: count * FIELDS]
        copy._kind_list = list(self._kind_list)
        copy._is_sorted = self._is_sorted
        return copy

    def _name(self, row: int) -> bytes:
        return bytes(self._names[self._ends[row - 1] if row else 0 : self._ends[row]])
