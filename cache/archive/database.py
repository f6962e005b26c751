"""One SQLite file, shared by threads and processes, that never loses what it acknowledged and never fails a read.

WAL, synchronous NORMAL, every write inside BEGIN IMMEDIATE, at most 2 s waiting for another writer; folder, file and network
file systems are handled as for the spool (`cache.spool_disk`). A damaged file is renamed to `<name>.corrupt-<time>` (the newest
two are kept) and a fresh one started; a file that was removed or put aside by another process is noticed by its identity. When
the disk is full, read-only or on a network, the store goes on in memory and `notice` says so.
No Python lock is held during disk I/O: every transaction runs on a connection of its own from a small pool.
Needs SQLite >= 3.51.3 for WAL with several writers (the WAL-reset bug of 3.7.0 to 3.51.2); apsw bundles it.
"""

import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from ..errors import StoreUnavailable
from ..spool_disk import RealDisk, SpoolDisk
from .salvage import copy_into_memory, put_aside, reason_of

if TYPE_CHECKING:
    import apsw

_log: Final = logging.getLogger(__name__)
_T = TypeVar("_T")

_FIXED_WAL_VERSION: Final = 3_051_003
_IDLE_CONNECTIONS: Final = 4
_MEMORY_PAGES: Final = 8_192
"""32 MiB of 4 KiB pages: the most a store may take once it lives in memory."""


@dataclass(frozen=True, slots=True)
class DatabaseStatistics:
    """The store at one moment."""

    used_bytes: int
    is_in_memory: bool
    notice: str
    writes: int
    quarantined: int
    busy: int
    """Writes refused because another process held the file for longer than the timeout."""


