"""Where payloads wait while they are out of the context: the contract of a spool, and one that lives in memory."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from .errors import StoreUnavailable
from .handles import Handle, Residency
from .ledger import Ledger

DEFAULT_EXPIRY_S: Final = 7 * 86400.0
DEFAULT_MAX_BYTES: Final = 512 * 1024 * 1024
SPOOL: Final = "spool"
"""Ledger account of payloads that are spooled to memory."""
_OVERHEAD_BYTES: Final = 512


class HandleTaken(Exception):
    """The handle's id already names other content; a longer id is needed."""


@dataclass(frozen=True, slots=True)
class SpoolStatistics:
    """A spool at one moment."""

    items: int
    used_bytes: int
    """What it takes up where it is: the file's size, or bytes of memory."""
    max_bytes: int
    is_durable: bool
    """Whether what is put survives the process."""
    notices: Sequence[str] = ()
    """What the user should know: degraded, quarantined, network file system. Newest last."""
    puts: int = 0
    gets: int = 0
    corrupt: int = 0
    """Payloads that no longer had their hash and were not served."""
    removed: int = 0
    """Payloads that left: expired, or the oldest beyond the size cap."""


class SpoolStore(Protocol):
    """Keeps payloads by content hash, and what is known of their handles. Thread-safe; every method may take seconds."""

    @property
    def is_durable(self) -> bool:
        """Whether a put of now would survive the process; False for memory, and while the disk refuses."""
        ...

    def put(self, handle: Handle, data: bytes) -> Handle:
        """Keep `data` under `handle`; when it returns, as durable as the store is. Doing it again renews the expiry.

        Returns the handle with residency, creation and expiry as they were stored.

        Raises:
            HandleTaken: The id names other content.
            StoreUnavailable: Nothing was kept.
        """
        ...

    def get(self, sha256: str) -> bytes | None:
        """Return the payload with this hash, verified, or None.

        Raises:
            CorruptPayload: It no longer has this hash; it has been removed.
            StoreUnavailable: The store cannot be read.
        """
        ...

    def find(self, prefix: str, *, limit: int = 3) -> list[Handle]:
        """Return up to `limit` handles whose id starts with `prefix`; those whose payload is gone have size -1.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        ...

    def pin(self, handle_id: str, *, is_pinned: bool) -> bool:
        """Exempt a payload from expiry and size cap, or no longer; False if it is not here.

        Raises:
            StoreUnavailable: Nothing was changed.
        """
        ...

    def sweep(self) -> int:
        """Remove what has expired and, above the size cap, the oldest; return the bytes freed.

        Raises:
            StoreUnavailable: The store cannot be changed.
        """
        ...

    def statistics(self) -> SpoolStatistics:
        """Return the store at this moment; never raises."""
        ...

    def close(self) -> None:
        """Let go of files. A closed store may be used again: it opens itself."""
        ...


class MemorySpool:
    """A spool in memory, for tests and for when the disk refuses. Charged to the ledger; nothing survives the process."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        max_bytes: int = 32 * 1024 * 1024,
        expiry_s: float = DEFAULT_EXPIRY_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._max_bytes = max_bytes
        self._expiry_s = expiry_s
        self._clock = clock
        self._lock = threading.Lock()
        self._data: OrderedDict[str, bytes] = OrderedDict()
        self._handles: dict[str, Handle] = {}
        self._used = 0
        self._puts = self._gets = self._removed = 0

    def __repr__(self) -> str:
        return f"<MemorySpool {len(self._data)} items, {self._used} bytes>"

    @property
    def is_durable(self) -> bool:
        """False: nothing survives the process."""
        return False

    def put(self, handle: Handle, data: bytes) -> Handle:
        """Keep `data`; see `SpoolStore.put`."""
        now = self._clock()
        stored = replace(
            handle,
            residency=Residency.spooled(f"memory:{handle.sha256[:12]}"),
            size_bytes=len(data),
            created_s=handle.created_s or now,
            expires_s=now + self._expiry_s,
        )
        with self._lock:
            known = self._handles.get(handle.id)
            if known is not None and known.sha256 != handle.sha256:
                raise HandleTaken(handle.id)
            if handle.sha256 in self._data:
                self._handles[handle.id] = stored
                return stored
        weight = len(data) + _OVERHEAD_BYTES
        if self._used + weight > self._max_bytes:
            self.sweep()
        if self._used + weight > self._max_bytes:
            raise StoreUnavailable("the spool in memory is full", why=f"it holds at most {self._max_bytes:,} bytes")
        # Never by reclaiming: what is being spooled may be on its way out of memory to make room.
        if not self._ledger.try_charge(SPOOL, weight):
            raise StoreUnavailable("the spool in memory found no room", why="the memory budget is used up")
        with self._lock:
            if handle.sha256 in self._data:
                self._ledger.release(SPOOL, weight)
            else:
                self._data[handle.sha256] = data
                self._used += weight
            self._handles[handle.id] = stored
            self._puts += 1
        return stored

    def get(self, sha256: str) -> bytes | None:
        """Return the payload or None."""
        with self._lock:
            self._gets += 1
            return self._data.get(sha256)

    def find(self, prefix: str, *, limit: int = 3) -> list[Handle]:
        """Return up to `limit` handles whose id starts with `prefix`."""
        with self._lock:
            found = [handle for id_, handle in self._handles.items() if id_.startswith(prefix)][:limit]
            return [handle if handle.sha256 in self._data else replace(handle, size_bytes=-1) for handle in found]

    def pin(self, handle_id: str, *, is_pinned: bool) -> bool:
        """Exempt a payload from expiry, or no longer."""
        with self._lock:
            handle = self._handles.get(handle_id)
            if handle is None or handle.sha256 not in self._data:
                return False
            self._handles[handle_id] = replace(handle, is_pinned=is_pinned)
            return True

    def sweep(self) -> int:
        """Remove what has expired."""
        now = self._clock()
        with self._lock:
            kept = {handle.sha256 for handle in self._handles.values() if handle.is_pinned or handle.expires_s > now}
            return sum(self._remove(sha256) for sha256 in list(self._data) if sha256 not in kept)

    def take_all(self) -> list[tuple[Handle, bytes]]:
        """Return every handle with its payload, to be moved to another store; `discard` what was moved."""
        with self._lock:
            return [(handle, self._data[handle.sha256]) for handle in self._handles.values() if handle.sha256 in self._data]

    def discard(self, handle_id: str) -> int:
        """Forget a handle, and its payload if no other handle names it; return the bytes freed."""
        with self._lock:
            handle = self._handles.pop(handle_id, None)
            if handle is None or any(other.sha256 == handle.sha256 for other in self._handles.values()):
                return 0
            return self._remove(handle.sha256)

    def statistics(self) -> SpoolStatistics:
        """Return the store at this moment."""
        with self._lock:
            return SpoolStatistics(
                len(self._data), self._used, self._max_bytes, False, (), self._puts, self._gets, 0, self._removed
            )

    def close(self) -> None:
        """Keep everything: there are no files."""

    def _remove(self, sha256: str) -> int:
        data = self._data.pop(sha256, None)
        if data is None:
            return 0
        weight = len(data) + _OVERHEAD_BYTES
        self._used -= weight
        self._removed += 1
        self._ledger.release(SPOOL, weight)
        return weight
