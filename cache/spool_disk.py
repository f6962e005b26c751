"""The calls that a spool file makes to the operating system, in one place, so that a test can make any of them fail."""

import contextlib
import errno
import os
import re
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import apsw

BUSY_MS: Final = 2000
"""Longest wait for another process's write lock: a stopped peer must not stop us."""
_LOCK_STEP_S: Final = 0.02
_NETWORK: Final = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ncpfs|ceph|glusterfs|lustre|gpfs|beegfs|vboxsf|prl_fs|davfs|virtiofs|fuse(\..*)?"
)
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


class SpoolDisk(Protocol):
    """What a spool file needs. Every method raises OSError, `connect` also apsw.Error."""

    def make_folder(self, folder: Path) -> None:
        """Create `folder` for the user alone, or check that it is."""
        ...

    def create_file(self, path: Path) -> None:
        """Create an empty file for the user alone unless it is there; never through a link."""
        ...

    def identity(self, path: Path) -> tuple[int, int] | None:
        """Return (device, inode), or None if there is no such file."""
        ...

    def size(self, path: Path) -> int:
        """Return the file's bytes, 0 if there is no such file."""
        ...

    def rename(self, path: Path, target: Path) -> None:
        """Rename, replacing `target`."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        ...

    def names(self, folder: Path) -> list[str]:
        """Return the names in `folder`."""
        ...

    def network_type(self, folder: Path) -> str:
        """Return the type of the network file system that `folder` is on, empty if it is local or unknown."""
        ...

    def connect(self, path: Path) -> "apsw.Connection":
        """Open an existing SQLite file for reading and writing."""
        ...

    def exclusive(self, path: Path) -> contextlib.AbstractContextManager[None]:
        """Hold the advisory lock `path` against other processes; TimeoutError after `BUSY_MS`."""
        ...


class RealDisk:
    """The operating system. `vfs` names another SQLite VFS."""

    def __init__(self, *, vfs: str | None = None) -> None:
        self._vfs = vfs

    def make_folder(self, folder: Path) -> None:
        """Create `folder` (0700), or check that it belongs to the user and shut others out."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = os.stat(folder, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "the spool's folder is a link or a file")
        if hasattr(os, "geteuid"):
            if found.st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, "the spool's folder belongs to another user")
            if found.st_mode & 0o077:
                folder.chmod(0o700)

    def create_file(self, path: Path) -> None:
        """Create an empty file (0600) unless it is there."""
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        fd = os.open(path, flags, 0o600)
        try:
            if hasattr(os, "fchmod") and os.fstat(fd).st_mode & 0o077:
                os.fchmod(fd, 0o600)
        finally:
            os.close(fd)

    def identity(self, path: Path) -> tuple[int, int] | None:
        """Return (device, inode), or None."""
        try:
            found = os.stat(path, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def size(self, path: Path) -> int:
        """Return the file's bytes, or 0."""
        try:
            return os.stat(path, follow_symlinks=False).st_size
        except FileNotFoundError:
            return 0

    def rename(self, path: Path, target: Path) -> None:
        """Rename, replacing `target`."""
        path.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        path.unlink(missing_ok=True)

    def names(self, folder: Path) -> list[str]:
        """Return the names in `folder`, sorted."""
        return sorted(os.listdir(folder))

    def network_type(self, folder: Path) -> str:
        """Look `folder` up in the kernel's list of mounts (Linux; elsewhere nothing is known)."""
        try:
            mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
        except OSError:
            return ""
        return network_type_of(str(folder.resolve()), mounts)

    def connect(self, path: Path) -> "apsw.Connection":
        """Open the file; it must exist, so that a vanished folder is noticed."""
        import apsw  # heavy: lazy by design

        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=self._vfs)
        connection.set_busy_timeout(BUSY_MS)
        return connection

    @contextmanager
    def exclusive(self, path: Path) -> Generator[None]:
        """Hold an flock; where there is none (Windows), SQLite's own locks have to do."""
        try:
            import fcntl
        except ImportError:
            yield
            return
        self.create_file(path)
        fd = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        try:
            end = time.monotonic() + BUSY_MS / 1000
            while True:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                if time.monotonic() > end:
                    raise TimeoutError(errno.ETIMEDOUT, "another process holds the spool's lock")
                time.sleep(_LOCK_STEP_S)
            yield
        finally:
            os.close(fd)


def network_type_of(folder: str, mountinfo: str) -> str:
    """Return the type of the network file system that `folder` is on, by /proc/self/mountinfo (proc(5)). Pure."""
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        point = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), fields[4])
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= best:  # of two mounts on one point the later one is on top
            best, kind = len(point), right.split(" ")[0]
    return kind if _NETWORK.fullmatch(kind) else ""
