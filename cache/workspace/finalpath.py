"""Opening beneath a root on Windows: open first, then ask the handle where it is.

The final path of the handle is what was really opened, whatever links, junctions or 8.3 names led there, and cannot change
under a race. It must lie under the root's own final path, by whole components and without regard to case.
"""

import errno
import os
import sys
from collections.abc import Sequence

from .beneath import Found, RootHandle
from .paths import Flavour, RootPath, enter_root

_PATH_CHARS = 32_768
"""Longest path of Windows."""


class FinalPathOpener:
    """The strategy for systems without openat: open, then check the final path of the handle."""

    def open(self, roots: Sequence[RootHandle], root: int, parts: Sequence[str], flags: int) -> Found:
        """As `Opener.open`."""
        fd = os.open("/".join((roots[root].path.real, *parts)), flags)
        try:
            final = final_path(fd)
            entered = enter_root(final, [RootPath(handle.path.real, handle.path.real) for handle in roots], Flavour.WINDOWS)
            if entered is None:
                raise OSError(errno.EXDEV, "final path leads outside")
        except OSError:
            os.close(fd)
            raise
        return Found(fd, entered[0], entered[1])


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
