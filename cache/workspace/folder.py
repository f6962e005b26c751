"""A directory held open, as a place to list, stat and descend from without following links."""

import os
import stat
from types import TracebackType
from typing import Final

from .beneath import FILE_FLAGS, O_DIRECTORY
from .jail import Opened
from .paths import RootPath

_HAS_FD: Final = os.scandir in os.supports_fd and os.stat in os.supports_dir_fd
"""False on Windows, where a folder is its path."""


class Folder:
    """One directory. Close it, or use it as a context manager; a folder made by `of` leaves that to whoever opened it."""

    __slots__ = ("_is_owned", "at", "device")

    def __init__(self, at: int | str, device: int, *, is_owned: bool) -> None:
        self.at: Final = at
        """What `os.scandir` takes: a descriptor, or a path where descriptors cannot be listed."""
        self.device: Final = device
        self._is_owned = is_owned

    @classmethod
    def of(cls, opened: Opened, root: RootPath) -> "Folder":
        """Look at an opened directory as a folder."""
        at = opened.fd if _HAS_FD else "/".join(part for part in (root.real, opened.key.path) if part)
        return cls(at, opened.stat.dev, is_owned=False)

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._is_owned and isinstance(self.at, int):
            os.close(self.at)

    def child(self, name: str) -> "Folder":
        """Open a folder in this one.

        Raises:
            OSError: It is not there, no folder, a link, or not readable.
        """
        if isinstance(self.at, int):
            fd = os.open(name, FILE_FLAGS | O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self.at)
            try:
                return Folder(fd, os.fstat(fd).st_dev, is_owned=True)
            except OSError:
                os.close(fd)
                raise
        path = f"{self.at}/{name}"
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(path)
        return Folder(path, status.st_dev, is_owned=False)

    def stat(self, rel: str) -> os.stat_result:
        """Stat what lies below, without following a link in the last component.

        Raises:
            OSError: As lstat(2).
        """
        if isinstance(self.at, int):
            return os.stat(rel, dir_fd=self.at, follow_symlinks=False)
        return os.lstat(f"{self.at}/{rel}")

    def read(self, name: str, max_bytes: int) -> bytes:
        """Read the beginning of a regular file in this folder; nothing if it is not there, no regular file, or not readable."""
        try:
            if isinstance(self.at, int):
                fd = os.open(name, FILE_FLAGS | os.O_NOFOLLOW, dir_fd=self.at)
            else:
                fd = os.open(f"{self.at}/{name}", FILE_FLAGS)
        except OSError:
            return b""
        try:
            return os.read(fd, max_bytes) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
        except OSError:
            return b""
        finally:
            os.close(fd)
