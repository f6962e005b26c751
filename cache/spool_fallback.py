"""A spool that goes on in memory while the disk refuses, and moves back when it recovers.

Nothing a caller does fails because the disk is full, read-only, or locked by a stopped process: payloads wait in memory
(bounded, and charged), `status` says so, and every `retry_s` one put tries the disk again.
"""

import logging
import threading
import time

from .deadline import Clock
from .errors import StoreUnavailable
from .handles import Handle
from .spool import HandleTaken, MemorySpool, SpoolStatistics, SpoolStore

logger = logging.getLogger(__name__)


class FallbackSpool:
    """A `SpoolStore` over a durable one and one in memory."""

    def __init__(self, durable: SpoolStore, memory: MemorySpool, *, retry_s: float = 30.0, clock: Clock = time.monotonic) -> None:
        self._durable = durable
        self._memory = memory
        self._retry_s = retry_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failed_at_s: float | None = None
        self._reason = ""

    def __repr__(self) -> str:
        return f"<FallbackSpool {'in memory' if self.is_degraded else 'on disk'}>"

    @property
    def is_durable(self) -> bool:
        """Whether the disk took the last put."""
        return self._durable.is_durable and not self.is_degraded

    @property
    def is_degraded(self) -> bool:
        """Whether the disk refused last time."""
        return self._failed_at_s is not None

    def put(self, handle: Handle, data: bytes) -> Handle:
        """Keep `data` on disk, else in memory; see `SpoolStore.put`."""
        if self._is_due():
            try:
                stored = self._durable.put(handle, data)
            except StoreUnavailable as error:
                self._fail(error)
            else:
                self._recover()
                return stored
        return self._memory.put(handle, data)

    def get(self, sha256: str) -> bytes | None:
        """Return the payload from memory, else from disk; see `SpoolStore.get`."""
        found = self._memory.get(sha256)
        return self._durable.get(sha256) if found is None else found

    def find(self, prefix: str, *, limit: int = 3) -> list[Handle]:
        """Return handles of both stores; see `SpoolStore.find`. What the disk cannot say is left out while in memory."""
        found = {handle.id: handle for handle in self._memory.find(prefix, limit=limit) if handle.size_bytes >= 0}
        try:
            for handle in self._durable.find(prefix, limit=limit):
                found.setdefault(handle.id, handle)
        except StoreUnavailable:
            if not found:
                raise
        return sorted(found.values(), key=lambda handle: handle.id)[:limit]

    def pin(self, handle_id: str, *, is_pinned: bool) -> bool:
        """Pin in both stores; see `SpoolStore.pin`."""
        in_memory = self._memory.pin(handle_id, is_pinned=is_pinned)
        try:
            return self._durable.pin(handle_id, is_pinned=is_pinned) or in_memory
        except StoreUnavailable:
            if not in_memory:
                raise
            return True

    def sweep(self) -> int:
        """Sweep both stores; see `SpoolStore.sweep`."""
        return self._memory.sweep() + self._durable.sweep()

    def statistics(self) -> SpoolStatistics:
        """Return the durable store's figures, with what waits in memory, and why, among the notices."""
        disk, memory = self._durable.statistics(), self._memory.statistics()
        notices = [*disk.notices]
        if self.is_degraded:
            notices.append(f"not persisted: {self._reason}; {memory.items} payloads wait in memory")
        return SpoolStatistics(
            disk.items + memory.items,
            disk.used_bytes + memory.used_bytes,
            disk.max_bytes,
            self.is_durable,
            tuple(notices),
            disk.puts + memory.puts,
            disk.gets,
            disk.corrupt,
            disk.removed,
        )

    def close(self) -> None:
        """Move what waits in memory to the disk if it takes it, and close both."""
        if self._memory.statistics().items:
            self._recover()
        self._durable.close()
        self._memory.close()

    def _is_due(self) -> bool:
        """Whether the disk is to be tried: it works, or `retry_s` have passed since it refused (one caller at a time)."""
        with self._lock:
            if self._failed_at_s is None:
                return True
            if self._clock() - self._failed_at_s < self._retry_s:
                return False
            self._failed_at_s = self._clock()
            return True

    def _fail(self, error: StoreUnavailable) -> None:
        with self._lock:
            is_news = self._failed_at_s is None
            self._failed_at_s = self._clock()
            self._reason = error.why or error.what
        if is_news:
            logger.warning("spool degraded to memory: %s", self._reason)

    def _recover(self) -> None:
        """Move what waits in memory to the disk; stop, and stay degraded, if it refuses again."""
        for handle, data in self._memory.take_all():
            try:
                self._durable.put(handle, data)
            except HandleTaken:
                continue  # another server has this id for other content; ours stays in memory
            except StoreUnavailable as error:
                self._fail(error)
                return
            self._memory.discard(handle.id)
        with self._lock:
            was_degraded, self._failed_at_s = self._failed_at_s is not None, None
        if was_degraded:
            logger.warning("spool is on disk again")
