"""Opening beneath a root on Windows: open first, then ask the handle where it is.

The final path of the handle is what was really opened, whatever links, junctions or 8.3 names led there, and cannot change
under a race. It must lie under the root's own final path, by whole components and without regard to case. What lies outside may
be opened for a moment here, but is never read.
"""

import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from .beneath import Found, RootHandle
from .paths import Flavour, RootPath, enter_root

_PATH_CHARS: Final = 32_768
"""Longest path of Windows."""


def final_path(fd: int) -> str:
    r"""Return the path of an open descriptor with forward slashes and without the `\\?\` prefix.

    Raises:
        OSError: The system does not tell; the caller must deny.
    """
    if sys.platform != "win32":
        raise OSError(errno.ENOSYS, "final paths are known on Windows only")
    import ctypes
    import msvcrt

    buffer = ctypes.create_unicode_buffer(_PATH_CHARS)
    length = ctypes.windll.kernel32.GetFinalPathNameByHandleW(msvcrt.get_osfhandle(fd), buffer, _PATH_CHARS, 0)
    if not 0 < length < _PATH_CHARS:
        raise ctypes.WinError()
    path = buffer.value
    for prefix, replacement in (("\\\\?\\UNC\\", "\\\\"), ("\\\\?\\", "")):
        if path.startswith(prefix):
            path = replacement + path[len(prefix) :]
            break
    return path.replace("\\", "/")


class FinalPathOpener:
    """The strategy for systems without openat: open, then check the final path of the handle."""

    def __init__(self, path_of: Callable[[int], str] = final_path, flavour: Flavour = Flavour.WINDOWS) -> None:
        self._path_of = path_of
        self._flavour = flavour

    def open(self, roots: Sequence[RootHandle], root: int, parts: Sequence[str], flags: int) -> Found:
        """As `Opener.open`."""
        reals = [RootPath(handle.path.real, handle.path.real) for handle in roots]
        path = "/".join((roots[root].path.real, *parts))
        try:
            fd = _open_directory(path) if sys.platform == "win32" and os.path.isdir(path) else os.open(path, flags)
        except OSError as error:
            # What is missing outside must look like what exists outside.
            if enter_root(os.path.realpath(path).replace("\\", "/"), reals, self._flavour) is None:
                raise OSError(errno.EXDEV, "path leads outside") from error
            raise
        try:
            entered = enter_root(self._path_of(fd), reals, self._flavour)
            if entered is None:
                raise OSError(errno.EXDEV, "final path leads outside")
        except OSError:
            os.close(fd)
            raise
        return Found(fd, entered[0], entered[1])


def _open_directory(path: str) -> int:
    """Open a folder, which `os.open` refuses on Windows: CreateFile with FILE_FLAG_BACKUP_SEMANTICS, for its attributes only."""
    if sys.platform != "win32":
        raise OSError(errno.ENOSYS, "on Windows only")
    import ctypes
    import msvcrt

    create = ctypes.windll.kernel32.CreateFileW
    create.restype = ctypes.c_void_p
    handle = create(path, 0x80, 7, None, 3, 0x02000000, None)
    if handle in (None, ctypes.c_void_p(-1).value):
        raise ctypes.WinError()
    return msvcrt.open_osfhandle(handle, os.O_RDONLY)
