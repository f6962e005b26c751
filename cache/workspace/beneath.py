"""Opening beneath a root, so that no link, `..` or race leads out. Two strategies with one contract.

`Openat2Opener` asks the kernel (openat2(2), Linux 5.6, RESOLVE_BENEATH). `StepwiseOpener` opens one component at a time with
O_NOFOLLOW and resolves links by hand, entering a root again where an absolute link points into one; it is also what the
first strategy hands every path with a link to, so both give the real path of what they opened without asking /proc.
Measured on one path of three components: 5 µs and 20 µs. Both raise OSError: EXDEV for every way out.
"""

import ctypes
import errno
import os
import stat
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from .paths import Flavour, RootPath, collapse, enter_root

_SYS_OPENAT2: Final = 437
_NO_MAGICLINKS: Final = 0x02
_NO_SYMLINKS: Final = 0x04
_BENEATH: Final = 0x08
_EAGAIN_TRIES: Final = 64
"""openat2 gives EAGAIN when a rename raced with `..`; the manual page asks for a retry."""
_MAX_LINKS: Final = 40
"""MAXSYMLINKS of Linux."""
_MAX_STEPS: Final = 8192
"""Bounds the work of one hostile path: twice the components that 4,096 bytes can spell, `..` restarts included."""

O_PATH: Final[int] = getattr(os, "O_PATH", os.O_RDONLY)
O_DIRECTORY: Final[int] = getattr(os, "O_DIRECTORY", 0)
_O_NOFOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_O_CLOEXEC: Final[int] = getattr(os, "O_CLOEXEC", 0)
FILE_FLAGS: Final[int] = (
    os.O_RDONLY | _O_CLOEXEC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
)
"""O_NONBLOCK: a FIFO without a writer must not hang the call."""


@dataclass(frozen=True, slots=True)
class RootHandle:
    """A root held open: a root that is renamed or swapped is still the same root."""

    fd: int
    path: RootPath


@dataclass(frozen=True, slots=True)
class Found:
    """An opened object. The caller owns `fd`."""

    fd: int
    root: int
    """The root it lies under; a link may lead from one root into another."""
    parts: tuple[str, ...]
    """Its real path below that root: no links, no `..`."""


class Opener(Protocol):
    """Opens `parts` beneath `roots[root]`.

    Whatever other processes do meanwhile, the object opened was reached through directories below a root. Thread-safe.
    """

    def open(self, roots: Sequence[RootHandle], root: int, parts: Sequence[str], flags: int) -> Found:
        """Open and return the object, never a symbolic link.

        Raises:
            OSError: EXDEV if the path leads out of every root, else as open(2).
        """
        ...


class StepwiseOpener:
    """One openat per component, none of which follows a link."""

    def __init__(self, flavour: Flavour = Flavour.POSIX) -> None:
        self._flavour = flavour

    def open(self, roots: Sequence[RootHandle], root: int, parts: Sequence[str], flags: int) -> Found:
        """As `Opener.open`."""
        descent = _Descent(roots, root, parts, self._flavour)
        try:
            return descent.run(flags)
        finally:
            descent.close()


