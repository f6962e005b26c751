"""The jail: the only place that opens a file of the workspace.

A typed path is checked as a string, opened beneath its root (`beneath`), and judged by what was opened, never by its name. Every
error denies. Hard links are not covered: a second name inside a root of a file outside cannot be told from a file inside.
"""

import errno
import os
import stat
import sys
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from ..errors import OutsideWorkspace, PathNotFound, PenstockError
from .beneath import FILE_FLAGS, O_DIRECTORY, O_PATH, Found, Opener, RootHandle, best_opener
from .denial import denial_of, kernel_file, not_a_directory, not_a_regular_file
from .mounts import parse_mountinfo
from .names import spellings
from .paths import Flavour, PathRequest, RootPath, display_of, parse_path
from .values import FileKey, FileStat

_MOUNTINFO: Final = "/proc/self/mountinfo"


@dataclass(frozen=True, slots=True)
class JailStatistics:
    """Counts since the start."""

    opened: int
    denied: int
    """Refusals of any kind but a missing file."""
    strategy: str


class Opened:
    """An object of the workspace held open; close it, or use it as a context manager."""

    __slots__ = ("fd", "key", "rel", "request", "root", "stat")

    def __init__(self, found: Found, status: os.stat_result, rel: str, request: PathRequest) -> None:
        self.fd: Final = found.fd
        self.root: Final = found.root
        self.rel: Final = rel
        """Display path."""
        self.request: Final = request
        self.stat: Final = FileStat.from_os(status)
        self.key: Final = FileKey(status.st_dev, status.st_ino, "/".join(found.parts))

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)


