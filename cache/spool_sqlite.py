"""The spool on disk: one SQLite file of compressed payloads, each checked against its hash when it is read.

zlib level 1 (a ratio of 3.7 on source code at 60 µs a file). Hashing and packing happen before the transaction. Beyond the size
cap the file gives up what has expired, then the oldest that nobody pinned, and shrinks by incremental vacuum.
"""

import hashlib
import math
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from .errors import CorruptPayload, StoreUnavailable
from .handles import Handle, Residency
from .spool import DEFAULT_EXPIRY_S, DEFAULT_MAX_BYTES, HandleTaken, SpoolStatistics
from .spool_disk import RealDisk, SpoolDisk
from .spool_file import SpoolFile
from .spool_rows import Row, handle_of, pack, unpack
from .spool_sweep import bury, remove_oldest, used_bytes, vacuum_some

if TYPE_CHECKING:
    import apsw

_SWEEP_EVERY: Final = 64
"""Puts between two looks at the file's size."""
_LOW_WATER: Final = 0.9
"""A sweep goes on down to this share of the cap, so that the next put does not sweep again."""
_RENEW_BELOW: Final = 0.98
"""A put of known content writes only if less than this share of its time is left."""
_BATCH: Final = 64
"""Payloads removed per transaction: short, so that other servers' writes get in between."""
_SWEEP_S: Final = 3600.0
"""Seconds after which a look at the size looks for what has expired, too."""
_BATCHES_IN_CALL: Final = 3
"""A put that happens to find the store full removes at most so many batches; later ones go on."""
_ALL: Final = 1 << 30
_COLUMNS: Final = (
    "CAST(h.id AS BLOB), CAST(h.sha256 AS BLOB), CAST(h.kind AS BLOB), CAST(h.source AS BLOB), CAST(h.tokens AS INTEGER),"
    " CAST(h.size AS INTEGER), CAST(h.created AS REAL), CAST(h.expires AS REAL), CAST(h.pinned AS INTEGER)"
)
"""A flipped bit can make any cell a text that is no UTF-8, which cannot be fetched as it is; a cast one always can."""