class _Descent:
    """The state of one stepwise open: where it stands, what it passed, what is still to come."""

    def __init__(self, roots: Sequence[RootHandle], root: int, parts: Sequence[str], flavour: Flavour) -> None:
        self._roots = roots
        self._flavour = flavour
        self._root = root
        self._own_fd = -1
        """The directory it stands in, or -1 for the root, which is not ours to close."""
        self._passed: list[str] = []
        self._pending = deque(parts)
        self._links = 0
        self._steps = 0

    def run(self, flags: int) -> Found:
        """Open the last component with `flags` and everything before it as directories."""
        while True:
            self._steps += 1
            if self._steps > _MAX_STEPS:
                raise OSError(errno.ELOOP, "too many components")
            name = self._pending.popleft() if self._pending else "."
            if name == "..":
                self._ascend()
                continue
            is_last = not self._pending
            fd = self._open_or_follow(name, flags if is_last else O_PATH | O_DIRECTORY | _O_CLOEXEC)
            if fd is None:
                continue
            if name != ".":
                self._passed.append(name)
            if is_last:
                return Found(fd, self._root, tuple(self._passed))
            self._stand_in(fd)

    def close(self) -> None:
        """Give back the directory it stands in."""
        self._stand_in(-1)

    def _open_or_follow(self, name: str, flags: int) -> int | None:
        """Open a component; None if it was a link, whose target is now what comes next."""
        try:
            fd = os.open(name, flags | _O_NOFOLLOW, dir_fd=self._fd)
        except OSError as error:
            # A link under O_NOFOLLOW is ELOOP, with O_DIRECTORY ENOTDIR; the BSDs say EMLINK or EFTYPE.
            if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK, getattr(errno, "EFTYPE", errno.ELOOP)):
                self._follow(name, error)
                return None
            raise
        if flags & O_PATH and O_PATH != os.O_RDONLY and self._closed_if_link(fd):  # O_PATH opens the link itself
            self._follow(name, OSError(errno.ELOOP, "link changed"))
            return None
        return fd

    @staticmethod
    def _closed_if_link(fd: int) -> bool:
        is_link = False
        try:
            is_link = stat.S_ISLNK(os.fstat(fd).st_mode)
        except OSError:
            os.close(fd)
            raise
        if is_link:
            os.close(fd)
        return is_link

    def _follow(self, name: str, error: OSError) -> None:
        try:
            target = os.readlink(name, dir_fd=self._fd)
        except OSError as not_a_link:
            if not_a_link.errno == errno.EINVAL and error.errno != errno.ENOTDIR:
                self._pending.appendleft(name)  # it was a link a moment ago; the step limit bounds the retries
                return
            raise error from not_a_link
        self._links += 1
        if self._links > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if not target.startswith("/"):
            self._pending.extendleft(reversed([part for part in target.split("/") if part not in ("", ".")]))
            return
        entered = enter_root(target, [handle.path for handle in self._roots], self._flavour)
        if entered is None:
            raise OSError(errno.EXDEV, "link leads outside")
        self._restart(entered[0], entered[1])

    def _ascend(self) -> None:
        if not self._passed:
            raise OSError(errno.EXDEV, "`..` leads outside")
        # From the root again rather than by "..": the directory may have been moved out meanwhile.
        self._restart(self._root, self._passed[:-1])

    def _restart(self, root: int, parts: Sequence[str]) -> None:
        self._root = root
        self._pending.extendleft(reversed(parts))
        self._passed.clear()
        self._stand_in(-1)

    @property
    def _fd(self) -> int:
        return self._roots[self._root].fd if self._own_fd < 0 else self._own_fd

    def _stand_in(self, fd: int) -> None:
        if self._own_fd >= 0:
            os.close(self._own_fd)
        self._own_fd = fd


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class Openat2Opener:
    """One openat2 per path without links; the others go step by step.

    Raises:
        OSError: From the constructor, ENOSYS or EPERM: the kernel does not have the call or a sandbox forbids it.
    """

    def __init__(self, stepwise: StepwiseOpener | None = None) -> None:
        self._stepwise = stepwise or StepwiseOpener()
        self._syscall = ctypes.CDLL(None, use_errno=True).syscall
        self._syscall.restype = ctypes.c_long
        os.close(self._openat2(_AT_FDCWD, b"/", O_PATH | O_DIRECTORY | _O_CLOEXEC, resolve=0))

    def open(self, roots: Sequence[RootHandle], root: int, parts: Sequence[str], flags: int) -> Found:
        """As `Opener.open`."""
        path = os.fsencode("/".join(parts) or ".")
        try:
            fd = self._openat2(roots[root].fd, path, flags, resolve=_BENEATH | _NO_MAGICLINKS | _NO_SYMLINKS)
        except OSError as error:
            # A link, or a way out that may be an absolute link back in, or a kernel that changed its mind: step by step decides.
            if error.errno in (errno.ELOOP, errno.EXDEV, errno.EAGAIN, errno.EPERM, errno.ENOSYS):
                return self._stepwise.open(roots, root, parts, flags)
            raise
        return Found(fd, root, collapse(parts))

    def _openat2(self, dir_fd: int, path: bytes, flags: int, *, resolve: int) -> int:
        how = _OpenHow(flags, 0, resolve)
        for _ in range(_EAGAIN_TRIES):
            fd: int = self._syscall(_SYS_OPENAT2, dir_fd, path, ctypes.byref(how), ctypes.sizeof(how))
            if fd >= 0:
                return fd
            code = ctypes.get_errno()
            if code not in (errno.EAGAIN, errno.EINTR):
                raise OSError(code, os.strerror(code))
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


_AT_FDCWD: Final = -100


def best_opener(flavour: Flavour = Flavour.POSIX) -> Opener:
    """Return the fastest strategy that this system has."""
    if flavour is Flavour.WINDOWS:
        from .finalpath import FinalPathOpener  # its system calls exist on Windows only

        return FinalPathOpener()
    if flavour is Flavour.POSIX:
        try:
            return Openat2Opener()
        except (OSError, AttributeError):  # not this kernel, not in this sandbox, not this C library
            pass
    return StepwiseOpener(flavour)
