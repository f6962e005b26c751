"""Records tool events without making the call wait: a bounded buffer, written by one thread.

`record` returns at once. Events that could not be written (the file is locked) are tried again; when the buffer is full the
oldest texts go first, then the oldest events, and both are counted. What `flush` has returned True for is on disk.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..deadline import Clock
from ..errors import StoreUnavailable
from ..ledger import Ledger
from .confidential import holds_secret
from .events import SecretText, ToolEvent, bounded, check_session_id, is_recorded, records_of
from .store import ArchiveStore

_log: Final = logging.getLogger(__name__)

ACCOUNT: Final = "archive"
MAX_BUFFERED: Final = 2_000
MAX_BUFFERED_BYTES: Final = 4 * 1024 * 1024
BATCH: Final = 64
INTERVAL_S: Final = 0.1
"""An event is on disk a tenth of a second after its call, sooner when calls come fast; facts and snapshots are at once."""
FIRST_MAINTENANCE_S: Final = 60.0
"""Short runs leave the store alone."""
MAINTENANCE_S: Final = 3_600.0
RETRY_S: Final = 5.0
"""After a write that failed: each try waits up to 2 s for another process's lock."""
_EVENT_OVERHEAD_BYTES: Final = 800
_NOTE_BYTES: Final = 4
"""A character of a note: the text, and the records that its lines become."""
_THREAD: Final = "archive-recorder"


@dataclass(frozen=True, slots=True)
class RecorderStatistics:
    """The recorder at one moment."""

    recorded: int
    written: int
    buffered: int
    texts_dropped: int
    events_dropped: int
    failures: int
    """Flushes that failed; their events were kept."""


@dataclass(frozen=True, slots=True)
class _Buffered:
    session_id: str
    event: ToolEvent | None
    weight: int
    engaged: tuple[str, ...] = ()
    """Keys of entries that recall brought back."""


