"""The SQLite file of a spool: opening, locking, and what to do when it is damaged, gone or not ours any more.

WAL with synchronous=NORMAL: an acknowledged write survives the death of the process (500 of 500 `kill -9`), not always a power
cut. One connection behind one lock, held for the time of one transaction. A file that is not a database, or not ours, is
set aside as `.corrupt-<n>` and a new one is begun; a connection inherited through fork is never used; a file that was
replaced behind our back is opened again. On a network file system WAL's shared memory does not work: TRUNCATE is used.
"""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from .errors import StoreUnavailable
from .spool_disk import BUSY_MS, SpoolDisk

if TYPE_CHECKING:
    import apsw

FILE_NAME: Final = "spool.db"
LOCK_NAME: Final = "spool.lock"
SCHEMA_VERSION: Final = 1
APPLICATION_ID: Final = 0x50454E53
"""`PENS`: tells our file from any other SQLite file."""
KEPT_CORRUPT: Final = 2
_MARK: Final = ".corrupt-"
_JOURNALS: Final = ("-wal", "-journal")
_MAX_NOTICES: Final = 16
_SAFE_WAL: Final = (3, 51, 3)
"""From here on two writers cannot trigger SQLite's WAL-reset bug."""

_SCHEMA: Final = f"""
CREATE TABLE payload (
    sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, codec INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE handle (
    id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, source BLOB NOT NULL,
    tokens INTEGER NOT NULL, size INTEGER NOT NULL, created REAL NOT NULL, expires REAL NOT NULL,
    pinned INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX handle_sha256 ON handle (sha256);
CREATE INDEX handle_seq ON handle (seq);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""

Result = TypeVar("Result")


class _Damaged(Exception):
    """The file is not a database, damaged, or another program's."""


