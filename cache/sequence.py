"""Receipt numbers that no process of a workspace gives out twice, deterministic as long as the folder is new.

A file grows by one byte per block of numbers; the position that an appended byte got says which block it stands for, so
servers that run at once, or one after the other, never share one. The first server of a fresh folder begins at 1.
"""

import os
import threading
from pathlib import Path
from typing import Final

SEQUENCE_FILE: Final = "receipts"
BLOCK: Final = 64


class SequenceFile:
    """Numbers 1, 2, 3 … for one process, in blocks that are its own. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._next = self._end = 0

    def __repr__(self) -> str:
        return f"<SequenceFile next={self._next}>"

    def take(self) -> int:
        """Return the next number. One file write per `BLOCK` numbers. Creates the folder (0700) and the file (0600).

        Raises:
            OSError: The file cannot be written; numbers of another process might be given out again.
        """
        with self._lock:
            if self._next < self._end:
                self._next += 1
                return self._next - 1
        first = self._reserve()
        with self._lock:
            self._next, self._end = first + 1, first + BLOCK
            return first

    def _reserve(self) -> int:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        fd = os.open(self._path, flags, 0o600)
        try:
            os.write(fd, b".")
            # With O_APPEND the position after the write is behind our own byte, whoever else appends.
            block = os.lseek(fd, 0, os.SEEK_CUR) - 1
        finally:
            os.close(fd)
        return 1 + block * BLOCK
