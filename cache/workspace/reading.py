"""Reading from an opened descriptor: capped, charged to the ledger, and twice if a writer may be at work.

The size a file claims is a hint; the cap is on the bytes that come (`/proc` files claim 0, a growing log claims too little).
"""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from ..deadline import Deadline
from ..errors import FileTooLarge
from ..ledger import Ledger
from .denial import denial_of
from .jail import Opened
from .names import printable
from .secrets import SNIFF_BYTES, SecretRule
from .values import FileStat, SourceFile, WorkspaceLimits

ACCOUNT: Final = "reads"
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class WallClock:
    """The time that files are stamped with, and a way to let some of it pass."""

    now_ns: Callable[[], int] = time.time_ns
    pause: Callable[[float], None] = time.sleep


class FileReader:
    """Reads whole files. Thread-safe, without state."""

    def __init__(self, ledger: Ledger, limits: WorkspaceLimits, secrets: SecretRule, clock: WallClock) -> None:
        self._ledger = ledger
        self._limits = limits
        self._secrets = secrets
        self._clock = clock

    def read(self, opened: Opened, deadline: Deadline) -> SourceFile:
        """Read a whole file.

        A file whose mtime is younger than the racy window is read again after a pause; if the bytes differ, the newer ones are
        returned and marked as changing.

        Raises:
            SecretDenied, FileTooLarge, NoRoom, DeadlineExceeded, AccessDenied: As the file has it.
        """
        self._secrets.check(opened.key.path)
        with ExitStack() as charges:
            stat, is_changing = opened.stat, False
            data = self._read_once(opened, stat.size, charges, deadline)
            if self._is_racy(stat):
                self._clock.pause(self._limits.torn_read_pause_s)
                before, stat = data, FileStat.from_os(os.fstat(opened.fd))
                data = self._read_once(opened, stat.size, charges, deadline)
                is_changing = data != before
            self._secrets.check(opened.key.path, data[:SNIFF_BYTES])
            digest = hashlib.sha256(data).hexdigest()
        return SourceFile(opened.rel, opened.key, stat, data, digest, is_changing)

    def _is_racy(self, stat: FileStat) -> bool:
        return abs(self._clock.now_ns() - stat.mtime_ns) < self._limits.racy_window_ns

    def _read_once(self, opened: Opened, size: int, charges: ExitStack, deadline: Deadline) -> bytes:
        cap = self._limits.max_file_bytes
        if size > cap:
            raise self._too_large(opened, f"{size:,} bytes")
        charges.enter_context(self._ledger.borrow(ACCOUNT, size + 1))
        data = read_at(opened, 0, size + 1)
        if len(data) <= size:
            return data
        pieces, total = [data], len(data)
        while total <= cap:
            deadline.check()
            charges.enter_context(self._ledger.borrow(ACCOUNT, _CHUNK_BYTES))
            piece = read_at(opened, total, min(_CHUNK_BYTES, cap + 1 - total))
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            total += len(piece)
        raise self._too_large(opened, f"more than {cap:,} bytes and growing")

    def _too_large(self, opened: Opened, size: str) -> FileTooLarge:
        shown = printable(opened.rel)
        return FileTooLarge(
            f"{shown} has {size}",
            why=f"one read takes {self._limits.max_file_bytes:,}",
            next_call=f'read path="{shown}" lines="1-200", or lines="-200" for its end',
        )


def read_at(opened: Opened, offset: int, length: int) -> bytes:
    """Read up to `length` bytes from `offset`; fewer only at the end of the file. One thread per descriptor.

    Raises:
        AccessDenied, Busy: The system failed to read.
    """
    try:
        os.lseek(opened.fd, offset, os.SEEK_SET)
        data = os.read(opened.fd, length)
        if len(data) in (0, length):
            return data
        pieces, missing = [data], length - len(data)
        while missing and (piece := os.read(opened.fd, missing)):
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)
    except OSError as error:
        raise denial_of(error, opened.request) from None
