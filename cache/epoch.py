"""The epoch file: how `penstock hook EVENT`, in its own process, tells the servers of a workspace that content may be gone.

Each event appends a line, so the size grows and one `stat` per redeem notices it, whatever the clock's granularity. Events
can only take permission away: a file that cannot be read counts as moved.
"""

import os
import stat
import threading
from enum import Enum
from pathlib import Path
from typing import Final

EPOCH_FILE: Final = "epoch"
_MAX_BYTES: Final = 64 * 1024
"""The file starts again beyond this; the inode changes with it."""
_UNREADABLE: Final = (-1, -1, -1)
_ABSENT: Final = (0, 0, 0)


class ClientEvent(Enum):
    """What clients report through hooks: content may have left the model's context."""

    COMPACT = "compact"
    CLEAR = "clear"
    RESUME = "resume"
    REWIND = "rewind"
    FORK = "fork"
    SUBAGENT = "subagent"


class EpochFile:
    """The epoch of one workspace: a number that every event raises. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._lock = threading.Lock()
        self._seen = self._mark()

    def __repr__(self) -> str:
        return f"<EpochFile {self._seen}>"

    def bump(self, event: ClientEvent) -> int:
        """Record an event and return the new epoch. Creates the folder (0700) and the file (0600).

        Raises:
            OSError: The file cannot be written.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = self.read() + 1
        if self._size() > _MAX_BYTES:
            self._start_again(number)
            return number
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        fd = os.open(self.path, flags, 0o600)
        try:
            os.write(fd, f"{number} {event.value}\n".encode())
        finally:
            os.close(fd)
        return number

    def read(self) -> int:
        """Return the number of the last event, 0 if there was none or the file cannot be read."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self._size() - 256))
                lines = file.read(512).splitlines()
            return int(lines[-1].split()[0]) if lines else 0
        except (OSError, ValueError, IndexError):
            return 0

    def has_moved(self) -> bool:
        """Whether an event was recorded since the last call (or since this object was made)."""
        mark = self._mark()
        with self._lock:
            moved = mark != self._seen or mark == _UNREADABLE
            self._seen = mark
            return moved

    def _mark(self) -> tuple[int, int, int]:
        try:
            found = os.stat(self.path, follow_symlinks=False)
        except FileNotFoundError:
            return _ABSENT
        except OSError:
            return _UNREADABLE
        return (found.st_ino, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else _UNREADABLE

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def _start_again(self, number: int) -> None:
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        fresh.write_bytes(f"{number} restart\n".encode())
        fresh.chmod(0o600)
        fresh.replace(self.path)
