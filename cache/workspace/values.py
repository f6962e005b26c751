"""What a file of the workspace is: its identity, its stat, its bytes.

Values only. A path here is always relative to its root, in the file system's own spelling (bytes that are not UTF-8 travel
as lone surrogates, PEP 383) with forward slashes.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .table import FileTable


@dataclass(frozen=True, slots=True)
class FileKey:
    """Identity of an opened file: two spellings of one file have one key."""

    dev: int
    ino: int
    path: str
    """Real path of the opened object, relative to its root, forward slashes."""


@dataclass(frozen=True, slots=True)
class FileStat:
    """The part of `os.stat_result` that tells one version of a file from another."""

    dev: int
    ino: int
    size: int
    """Bytes the file claims to hold; never trusted as a bound."""
    mtime_ns: int
    ctime_ns: int
    mode: int

    @classmethod
    def from_os(cls, stat: os.stat_result) -> "FileStat":
        """Take the six fields over from the operating system's answer."""
        return cls(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_mode)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A whole file as it was read through the jail."""

    rel: str
    """Display path: relative to the first root, or absolute under another root."""
    key: FileKey
    stat: FileStat
    """Taken from the opened descriptor before the bytes were read."""
    data: bytes = field(repr=False)
    sha256: str
    """Lower-case hex digest of `data`."""
    is_changing: bool = False
    """A writer was at work during the read: the bytes are the newest seen, and are not to be cached."""


@dataclass(frozen=True, slots=True)
class WalkedFile:
    """One file that a walk found; nothing was opened."""

    rel: str
    stat: FileStat


class SkipReason(Enum):
    """Why a walk left something out."""

    SYMLINK = "symlink"
    SPECIAL = "not a regular file"
    SECRET = "secret-like name"
    TOO_DEEP = "too deep"
    UNREADABLE = "unreadable"
    VANISHED = "vanished during the walk"
    OTHER_DEVICE = "kernel file system"


@dataclass(frozen=True, slots=True)
class WalkResult:
    """The files under a folder that are not ignored, in byte order of their paths."""

    files: "FileTable"
    is_complete: bool
    """False if a cap on files or time ended the walk, or a folder could not be read."""
    seen: int
    """Files met, kept or skipped: when the walk is incomplete, there are at least so many."""
    skipped: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """`SkipReason` value -> how many."""
    source: str = "scan"
    """`git` or `scan`."""


class EntryKind(Enum):
    """What a directory entry is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    SPECIAL = "special"


@dataclass(frozen=True, slots=True)
class DirEntry:
    """One entry of a directory."""

    rel: str
    kind: EntryKind
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class DirListing:
    """One level of a directory, sorted by name; ignored and secret-like entries are counted, not listed."""

    rel: str
    entries: Sequence[DirEntry]
    is_complete: bool
    """False if the cap on entries ended the listing."""
    seen: int
    """Entries met; when incomplete, there are at least so many."""
    skipped: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class WindowPart:
    """Consecutive bytes of a file, verbatim."""

    first: int
    """First line, from 1; negative in a file too large to count: counted from the end."""
    last: int
    data: bytes = field(repr=False)
    column: int = 1
    """Byte of line `first` that `data` begins at, from 1; 0 if unknown."""
    is_cut: bool = False
    """`data` ends inside line `last`."""


@dataclass(frozen=True, slots=True)
class Window:
    """The asked lines of a file of any size."""

    rel: str
    key: FileKey
    stat: FileStat
    parts: tuple[WindowPart, ...]
    encoding: str
    """Decode each part with `text.decode(part.data, window.encoding)`."""
    total_lines: int | None
    """None if the end of the file was not reached."""
    next_lines: str = ""
    """The `lines` that bring the rest of what was asked; empty if all is here, or if the rest has no line numbers."""
    is_complete: bool = True


DEFAULT_MAX_FILE_BYTES: Final = 10_000_000
"""A whole-file read above this would cost a model's window many times over; ranges of larger files still work."""


@dataclass(frozen=True, slots=True)
class WorkspaceLimits:
    """Caps of one workspace; each is a bound on memory or time, not a preference."""

    max_file_bytes: int = DEFAULT_MAX_FILE_BYTES
    max_walk_files: int = 200_000
    max_walk_s: float = 60.0
    max_depth: int = 64
    max_dir_entries: int = 10_000
    racy_window_ns: int = 50_000_000
    """A file younger than this is read twice: its writer may still be at work."""
    torn_read_pause_s: float = 0.005

    def __post_init__(self) -> None:
        for name in ("max_file_bytes", "max_walk_files", "max_walk_s", "max_depth", "max_dir_entries"):
            value = getattr(self, name)
            if value <= 0:
                raise ValueError(f"{name} must be > 0, got {value}")