class Jail:
    """Opens typed paths beneath fixed roots. Thread-safe."""

    def __init__(
        self, roots: Sequence[Path], *, opener: Opener | None = None, kernel_devices: frozenset[int] | None = None
    ) -> None:
        """Hold `roots` open.

        Raises:
            ValueError: There is no root, or one of them is not a directory that can be opened.
        """
        if not roots:
            raise ValueError("roots must not be empty")
        self._flavour: Final = _flavour()
        self._opener: Final = opener or best_opener(self._flavour)
        self._lock = threading.Lock()
        self._fds: set[int] = set()
        self._finalizer = weakref.finalize(self, _close_all, self._fds)
        try:
            self._roots = [self._hold(root) for root in roots]
        except OSError as error:
            self._finalizer()
            raise ValueError(f"every root must be a directory: {error.strerror}") from error
        self._kernel_devices = _kernel_devices() if kernel_devices is None else kernel_devices
        self._opened = 0
        self._denied = 0

    def __repr__(self) -> str:
        return f"<Jail {len(self._roots)} roots, {type(self._opener).__name__}>"

    @property
    def roots(self) -> tuple[RootPath, ...]:
        """The roots in both spellings, in the order given."""
        return tuple(handle.path for handle in self._roots)

    def close(self) -> None:
        """Give the roots back; nothing can be opened afterwards."""
        self._finalizer()

    def parse(self, path: str) -> PathRequest:
        """Check a path as a string.

        Raises:
            InvalidPath: No file can have it.
            OutsideWorkspace: It leads out by its spelling alone.
        """
        try:
            return parse_path(path, self.roots, self._flavour)
        except OutsideWorkspace:
            self._count(denied=True)
            raise

    def open_file(self, path: str) -> Opened:
        """Open a regular file for reading.

        Raises:
            InvalidPath, OutsideWorkspace, PathNotFound, NotARegularFile, AccessDenied, Busy: As the path or the object has it.
        """
        opened = self._open(path, FILE_FLAGS)
        if not stat.S_ISREG(opened.stat.mode):
            opened.close()
            raise self._denial(not_a_regular_file(opened.stat.mode, opened.request))
        return opened

    def open_directory(self, path: str) -> Opened:
        """Open a directory for listing.

        Raises:
            NotARegularFile: It is something else. Others as `open_file`.
        """
        opened = self._open(path, FILE_FLAGS)
        if not stat.S_ISDIR(opened.stat.mode):
            opened.close()
            raise self._denial(not_a_directory(opened.request))
        return opened

    def open_any(self, path: str) -> Opened:
        """Open an object of any type, for its stat only where the system can do that.

        Raises:
            InvalidPath, OutsideWorkspace, PathNotFound, NotARegularFile, AccessDenied, Busy: As `open_file`.
        """
        return self._open(path, O_PATH | (FILE_FLAGS if O_PATH == os.O_RDONLY else 0) | getattr(os, "O_CLOEXEC", 0))

    def is_kernel_device(self, device: int) -> bool:
        """Whether `st_dev` is a file system of the kernel's own making."""
        return device in self._kernel_devices

    def statistics(self) -> JailStatistics:
        """Return the counts at this moment."""
        with self._lock:
            return JailStatistics(self._opened, self._denied, type(self._opener).__name__)

    def _open(self, path: str, flags: int) -> Opened:
        request = self.parse(path)
        found, parts = self._find(request, flags)
        try:
            status = os.fstat(found.fd)
        except OSError as error:
            os.close(found.fd)
            raise self._denial(denial_of(error, request)) from None
        if status.st_dev in self._kernel_devices:
            os.close(found.fd)
            raise self._denial(kernel_file(request))
        self._count(denied=False)
        return Opened(found, status, self._display(request.root, parts, found), request)

    def _find(self, request: PathRequest, flags: int) -> tuple[Found, Sequence[str]]:
        """Open `request`, or else one of the other spellings its name may have on disk; say which."""
        try:
            return self._opener.open(self._roots, request.root, request.parts, flags), request.parts
        except OSError as error:
            first = error
        if first.errno == errno.ENOENT:
            if self._reopened(request.root):
                return self._find(request, flags)
            for spelling in spellings("/".join(request.parts)):
                parts = spelling.split("/")
                try:
                    return self._opener.open(self._roots, request.root, parts, flags), parts
                except (OSError, ValueError):  # no such spelling either: the first answer stands
                    continue
        raise self._denial(denial_of(first, request)) from None

    def _display(self, root: int, parts: Sequence[str], found: Found) -> str:
        """The path as typed, unless a `..` in it made that something else than where the object is."""
        if ".." in parts:
            root, parts = found.root, found.parts
        return display_of(parts, self._roots[root].path, root)

    def _denial(self, error: PenstockError) -> PenstockError:
        if not isinstance(error, PathNotFound):
            self._count(denied=True)
        return error

    def _count(self, *, denied: bool) -> None:
        with self._lock:
            if denied:
                self._denied += 1
            else:
                self._opened += 1

    def _hold(self, root: Path) -> RootHandle:
        typed = os.path.abspath(root)
        real = os.path.realpath(typed)
        if self._flavour is Flavour.WINDOWS:
            return RootHandle(-1, RootPath(typed.replace("\\", "/"), real.replace("\\", "/")))
        fd = os.open(real, O_PATH | O_DIRECTORY | getattr(os, "O_CLOEXEC", 0))
        self._fds.add(fd)
        return RootHandle(fd, RootPath(typed, real))

    def _reopened(self, index: int) -> bool:
        """Hold a root anew if it was deleted and made again (a fresh clone, a switched worktree) since it was opened."""
        handle = self._roots[index]
        if handle.fd < 0 or os.fstat(handle.fd).st_nlink > 0:
            return False
        try:
            fresh = self._hold(Path(handle.path.typed))
        except OSError:
            return False
        # The old descriptor stays open until `close`: another thread may be opening beneath it.
        self._roots[index] = fresh
        return True


def _flavour() -> Flavour:
    if sys.platform == "win32":
        return Flavour.WINDOWS
    return Flavour.FOLDING if sys.platform == "darwin" else Flavour.POSIX


def _kernel_devices() -> frozenset[int]:
    try:
        with open(_MOUNTINFO, encoding="utf-8", errors="replace") as file:
            return parse_mountinfo(file.read())
    except OSError:  # not Linux
        return frozenset()


def _close_all(fds: set[int]) -> None:
    while fds:
        os.close(fds.pop())
