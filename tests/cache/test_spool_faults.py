"""The k-th call that the spool makes to the system fails, for every k until a run is clean.

Two layers: the calls of `SpoolDisk` (open, create, rename, list …) and, below SQLite, those of its VFS (open, read, write,
sync, truncate, delete, lock, shared memory). Whatever fails: a typed error or degraded service, nothing acknowledged is lost,
nothing else is served.
"""

import errno
import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from penstock.cache.errors import CorruptPayload, StoreUnavailable
from penstock.cache.ledger import Ledger
from penstock.cache.spool import MemorySpool
from penstock.cache.spool_disk import RealDisk
from penstock.cache.spool_fallback import FallbackSpool
from penstock.cache.spool_file import FILE_NAME
from penstock.cache.spool_sqlite import SqliteSpool
from tests.cache.spooled import handle_for

ERRNOS = (errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EACCES)
MAX_CALLS = 2000


class Fuse:
    """Counts calls and makes the k-th fail, once or from then on; k = 0 never."""

    def __init__(self) -> None:
        self.arm(0)

    def arm(self, k: int, *, stays: bool = False) -> None:
        self.k, self.calls, self.stays, self.has_blown = k, 0, stays, False

    def disarm(self) -> None:
        """Let everything through; `has_blown` still tells of before."""
        self.k = 0

    def fails(self) -> bool:
        self.calls += 1
        fails = self.calls == self.k or (self.stays and 0 < self.k <= self.calls)
        self.has_blown |= fails
        return fails


class FaultyDisk(RealDisk):
    """The real disk with a fuse before every call."""

    def __init__(self, fuse: Fuse, code: int, *, vfs: str | None = None) -> None:
        super().__init__(vfs=vfs)
        self._fuse = fuse
        self._code = code

    def _check(self) -> None:
        if self._fuse.fails():
            raise OSError(self._code, "injected")

    def make_folder(self, folder: Path) -> None:
        self._check()
        super().make_folder(folder)

    def create_file(self, path: Path) -> None:
        self._check()
        super().create_file(path)

    def identity(self, path: Path) -> tuple[int, int] | None:
        self._check()
        return super().identity(path)

    def size(self, path: Path) -> int:
        self._check()
        return super().size(path)

    def rename(self, path: Path, target: Path) -> None:
        self._check()
        super().rename(path, target)

    def remove(self, path: Path) -> None:
        self._check()
        super().remove(path)

    def names(self, folder: Path) -> list[str]:
        self._check()
        return super().names(folder)

    def connect(self, path: Path) -> apsw.Connection:
        self._check()
        return super().connect(path)

    @contextmanager
    def exclusive(self, path: Path) -> Generator[None]:
        self._check()
        with super().exclusive(path):
            yield


