"""The one accessor for cached file content: what it returns was on disk during this call.

A file of at most `REHASH_BYTES` is read and hashed in every call; the cache then only saves the views computed from it. A
larger one is trusted if device, inode, size, mtime and ctime are those of the entry and both times lay at least
`RACY_NS` before the entry was read: a change within the granularity of the clock would otherwise go unseen (git's
"racily clean" rule). A file that changes while it is read is served, marked, and not cached.

Not covered: stores through a shared mapping into a larger file, whose times move only when the kernel writes back;
`fresh` reads it anew.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from .deadline import Deadline
from .entry import CacheEntry
from .session import SessionCache
from .workspace.values import FileKey, FileStat, SourceFile

REHASH_BYTES: Final = 1024 * 1024
"""Reading and hashing this much takes about 1 ms."""
RACY_NS: Final = 2_000_000_000
"""The coarsest timestamps in use (FAT) have 2 s."""


class FileSource(Protocol):
    """The part of the workspace that content comes from; both raise what the workspace raises."""

    def read(self, path: str, *, deadline: Deadline) -> SourceFile:
        """Read a whole file through the jail."""
        ...

    def stat(self, path: str) -> tuple[str, FileKey, FileStat]:
        """Return display path, identity and stat of a file through the jail."""
        ...


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one file, checked in this call."""

    rel: str
    key: FileKey
    stat: FileStat
    data: bytes = field(repr=False)
    sha256: str
    is_changing: bool = False
    was_cached: bool = False
    """The same content was here already: its views and token count may be, too."""
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class ContentStatistics:
    """How content was found to be fresh."""

    rehashed: int
    trusted: int
    changing: int


def is_trusted(entry: CacheEntry, stat: FileStat) -> bool:
    """Whether `stat`, taken in this call, proves that a file still has the content of `entry`. Pure."""
    same = (entry.stat.dev, entry.stat.ino, entry.stat.size, entry.stat.mtime_ns, entry.stat.ctime_ns) == (
        stat.dev,
        stat.ino,
        stat.size,
        stat.mtime_ns,
        stat.ctime_ns,
    )
    return same and max(stat.mtime_ns, stat.ctime_ns) + RACY_NS < entry.read_at_ns


class ContentAccessor:
    """Fetches file content through the session cache. Thread-safe."""

    def __init__(self, workspace: FileSource, session: SessionCache, *, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._workspace = workspace
        self._session = session
        self._wall_ns = wall_ns
        self._lock = threading.Lock()
        self._rehashed = self._trusted = self._changing = 0

    def __repr__(self) -> str:
        return f"<ContentAccessor {self._rehashed} rehashed, {self._trusted} trusted>"

    def fetch(self, path: str, *, fresh: bool = False, deadline: Deadline) -> Content:
        """Return what the file holds now; `fresh` reads it whatever the cache knows.

        Raises:
            PenstockError: As the workspace's `read`.
        """
        if not fresh:
            trusted = self._trusted_entry(path)
            if trusted is not None:
                return trusted
        read_at = self._wall_ns()
        source = self._workspace.read(path, deadline=deadline)
        before = self._session.peek(source.key)
        entry = self._session.store(source, read_at_ns=read_at)
        with self._lock:
            self._rehashed += 1
            self._changing += source.is_changing
        return Content(
            rel=source.rel,
            key=source.key,
            stat=source.stat,
            data=source.data,
            sha256=source.sha256,
            is_changing=source.is_changing,
            was_cached=entry.is_kept and before is not None and before.sha256 == source.sha256,
            is_kept=entry.is_kept,
        )

    def statistics(self) -> ContentStatistics:
        """Return the counts so far."""
        with self._lock:
            return ContentStatistics(self._rehashed, self._trusted, self._changing)

    def _trusted_entry(self, path: str) -> Content | None:
        """Return the content of a large file whose stat proves it unchanged."""
        known = self._session.find(path)
        if known is None or len(known.data) <= REHASH_BYTES:
            return None
        rel, key, stat = self._workspace.stat(path)
        entry = self._session.peek(key)
        if entry is None or not is_trusted(entry, stat):
            return None
        hit = self._session.get(key)
        if hit is None or hit.sha256 != entry.sha256:
            return None
        with self._lock:
            self._trusted += 1
        return Content(rel, key, stat, hit.data, hit.sha256, was_cached=True)