class Recorder:
    """Takes events from any thread and writes them behind the caller's back."""

    def __init__(
        self,
        store: ArchiveStore,
        session_id: str,
        *,
        ledger: Ledger | None = None,
        is_secret: SecretText = holds_secret,
        interval_s: float = INTERVAL_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self.session_id: Final = check_session_id(session_id)
        self._store = store
        self._ledger = ledger
        self._is_secret = is_secret
        self._interval_s = interval_s
        self._clock = clock
        self._retry_at = 0.0
        self._changed = threading.Condition()
        self._buffer: deque[_Buffered] = deque()
        self._bytes = 0
        self._is_writing = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._recorded = self._written = self._texts_dropped = self._events_dropped = self._failures = 0

    def __repr__(self) -> str:
        return f"<Recorder {self.session_id} {len(self._buffer)} buffered>"

    def start(self) -> None:
        """Start the thread that writes events and, every hour, maintains the store. Without it events wait for `flush`."""
        with self._changed:
            if self._thread is not None or self._stopping:
                return
            self._thread = threading.Thread(target=self._loop, name=_THREAD, daemon=True)
            self._thread.start()

    def record(self, event: ToolEvent) -> None:
        """Take an event; never blocks on the disk and never raises for what the event holds.

        What of it may be stored is decided when it is written: the caller waits for none of that.
        """
        if not is_recorded(event):
            return
        event = bounded(event)
        weight = _EVENT_OVERHEAD_BYTES + 2 * (len(event.excerpt) + len(event.arguments)) + _NOTE_BYTES * len(event.note)
        if self._ledger is not None and not self._ledger.try_charge(ACCOUNT, weight):
            event, weight = replace(event, excerpt="", note=""), 0
            self._texts_dropped += 1
        with self._changed:
            self._recorded += 1
        self._append(_Buffered(event.session_id or self.session_id, event, weight))

    def engage(self, session_id: str, keys: Sequence[str]) -> None:
        """Note that entries were recalled; never blocks on the disk."""
        if keys:
            self._append(_Buffered(session_id, None, 0, tuple(keys)))

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Write what is buffered now and return whether all of it is on disk; waits for a write under way at most so long."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._is_writing, timeout_s):
                return False
            batch = self._take()
        return self._write(batch)

    def refresh(self) -> bool:
        """Flush before a read, so that it sees what was just recorded; while the file is locked, at most once in five seconds."""
        with self._changed:
            if self._clock() < self._retry_at:
                return not self._buffer
        return self.flush()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Flush, end the thread, and return whether everything is on disk; takes `timeout_s` at most, whatever the disk does."""
        with self._changed:
            self._stopping = True
            self._thread = None
            self._changed.notify_all()
        last = threading.Thread(target=self.flush, args=(timeout_s,), name=_THREAD, daemon=True)
        last.start()
        last.join(timeout_s)
        with self._changed:
            return not self._buffer and not self._is_writing

    def statistics(self) -> RecorderStatistics:
        """Return the recorder at this moment."""
        with self._changed:
            return RecorderStatistics(
                self._recorded, self._written, len(self._buffer), self._texts_dropped, self._events_dropped, self._failures
            )

    def _append(self, item: _Buffered) -> None:
        with self._changed:
            self._buffer.append(item)
            self._bytes += item.weight
            released = self._make_room()
            if len(self._buffer) == 1 or len(self._buffer) % BATCH == 0:  # in between, the writer has nothing to wake for
                self._changed.notify_all()
        self._release(released)

    def _loop(self) -> None:
        """Sleep until there is something, let it gather, write it; now and then look after the store."""
        maintain_at = self._clock() + FIRST_MAINTENANCE_S
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._buffer)
                self._changed.wait_for(lambda: self._stopping or len(self._buffer) >= BATCH, self._interval_s)
                self._changed.wait_for(lambda: self._stopping or not self._is_writing)
                if self._stopping:
                    return
                batch = self._take()
            if not self._write(batch):
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, RETRY_S)
            if self._clock() >= maintain_at:
                maintain_at = self._clock() + MAINTENANCE_S
                self._maintain()

    def _maintain(self) -> None:
        try:
            self._store.maintain(current=self.session_id)
        except Exception:  # boundary: what could not be cleaned up now can be later; recording goes on
            _log.warning("the archive could not be maintained", exc_info=True)

    def _take(self) -> list[_Buffered]:
        """Take everything out of the buffer; the condition is held."""
        batch = list(self._buffer)
        self._buffer.clear()
        self._bytes = 0
        self._is_writing = bool(batch)
        return batch

    def _write(self, batch: list[_Buffered]) -> bool:
        """Write a batch, one transaction a session; what fails goes back to the front of the buffer."""
        if not batch:
            return True
        by_session: dict[str, list[_Buffered]] = {}
        for item in batch:
            by_session.setdefault(item.session_id, []).append(item)
        kept: list[_Buffered] = []
        for session_id, items in by_session.items():
            if not self._write_session(session_id, items):
                kept.extend(items)
        with self._changed:
            self._buffer.extendleft(reversed(kept))
            self._bytes += sum(item.weight for item in kept)
            self._written += len(batch) - len(kept)
            self._is_writing = False
            released = sum(item.weight for item in batch) - sum(item.weight for item in kept) + self._make_room()
            self._changed.notify_all()
        self._release(released)
        return not kept

    def _write_session(self, session_id: str, items: list[_Buffered]) -> bool:
        try:
            records = [record for item in items if item.event for record in records_of(item.event, is_secret=self._is_secret)]
            self._store.append(session_id, records, engaged=[key for item in items for key in item.engaged])
            self._retry_at = 0.0
        except StoreUnavailable:
            if not self._retry_at:  # one warning a burst
                _log.warning("events of this session are kept in memory: the archive cannot be written")
            self._retry_at = self._clock() + RETRY_S
            self._failures += 1
            return False
        except ValueError:
            self._events_dropped += len(items)  # a session id that is none: nobody could ask for it
        except Exception:  # boundary: no single batch may end the thread that writes all the others
            _log.exception("%d events could not be archived", len(items))
            self._events_dropped += len(items)
        return True

    def _make_room(self) -> int:
        """Drop the oldest while the buffer is over its bounds; the condition is held. Returns the bytes to release."""
        released = 0
        while self._buffer and (len(self._buffer) > MAX_BUFFERED or self._bytes > MAX_BUFFERED_BYTES):
            oldest = self._buffer.popleft()
            self._bytes -= oldest.weight
            released += oldest.weight
            self._events_dropped += 1
        return released

    def _release(self, nbytes: int) -> None:
        if self._ledger is not None and nbytes:
            self._ledger.release(ACCOUNT, nbytes)