class FaultyFile(apsw.VFSFile):
    """A SQLite file whose calls go through the fuse."""

    def __init__(self, vfs: "FaultyVfs", name: "str | apsw.URIFilename | None", flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__("", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        self._vfs.check(apsw.IOError)
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._vfs.check()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._vfs.check(apsw.IOError)  # nobody pulls the plug: a real sync would only cost time

    def xTruncate(self, newsize: int) -> None:
        self._vfs.check(apsw.IOError)
        super().xTruncate(newsize)

    def xFileSize(self) -> int:
        self._vfs.check(apsw.IOError)
        return super().xFileSize()

    def xLock(self, level: int) -> None:
        self._vfs.check(apsw.IOError)
        super().xLock(level)


class NetworkDisk(RealDisk):
    """A network file system: SQLite keeps to a rollback journal."""

    def network_type(self, folder: Path) -> str:
        return "nfs"


class FaultyVfs(apsw.VFS):
    """The default VFS with a fuse; only shared memory is its own."""

    def __init__(self, name: str, fuse: Fuse, error: type[apsw.Error]) -> None:
        self._fuse = fuse
        self._error = error
        super().__init__(name, "")

    def check(self, error: type[apsw.Error] | None = None) -> None:
        if self._fuse.fails():
            raise (error or self._error)("injected")

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> FaultyFile:
        self.check(apsw.CantOpenError)
        return FaultyFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.check(apsw.IOError)
        super().xDelete(filename, syncdir)

    def xAccess(self, pathname: str, flags: int) -> bool:
        self.check(apsw.IOError)
        return super().xAccess(pathname, flags)


BLOBS = [hashlib.shake_128(b"%d" % number).digest(500 + 5000 * number) for number in range(2)]


def work(spool: SqliteSpool | FallbackSpool) -> set[bytes]:
    """Do what servers do; return what was acknowledged. Only typed errors may come out."""
    acknowledged: set[bytes] = set()
    for number, data in enumerate(BLOBS):
        try:
            spool.put(handle_for(data), data)
            acknowledged.add(data)
        except StoreUnavailable:
            pass
        try:
            found = spool.get(handle_for(data).sha256)
            assert found in (data, None)
            assert found == data or data not in acknowledged
        except (StoreUnavailable, CorruptPayload):
            pass
        try:
            spool.find(handle_for(data).id[:6])
            spool.pin(handle_for(data).id, is_pinned=number == 1)
            spool.sweep()
        except StoreUnavailable:
            pass
    spool.statistics()
    return acknowledged


def check_nothing_lost(folder: Path, acknowledged: set[bytes]) -> None:
    """A new process without faults finds all that was acknowledged, in a sound file."""
    spool = SqliteSpool(folder)
    for data in acknowledged:
        assert spool.get(handle_for(data).sha256) == data
    assert spool.verify() == 0
    spool.close()


def rounds(tmp_path: Path, fuse: Fuse, *, stride: int = 1) -> Iterator[Path]:
    """Yield a folder per round, the fuse armed with k = 1, 2, …, until a round is clean."""
    for k in range(1, MAX_CALLS, stride):
        fuse.arm(k)
        yield tmp_path / str(k)
        if not fuse.has_blown:
            assert k > 5, "the fuse was never in the way"
            return
    raise AssertionError(f"still failing at call {MAX_CALLS}")


@pytest.mark.parametrize("code", ERRNOS, ids=errno.errorcode.get)
def test_any_failing_system_call_loses_nothing(tmp_path: Path, code: int) -> None:
    fuse = Fuse()
    for folder in rounds(tmp_path, fuse):
        spool = SqliteSpool(folder, disk=FaultyDisk(fuse, code))
        acknowledged = work(spool)
        spool.close()
        check_nothing_lost(folder, acknowledged)
        assert len(acknowledged) >= len(BLOBS) - 1, "one failing call costs one put at most"


@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
@pytest.mark.parametrize("disk", [RealDisk, NetworkDisk], ids=["wal", "journal"])
def test_any_failing_sqlite_call_loses_nothing(tmp_path: Path, error: type[apsw.Error], disk: type[RealDisk]) -> None:
    """Every call in the usual mode; one in seven in that for network file systems, which makes more of them."""
    fuse, name = Fuse(), f"faulty-{error.__name__}-{disk.__name__}"
    vfs = FaultyVfs(name, fuse, error)
    try:
        for folder in rounds(tmp_path, fuse, stride=1 if disk is RealDisk else 7):
            spool = SqliteSpool(folder, disk=disk(vfs=name))
            acknowledged = work(spool)
            if not fuse.has_blown:
                mode = spool._file.read(lambda connection: connection.pragma("journal_mode"))  # pyright: ignore[reportPrivateUsage]
                assert mode == ("wal" if disk is RealDisk else "truncate"), "not the journal that this is about"
            spool.close()
            fuse.disarm()
            check_nothing_lost(folder, acknowledged)
            assert not [path for path in folder.iterdir() if "corrupt" in path.name], "a failing disk is no damaged file"
    finally:
        vfs.unregister()


@pytest.mark.parametrize("code", ERRNOS, ids=errno.errorcode.get)
def test_with_the_fallback_every_put_is_served_while_the_disk_fails_for_good(tmp_path: Path, code: int) -> None:
    fuse = Fuse()
    for k in range(1, 40, 3):
        fuse.arm(k, stays=True)
        now = [0.0]
        disk = SqliteSpool(tmp_path / str(k), disk=FaultyDisk(fuse, code))
        spool = FallbackSpool(disk, MemorySpool(Ledger(1 << 20)), clock=lambda now=now: now[0])
        assert work(spool) == set(BLOBS)
        if fuse.has_blown:
            assert spool.statistics().notices
        fuse.arm(0)
        now[0] = 60.0
        spool.put(handle_for(b"back"), b"back")
        assert not spool.is_degraded
        spool.close()
        check_nothing_lost(tmp_path / str(k), {*BLOBS, b"back"})


def test_a_failing_quarantine_is_tried_again(tmp_path: Path) -> None:
    fuse = Fuse()
    for folder in rounds(tmp_path, fuse):
        k = fuse.k
        fuse.disarm()
        spool = SqliteSpool(folder, disk=FaultyDisk(fuse, errno.EIO))
        spool.put(handle_for(b"x"), b"x")
        spool.close()
        (folder / FILE_NAME).write_bytes(b"junk" * 5000)
        fuse.arm(k)
        acknowledged = work(spool)
        spool.close()
        check_nothing_lost(folder, acknowledged)
        assert len(acknowledged) >= len(BLOBS) - 1


def test_a_read_only_folder_is_a_typed_error(tmp_path: Path) -> None:
    class ReadOnlyDisk(RealDisk):
        def create_file(self, path: Path) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

    with pytest.raises(StoreUnavailable) as caught:
        SqliteSpool(tmp_path, disk=ReadOnlyDisk()).put(handle_for(b"x"), b"x")
    assert caught.value.why == "read-only file system"
    assert str(tmp_path) not in str(caught.value)