class Database:
    """A SQLite file behind `read` and `write`. Thread-safe; opened on first use."""

    def __init__(
        self,
        directory: Path,
        name: str,
        *,
        schema: Sequence[str],
        disk: SpoolDisk | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.path: Final = directory / name
        self.notice = ""
        self.needs_check = False
        """A write-ahead log was found at opening: another process is at work, or the last one was killed."""
        self._schema = tuple(schema)
        self._disk: SpoolDisk = disk or RealDisk()
        self._wall = wall
        self._lock = threading.Lock()
        self._idle: list[apsw.Connection] = []
        self._identity: tuple[int, int] | None = None
        self._generation = 0
        self._memory: apsw.Connection | None = None
        self._memory_lock = threading.RLock()
        self._writes = self._quarantined = self._busy = 0

    def __repr__(self) -> str:
        return f"<Database {self.path.name} {'in memory' if self._memory else 'on disk'}>"

    def write(self, work: Callable[["apsw.Connection"], _T]) -> _T:
        """Run `work` in one write transaction and return its result once that is committed.

        `work` may run twice (damaged or full disk), so it must have no other effect than on the connection.

        Raises:
            StoreUnavailable: Another process holds the write lock for longer than 2 s, or there is no room even in memory.
        """
        result = self._run(work, "BEGIN IMMEDIATE")
        self._writes += 1
        return result

    def read(self, work: Callable[["apsw.Connection"], _T]) -> _T:
        """Run `work` on one consistent view of the store.

        Raises:
            StoreUnavailable: Another process is repairing the file and does not finish within 2 s.
        """
        return self._run(work, "BEGIN")

    def verify(self) -> bool:
        """Look for damage (`quick_check`), quarantine the file if there is any, and return whether it was sound."""
        import apsw  # heavy: lazy by design

        self.needs_check = False
        generation = self._generation
        try:
            with self._lease() as con:
                report = [row[0] for row in con.execute("PRAGMA quick_check(1)")]
        except (apsw.NotADBError, apsw.CorruptError):
            report = []
        if report == ["ok"]:
            return True
        self._quarantine(generation)
        return False

    def used_bytes(self) -> int:
        """Bytes in use, free pages not counted."""

        def measure(con: "apsw.Connection") -> int:
            values = [con.pragma(name) for name in ("page_count", "freelist_count", "page_size")]
            pages, free, size = (value if isinstance(value, int) else 0 for value in values)
            return (pages - free) * size

        return self.read(measure)

    def shrink(self) -> None:
        """Give free pages back to the file system; a busy file is left as it is."""
        import apsw  # heavy: lazy by design

        try:
            with self._lease() as con:
                for statement in ("PRAGMA incremental_vacuum(4000)", "PRAGMA wal_checkpoint(PASSIVE)"):
                    for _ in con.execute(statement):
                        pass
        except (apsw.BusyError, apsw.LockedError):
            self._busy += 1

    def close(self) -> None:
        """Close every idle connection; a later call opens the file again."""
        self._forget()
        with self._memory_lock:
            if self._memory is not None:
                self._memory.close()
                self._memory = None
                self.notice = ""

    def statistics(self) -> DatabaseStatistics:
        """Return the store at this moment."""
        used = self.used_bytes()
        return DatabaseStatistics(used, self._memory is not None, self.notice, self._writes, self._quarantined, self._busy)

    def _run(self, work: Callable[["apsw.Connection"], _T], begin: str) -> _T:
        import apsw  # heavy: lazy by design

        for _ in range(3):
            generation = self._generation
            try:
                with self._lease() as con:
                    return _transact(con, work, begin)
            except (apsw.BusyError, apsw.LockedError) as error:
                self._busy += 1
                why, next_call = "it waited for 2 s", "repeat the call; nothing was changed"
                raise StoreUnavailable("the archive is locked by another process", why=why, next_call=next_call) from error
            except (apsw.NotADBError, apsw.CorruptError):
                self._quarantine(generation)
            except (
                apsw.FullError,
                apsw.IOError,
                apsw.ReadOnlyError,
                apsw.CantOpenError,
                apsw.PermissionsError,
                OSError,
            ) as error:
                if self._memory is not None:
                    why = "the disk cannot be written, and what is kept in memory has a fixed size"
                    raise StoreUnavailable("the archive has no room left", why=why) from error
                self._go_to_memory(reason_of(error), copy=True)
        raise StoreUnavailable("the archive is damaged and could not be replaced")

    @contextmanager
    def _lease(self) -> Generator["apsw.Connection"]:
        """Lend a connection: the one in memory, or one of the pool to the file that is there now."""
        if self._memory is None:
            self._prepare()
        with self._memory_lock if self._memory is not None else nullcontext():  # no I/O behind this lock
            memory = self._memory
            if memory is not None:
                yield memory
                return
        with self._lock:
            generation = self._generation
            con = self._idle.pop() if self._idle else None
        con = con or self._connect()
        try:
            yield con
        finally:
            with self._lock:
                is_kept = generation == self._generation and len(self._idle) < _IDLE_CONNECTIONS
                if is_kept:
                    self._idle.append(con)
            if not is_kept:
                con.close()

    def _prepare(self) -> None:
        """Make folder and file with their modes; drop connections to a file that is not the one there any more."""
        identity = self._disk.identity(self.path)
        if identity is not None and identity == self._identity:
            return
        if self._identity is not None:
            self._forget()
        self._disk.make_folder(self.path.parent)
        if self._disk.network_type(self.path.parent):
            self._go_to_memory("the data folder is on a network file system", copy=False)
            return
        self._disk.create_file(self.path)
        wal = self.path.with_name(self.path.name + "-wal")
        self.needs_check = wal.exists() and wal.stat().st_size > 0
        self._identity = self._disk.identity(self.path)

    def _forget(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
            self._generation += 1
            self._identity = None
        for con in idle:
            con.close()

    def _connect(self) -> "apsw.Connection":
        import apsw  # heavy: lazy by design

        con = self._disk.connect(self.path)
        try:
            con.pragma("auto_vacuum", "INCREMENTAL")  # heeded only before the first table
            con.pragma("journal_mode", "WAL" if apsw.SQLITE_VERSION_NUMBER >= _FIXED_WAL_VERSION else "TRUNCATE")
            con.pragma("synchronous", "NORMAL")
            con.pragma("temp_store", "MEMORY")
            con.pragma("secure_delete", "FAST")
            _create(con, self._schema)
        except BaseException:
            con.close()
            raise
        return con

    def _quarantine(self, generation: int) -> None:
        """Move the damaged file and its log aside, once for all threads and processes that met it."""
        if generation != self._generation or self._memory is not None:
            return
        known = self._identity
        self._forget()
        try:
            aside = put_aside(self._disk, self.path, known=known, stamp=int(self._wall()))
        except OSError as error:
            self._go_to_memory(reason_of(error), copy=False)
            return
        if aside:
            self._quarantined += 1
            self.notice = f"the archive was damaged and put aside as {aside}; a new one was started"
            _log.warning("%s was damaged and put aside", self.path.name)

    def _go_to_memory(self, reason: str, *, copy: bool) -> None:
        """Go on in memory, with a copy of the file if that is small enough and still readable."""
        import apsw  # heavy: lazy by design

        memory = apsw.Connection(":memory:")
        is_copied = copy and copy_into_memory(self._disk, self.path, memory)
        memory.pragma("max_page_count", _MEMORY_PAGES)
        _create(memory, self._schema)
        with self._memory_lock:
            if self._memory is not None:
                memory.close()
                return
            self._memory = memory
            self.notice = f"not persisted: {reason}" + ("" if is_copied else "; what is on disk is not seen until a restart")
        self._forget()
        _log.warning("%s goes on in memory: %s", self.path.name, reason)


def _transact(con: "apsw.Connection", work: Callable[["apsw.Connection"], _T], begin: str) -> _T:
    con.execute(begin)
    try:
        result = work(con)
        con.execute("COMMIT")
    except BaseException:
        if con.in_transaction:
            con.execute("ROLLBACK")
        raise
    return result


def _create(con: "apsw.Connection", schema: Sequence[str]) -> None:
    """Create the tables once; `user_version` counts the statements that have run, so that later versions append."""
    if con.pragma("user_version") == len(schema):
        return

    def work(con: "apsw.Connection") -> None:
        done = con.pragma("user_version")
        for statement in schema[done if isinstance(done, int) else 0 :]:
            con.execute(statement)
        con.execute(f"PRAGMA user_version = {len(schema)}")

    _transact(con, work, "BEGIN IMMEDIATE")