class SqliteSpool:
    """A `SpoolStore` in `folder`, shared by every server that is given the same folder."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int = DEFAULT_MAX_BYTES,
        expiry_s: float = DEFAULT_EXPIRY_S,
        disk: SpoolDisk | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if max_bytes < 1 or expiry_s <= 0:
            raise ValueError(f"max_bytes and expiry_s must be > 0, got {max_bytes} and {expiry_s}")
        self._folder = folder
        self._disk: SpoolDisk = disk or RealDisk()
        self._file = SpoolFile(folder, self._disk)
        self._max_bytes = max_bytes
        self._expiry_s = expiry_s
        self._clock = clock
        self._lock = threading.Lock()
        self._swept_s = -math.inf
        self._puts = self._gets = self._corrupt = self._removed = 0

    def __repr__(self) -> str:
        return f"<SqliteSpool {self._file!r} puts={self._puts}>"

    @property
    def is_durable(self) -> bool:
        """True: what is put survives the process."""
        return True

    def put(self, handle: Handle, data: bytes) -> Handle:
        """Keep `data`, committed when this returns; see `SpoolStore.put`."""
        now = self._clock()
        known = self._known(handle, now)
        if known is not None:
            return known
        codec, packed = pack(data)
        if len(packed) > self._max_bytes // 4:
            raise StoreUnavailable("the payload is too large for the spool", why=f"it keeps {self._max_bytes:,} bytes in all")
        stored = replace(
            handle,
            residency=Residency.spooled(f"spool:{handle.sha256[:12]}"),
            size_bytes=len(data),
            created_s=handle.created_s or now,
            expires_s=now + self._expiry_s,
        )

        def change(connection: "apsw.Connection") -> None:
            connection.execute(
                "INSERT INTO payload (sha256, size, codec, data) VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING",
                (handle.sha256, len(data), codec, packed),
            )
            connection.execute(
                "INSERT INTO handle (id, sha256, seq, kind, source, tokens, size, created, expires, pinned)"
                " VALUES (?, ?, (SELECT coalesce(max(seq), 0) + 1 FROM handle), ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, expires = max(expires, excluded.expires),"
                " source = excluded.source, kind = excluded.kind, tokens = excluded.tokens,"
                " pinned = max(pinned, excluded.pinned) WHERE sha256 = excluded.sha256",
                (
                    stored.id,
                    stored.sha256,
                    stored.kind.value,
                    stored.source.encode("utf-8", "surrogatepass"),
                    stored.tokens,
                    stored.size_bytes,
                    stored.created_s,
                    stored.expires_s,
                    int(stored.is_pinned),
                ),
            )
            if not connection.changes():
                raise HandleTaken(handle.id)

        self._file.write(change)
        with self._lock:
            self._puts += 1
            is_due = self._puts % _SWEEP_EVERY == 0
        if is_due:
            self._sweep_quietly()
        return stored

    def get(self, sha256: str) -> bytes | None:
        """Return the payload, verified; see `SpoolStore.get`."""
        rows = self._rows(
            "SELECT CAST(size AS INTEGER), CAST(codec AS INTEGER), CAST(data AS BLOB) FROM payload WHERE sha256 = ?", (sha256,)
        )
        with self._lock:
            self._gets += 1
        if not rows:
            return None
        data = unpack(rows[0])
        if data is None or hashlib.sha256(data).hexdigest() != sha256:
            self._remove_corrupt(sha256)
            raise CorruptPayload(
                "the stored bytes are not the ones that were kept",
                why="their hash does not match; they were removed and nothing was served",
            )
        return data

    def find(self, prefix: str, *, limit: int = 3) -> list[Handle]:
        """Return handles by prefix; see `SpoolStore.find`."""
        rows = self._rows(
            f"SELECT {_COLUMNS}, EXISTS (SELECT 1 FROM payload p WHERE p.sha256 = h.sha256) FROM handle h"
            " WHERE h.id >= ? AND h.id < ? ORDER BY h.id LIMIT ?",
            (prefix, prefix + "\U0010ffff", limit),
        )
        return [handle for row in rows if (handle := handle_of(row)) is not None]

    def pin(self, handle_id: str, *, is_pinned: bool) -> bool:
        """Pin or unpin a payload; see `SpoolStore.pin`."""

        def change(connection: "apsw.Connection") -> bool:
            connection.execute(
                "UPDATE handle SET pinned = ? WHERE id = ? AND sha256 IN (SELECT sha256 FROM payload)",
                (int(is_pinned), handle_id),
            )
            return connection.changes() > 0

        return self._file.write(change)

    def sweep(self) -> int:
        """Remove what has expired and what is beyond the cap; see `SpoolStore.sweep`."""
        return self._sweep(_ALL)

    def _sweep(self, batches: int) -> int:
        """Remove at most so many batches of expired and of old payloads."""
        before = self._used_bytes()
        now = self._clock()
        after = 0
        for _ in range(batches):
            after, count = self._remove_batch(after, now)
            if not count:
                break
        self._vacuum()
        after = 0
        if self._used_bytes() > self._max_bytes:
            for _ in range(batches):
                after, count = self._remove_batch(after, None)
                self._vacuum()
                if not count or self._used_bytes() <= self._max_bytes * _LOW_WATER:
                    break
        self._file.write(bury)
        return max(0, before - self._used_bytes())

    @property
    def needs_check(self) -> bool:
        """Whether the first opening found signs of an unclean end (or of another server at work): `verify` should run."""
        return self._file.needs_check

    def verify(self, *, should_stop: Callable[[], bool] = lambda: False) -> int:
        """Check the file's structure, setting it aside if it is damaged, and every payload's hash; return how many were bad.

        Takes seconds for a full spool: for a background task after an unclean end, and `doctor`. The structure is read over a
        connection of its own, so calls do not wait for it. Ends early, with what was found so far, if `should_stop`.

        Raises:
            StoreUnavailable: The file cannot be read.
        """
        if not self._is_sound():
            return 1
        bad = 0
        for (sha256,) in self._rows("SELECT CAST(sha256 AS BLOB) FROM payload", ()):
            if should_stop():
                break
            try:
                self.get(sha256.decode("ascii", "replace") if isinstance(sha256, bytes) else "")
            except CorruptPayload:
                bad += 1
        return bad

    def _is_sound(self) -> bool:
        apart = SpoolFile(self._folder, self._disk)
        try:
            is_ok = apart.read(lambda connection: connection.execute("PRAGMA quick_check(1)").get) == "ok"
        finally:
            apart.close()
            for notice in apart.notices:
                self._file.note(notice)
        if not is_ok:
            self._file.set_aside()
        return is_ok and not apart.is_damaged

    def statistics(self) -> SpoolStatistics:
        """Return the store at this moment; zeros and a notice if it cannot be read."""
        try:
            items = self._file.read(lambda connection: connection.execute("SELECT count(*) FROM payload").get)
            used = self._used_bytes()
            notices = self._file.notices
        except StoreUnavailable as error:
            items, used, notices = 0, 0, (*self._file.notices, str(error))
        with self._lock:
            return SpoolStatistics(
                items, used, self._max_bytes, True, notices, self._puts, self._gets, self._corrupt, self._removed
            )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _known(self, handle: Handle, now: float) -> Handle | None:
        """Return what is stored under the handle if its payload is here and its expiry needs no renewal yet."""
        for known in self.find(handle.id, limit=1):
            is_same = known.id == handle.id and known.sha256 == handle.sha256 and known.size_bytes >= 0
            if is_same and known.expires_s >= now + _RENEW_BELOW * self._expiry_s and known.is_pinned >= handle.is_pinned:
                return known
        return None

    def _rows(self, query: str, values: Row) -> list[Row]:
        return self._file.read(lambda connection: cast("list[Row]", connection.execute(query, values).fetchall()))

    def _used_bytes(self) -> int:
        return self._file.read(used_bytes)

    def _remove_batch(self, after: int, expired_at: float | None) -> tuple[int, int]:
        """Remove the oldest unpinned payloads behind sequence number `after`, expired ones only if `expired_at` is given.

        Returns the last sequence number looked at, and how many went. The age of a payload is that of its newest handle.
        """
        gone = self._file.write(lambda connection: remove_oldest(connection, after, expired_at, _BATCH))
        with self._lock:
            self._removed += len(gone)
        return (int(gone[-1][0] or 0) if gone else after), len(gone)

    def _vacuum(self) -> None:
        """Give free pages back, a piece at a time, so that calls get in between."""
        while self._file.read(vacuum_some) > 0:
            pass

    def _sweep_quietly(self) -> None:
        now = self._clock()
        try:
            if self._used_bytes() > self._max_bytes or now - self._swept_s >= _SWEEP_S:
                self._swept_s = now
                self._sweep(_BATCHES_IN_CALL)
        except StoreUnavailable:
            return  # the put has succeeded; the next one looks again

    def _remove_corrupt(self, sha256: str) -> None:
        with self._lock:
            self._corrupt += 1
        try:
            self._file.write(lambda connection: connection.execute("DELETE FROM payload WHERE sha256 = ?", (sha256,)))
        except StoreUnavailable:
            return  # it stays, and is refused again
