"""What an operating system's refusal means to the caller. Pure. Every error becomes a denial; none opens anything."""

import errno
import os
import stat
from typing import Final

from ..errors import AccessDenied, Busy, InvalidPath, NotARegularFile, PathNotFound, PenstockError
from .paths import PathRequest, outside_workspace

_SHORTAGE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ETXTBSY})
_KINDS: Final = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISLNK, "a symbolic link"),
)


def denial_of(error: OSError, request: PathRequest) -> PenstockError:
    """Translate an error of opening `request` into what the caller is told."""
    code, shown = error.errno, request.shown
    if code == errno.EXDEV:
        return outside_workspace()
    if code in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
        return _missing(code, request)
    if code == errno.ENAMETOOLONG:
        return InvalidPath(f"{shown} has a component longer than this file system takes", next_call=_list_parent(request))
    if code == errno.ENXIO:  # open(2) of a socket, or of a device without a driver
        return NotARegularFile(
            f"{shown} is a socket or a device", why="only regular files hold text", next_call=_list_parent(request)
        )
    if code in _SHORTAGE:
        return Busy(
            f"{shown} could not be opened just now: {_reason(error)}",
            why="the system is short of something, or the file is locked",
            next_call="repeat the call",
        )
    return AccessDenied(f"{shown} could not be opened: {_reason(error)}", next_call=_list_parent(request))


def not_a_regular_file(mode: int, request: PathRequest) -> NotARegularFile:
    """Return the error for an opened object of another type."""
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "not a regular file")
    if stat.S_ISDIR(mode):
        return NotARegularFile(
            f"{request.shown} is {kind}", next_call=f'read path="{request.shown}" shows its tree; name a file in it for text'
        )
    return NotARegularFile(f"{request.shown} is {kind}", why="only regular files hold text", next_call=_list_parent(request))


def kernel_file(request: PathRequest) -> NotARegularFile:
    """Return the error for a file of procfs, sysfs or the like."""
    return NotARegularFile(
        f"{request.shown} belongs to a kernel file system", why="reading it has effects and no end", next_call='read path="."'
    )


def not_a_directory(request: PathRequest) -> NotARegularFile:
    """Return the error for a file where a directory was asked for."""
    return NotARegularFile(f"{request.shown} is not a directory", next_call=f'read path="{request.shown}"')


def _missing(code: int, request: PathRequest) -> PenstockError:
    if request.doubt:
        return InvalidPath(
            f"{request.shown} is not a path in the workspace",
            why=request.doubt,
            next_call='give a path relative to the root; read path="." lists it',
        )
    why = {
        errno.ENOTDIR: "a component before the last is a file",
        errno.ELOOP: "its symbolic links go in circles",
    }.get(code, "")
    return PathNotFound(f"{request.shown} is not in the workspace", why=why, next_call=_list_parent(request))


def _list_parent(request: PathRequest) -> str:
    parent, _, name = request.shown.rstrip("/").rpartition("/")
    return f'read path="{parent or "."}" lists its folder; search query="{name}" looks for it elsewhere'


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else "unknown error"