class SpoolFile:
    """One guarded connection to the spool in `folder`. Thread-safe."""

    def __init__(self, folder: Path, disk: SpoolDisk) -> None:
        self._folder = folder
        self._disk = disk
        self._path = folder / FILE_NAME
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._connection: apsw.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._inherited: list[apsw.Connection] = []
        self._notices: deque[str] = deque(maxlen=_MAX_NOTICES)
        self.needs_check = False
        """A journal was found at the first opening: another process is at work, or the last one was killed."""
        self.is_damaged = False
        """The file was found damaged, and set aside, in the life of this object."""

    def __repr__(self) -> str:
        return f"<SpoolFile {'open' if self._connection else 'closed'}>"

    @property
    def notices(self) -> tuple[str, ...]:
        """What happened to the file, newest last."""
        return tuple(self._notices)

    def note(self, notice: str) -> None:
        """Add to the notices, unless it is there."""
        if notice not in self._notices:
            self._notices.append(notice)

    def read(self, query: "Callable[[apsw.Connection], Result]") -> Result:
        """Run `query` on the connection; it must leave no cursor open.

        Raises:
            StoreUnavailable: The file cannot be opened or read. A damaged one has been set aside.
        """
        return self._run(query)

    def write(self, change: "Callable[[apsw.Connection], Result]") -> Result:
        """Run `change` in one IMMEDIATE transaction: all of it is committed when this returns, or nothing.

        Raises:
            StoreUnavailable: As `read`, and: full, read-only, locked by a stuck process.
        """

        def transaction(connection: "apsw.Connection") -> Result:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = change(connection)
                connection.execute("COMMIT")
            except BaseException:
                self._roll_back(connection)
                raise
            return result

        return self._run(transaction)

    def close(self) -> None:
        """Close the connection; the next use opens it again."""
        with self._lock:
            self._close()

    def set_aside(self) -> None:
        """Treat the file as damaged: quarantine it and begin a new one.

        Raises:
            StoreUnavailable: It cannot be renamed.
        """
        self._guarded(self._quarantine)

    def _run(self, work: "Callable[[apsw.Connection], Result]") -> Result:
        def attempt() -> Result:
            return work(self._open())

        try:
            return self._guarded(attempt)
        except _Damaged:
            self._guarded(self._quarantine)
        try:
            return self._guarded(attempt)
        except _Damaged as error:
            raise StoreUnavailable("the spool is damaged again right after it was begun anew") from error

    def _guarded(self, work: Callable[[], Result]) -> Result:
        """Run `work` under the lock and translate what the store throws."""
        import apsw  # heavy: lazy by design

        if self._pid != os.getpid():
            self._leave_parent()
        if not self._lock.acquire(timeout=2 * BUSY_MS / 1000):
            raise StoreUnavailable("the spool is busy", why="another thread has been writing for seconds")
        try:
            return work()
        except (apsw.CorruptError, apsw.NotADBError) as error:
            self._close()
            raise _Damaged from error
        except (apsw.Error, OSError, UnicodeDecodeError) as error:  # the boundary to the store: degrade, never break a call
            if not isinstance(error, apsw.BusyError):
                self._close()
            raise StoreUnavailable("the spool cannot be used", why=_reason_of(error)) from error
        finally:
            self._lock.release()

    def _leave_parent(self) -> None:
        """After fork: keep the parent's connection untouched and unclosed, and begin with our own lock."""
        if self._connection is not None:
            self._inherited.append(self._connection)
        self._connection = None
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def _open(self) -> "apsw.Connection":
        """Return the connection, opening or re-opening the file if need be."""
        if self._connection is not None:
            if self._disk.identity(self._path) == self._identity:
                return self._connection
            self._close()
        self._disk.make_folder(self._folder)
        with self._disk.exclusive(self._folder / LOCK_NAME):
            self._disk.create_file(self._path)
            if self._identity is None:
                self.needs_check = self._has_journal()
            self._identity = self._disk.identity(self._path)
            connection = self._disk.connect(self._path)
            try:
                self._prepare(connection)
            except BaseException:
                _close_quietly(connection)
                raise
        self._connection = connection
        return connection

    def _has_journal(self) -> bool:
        return any(self._disk.size(self._path.with_name(FILE_NAME + suffix)) > 0 for suffix in _JOURNALS)

    def _prepare(self, connection: "apsw.Connection") -> None:
        import apsw  # heavy: lazy by design

        network = self._disk.network_type(self._folder)
        if network:
            self.note(f"the spool is on a network file system ({network}): slower journal, one machine at a time")
        version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
        is_wal = not network and version >= _SAFE_WAL
        connection.pragma("auto_vacuum", 2)
        connection.pragma("journal_mode", "wal" if is_wal else "truncate")
        connection.pragma("synchronous", "normal" if is_wal else "full")
        connection.pragma("trusted_schema", False)
        connection.pragma("cache_size", -1024)
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._check_schema(connection)
            connection.execute("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise

    def _check_schema(self, connection: "apsw.Connection") -> None:
        application, version = connection.pragma("application_id"), connection.pragma("user_version")
        tables = connection.execute("SELECT count(*) FROM sqlite_master").get
        if (application, version, tables) == (0, 0, 0):
            connection.execute(_SCHEMA)
        elif application != APPLICATION_ID:
            raise _Damaged("another program's database")
        elif version != SCHEMA_VERSION:
            raise OSError(f"written by another version of Penstock (schema {version})")

    def _quarantine(self) -> None:
        """Set the damaged file aside, unless another process has done so by now."""
        with self._disk.exclusive(self._folder / LOCK_NAME):
            found = self._disk.identity(self._path)
            self._close()
            if found is None or (self._identity is not None and found != self._identity):
                return
            names = self._disk.names(self._folder)
            number = 1 + max((_number_of(name) for name in names), default=0)
            target = self._path.with_name(f"{FILE_NAME}{_MARK}{number}")
            # The journal goes first: left behind, it would be played into the new file.
            for suffix in _JOURNALS:
                if f"{FILE_NAME}{suffix}" in names:
                    self._disk.rename(self._path.with_name(FILE_NAME + suffix), target.with_name(target.name + suffix))
            self._disk.remove(self._path.with_name(f"{FILE_NAME}-shm"))
            self._disk.rename(self._path, target)
            self.is_damaged = True
            self.note(f"the spool was damaged and has been set aside as {target.name}; handles from before may be lost")
            for name in names:
                if 0 < _number_of(name) <= number - KEPT_CORRUPT:
                    self._disk.remove(self._folder / name)

    def _roll_back(self, connection: "apsw.Connection") -> None:
        """End a failed transaction; SQLite has often done so by itself, and a connection that cannot is dropped."""
        import apsw  # heavy: lazy by design

        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except apsw.Error:
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _close_quietly(connection)


def _close_quietly(connection: "apsw.Connection") -> None:
    """Close; what was acknowledged is safe whether or not the disk still answers."""
    import apsw  # heavy: lazy by design

    with contextlib.suppress(apsw.Error):
        connection.close(True)


def _number_of(name: str) -> int:
    """Return n of `spool.db.corrupt-<n>` or of its journal, else 0."""
    rest = name.removeprefix(FILE_NAME + _MARK).split("-")[0]
    return int(rest) if name.startswith(FILE_NAME + _MARK) and rest.isdecimal() else 0


def _reason_of(error: Exception) -> str:
    """Say what is wrong without naming a path."""
    import apsw  # heavy: lazy by design

    reasons: tuple[tuple[type[Exception], str], ...] = (
        (apsw.FullError, "the disk is full"),
        (apsw.ReadOnlyError, "its folder is read-only"),
        (apsw.BusyError, "another process holds its lock"),
        (apsw.LockedError, "another process holds its lock"),
        (apsw.CantOpenError, "its file cannot be opened"),
        (apsw.PermissionsError, "access was refused"),
        (apsw.IOError, "the disk reported an error"),
    )
    for kind, reason in reasons:
        if isinstance(error, kind):
            return reason
    if isinstance(error, UnicodeDecodeError):
        return "a text in it is damaged"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return type(error).__name__
