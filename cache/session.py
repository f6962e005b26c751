"""The session cache: the content of the files that were read, as bytes, in a segmented LRU by weight.

Every byte kept is charged to the ledger before it is kept: content, earlier versions and bookkeeping to `content`, computed
views to `outputs`. An entry is found by the identity of the opened file, so two spellings or hard links share it. The order in
which entries leave is that of `cache.segments`. Whether an entry still is what the file holds is not decided here but by
`cache.content`, in every call.

One lock, held for in-memory changes only; the ledger may reclaim, and so re-enter, while it is not held.
"""

import threading
import time
from collections.abc import Callable, Collection
from typing import Final

from .blocks import split_blocks
from .entry import CacheEntry, RemovalCause, Resident, Segment, SessionLimits, SessionStatistics
from .errors import NoRoom
from .eviction import plan_victims
from .ledger import Ledger
from .shelf import CONTENT, OUTPUTS, Shelf
from .slot import Slot, output_weight_of, unkept_entry, weight_of
from .tokens import TokenCounter
from .workspace.values import FileKey, SourceFile


class SessionCache:
    """File contents and the views computed from them. Thread-safe."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        limits: SessionLimits | None = None,
        counter: TokenCounter | None = None,
        is_passing: Callable[[], bool] = lambda: False,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`is_passing` says whether to keep nothing new: under critical pressure contents only pass through."""
        self._ledger = ledger
        self._is_passing = is_passing
        self.limits: Final = limits or SessionLimits()
        self._counter = counter
        self._wall_ns = wall_ns
        self._max_entry_bytes = int(ledger.budget_bytes * self.limits.max_entry_ratio)
        self._lock = threading.Lock()
        self._shelf = Shelf(
            ledger,
            protected_bytes=int(ledger.budget_bytes * self.limits.protected_ratio),
            versions=self.limits.versions,
        )
        self._hits = self._misses = self._not_kept = 0
        self._output_hits = self._output_misses = 0

    def __repr__(self) -> str:
        return f"<SessionCache {len(self._shelf)} entries, {self._shelf.used_bytes} bytes>"

    def store(self, source: SourceFile, *, read_at_ns: int | None = None) -> CacheEntry:
        """Take note of a read: insert the content, replace an older one, or count a hit and promote.

        Never fails: content that is changing, too heavy, passing through, or finds no room is returned with
        `is_kept` False. `read_at_ns` is the wall clock before the file was opened (default: now).
        """
        read_at = self._wall_ns() if read_at_ns is None else read_at_ns
        if source.is_changing:
            with self._lock:
                self._misses += 1
                self._not_kept += 1
            return unkept_entry(source, read_at)
        with self._lock:
            entry = self._hit(source, read_at)
            if entry is not None:
                return entry
            self._misses += 1
        pieces = split_blocks(source.data)
        weight = weight_of(len(source.data)) + pieces.overhead_bytes
        has_room = not self._is_passing() and weight <= self._max_entry_bytes and self._has_charged(CONTENT, weight)
        with self._lock:
            if has_room:
                # Another thread may have been faster; inserting the same content again is then a replacement by itself.
                return self._shelf.insert(source, pieces, read_at, charged_bytes=weight).entry()
            self._not_kept += 1
            stale = self._shelf.slot_of(source.key)
            if stale is not None:
                self._shelf.drop(stale, RemovalCause.REPLACED)
            return unkept_entry(source, read_at)

    def get(self, key: FileKey) -> CacheEntry | None:
        """Return the entry of the opened file, counting a hit and promoting, or None. Says nothing about freshness."""
        with self._lock:
            slot = self._shelf.slot_of(key)
            if slot is None:
                return None
            self._hits += 1
            self._shelf.hit(slot)
            return slot.entry()

    def peek(self, key: FileKey) -> CacheEntry | None:
        """Return the entry without counting or promoting."""
        with self._lock:
            slot = self._shelf.slot_of(key)
            return None if slot is None else slot.entry()

    def find(self, rel: str) -> CacheEntry | None:
        """Return the entry last stored under this display path, without counting or promoting."""
        with self._lock:
            slot = self._shelf.slot_at(rel)
            return None if slot is None else slot.entry()

    def version(self, sha256: str) -> bytes | None:
        """Return the bytes with this hash if they are in memory, as a current content or as an earlier version."""
        with self._lock:
            return self._shelf.version(sha256)

    def set_compressed(self, key: FileKey, view_key: str, output: str, *, sha256: str) -> bool:
        """Keep a view computed from the content with hash `sha256`; False if that is not (any more) here, or no room."""
        data = output.encode("utf-8", "surrogatepass")
        nbytes = output_weight_of(len(data))
        with self._lock:
            if nbytes > self._max_entry_bytes or self._slot(key, sha256) is None:
                return False
        if self._is_passing() or not self._has_charged(OUTPUTS, nbytes):
            return False
        with self._lock:
            slot = self._slot(key, sha256)
            if slot is None:
                self._ledger.release(OUTPUTS, nbytes)
                return False
            self._shelf.add_output(slot, view_key, data)
            return True

    def get_compressed(self, key: FileKey, view_key: str, *, sha256: str) -> str | None:
        """Return the view computed from exactly this content, or None."""
        with self._lock:
            slot = self._slot(key, sha256)
            data = slot.outputs.get(view_key) if slot is not None else None
            if data is None:
                self._output_misses += 1
                return None
            self._output_hits += 1
        return data.decode("utf-8", "surrogatepass")

    def set_tokens(self, key: FileKey, tokens: int, *, sha256: str) -> None:
        """Remember the token count of the content with this hash."""
        with self._lock:
            slot = self._slot(key, sha256)
            if slot is not None:
                slot.tokens = tokens

    def get_tokens(self, key: FileKey, *, sha256: str) -> int | None:
        """Return the token count of the content with this hash if somebody has counted."""
        with self._lock:
            slot = self._slot(key, sha256)
            return None if slot is None else slot.tokens

    def residents(self) -> list[Resident]:
        """Return every entry as a planner sees it, coldest first."""
        with self._lock:
            return [slot.resident() for slot in self._shelf.coldest()]

    def victims(
        self, excess_bytes: int, segments: frozenset[Segment] = frozenset(Segment), *, but_not: Collection[FileKey] = ()
    ) -> tuple[Resident, ...]:
        """Return the entries that should leave to free `excess_bytes`; costs as much as there are victims."""
        with self._lock:
            residents = (slot.resident() for slot in self._shelf.coldest() if slot.key not in but_not)
            return plan_victims(residents, excess_bytes=excess_bytes, segments=segments)

    def remove(self, key: FileKey, cause: RemovalCause) -> int:
        """Remove one entry, pinned or not; return the ledger bytes freed (0 if it is not here)."""
        with self._lock:
            slot = self._shelf.slot_of(key)
            return 0 if slot is None else self._shelf.drop(slot, cause)

    def drop(self, victim: Resident, cause: RemovalCause) -> int:
        """Remove `victim` unless it was read, replaced or pinned since it was planned; return the bytes freed."""
        with self._lock:
            slot = self._slot(victim.key, victim.sha256)
            if slot is None or slot.is_pinned or slot.reads != victim.reads:
                return 0
            return self._shelf.drop(slot, cause)

    def reclaim(self, nbytes: int) -> int:
        """Drop the coldest entries until `nbytes` are free: the `Reclaimer` of a cache on its own, without a spool."""
        return sum(self.drop(victim, RemovalCause.WEIGHT) for victim in self.victims(nbytes))

    def clear(self, cause: RemovalCause = RemovalCause.EXPLICIT) -> int:
        """Remove every entry that is not pinned; return the bytes freed."""
        with self._lock:
            return sum(self._shelf.drop(slot, cause) for slot in self._shelf if not slot.is_pinned)

    def trim_compressed_outputs(self) -> int:
        """Drop every computed view and every earlier version, of pinned entries too; return the bytes freed."""
        with self._lock:
            before = self._shelf.used_bytes
            for slot in self._shelf:
                self._shelf.remove_outputs(slot, list(slot.outputs))
                self._shelf.forget_versions(slot)
            return before - self._shelf.used_bytes

    def trim_shared_blocks(self) -> int:
        """Give up blocks that only one file refers to, and what is remembered of blocks seen once; return the bytes freed."""
        with self._lock:
            before = self._shelf.used_bytes
            self._shelf.trim_blocks()
            return before - self._shelf.used_bytes

    def pin(self, key: FileKey) -> bool:
        """Protect the entry from every eviction; False if it is not here or pins already fill their share."""
        with self._lock:
            slot = self._shelf.slot_of(key)
            if slot is None:
                return False
            others = sum(each.weight for each in self._shelf if each.is_pinned and each is not slot)
            if others + slot.weight > self._ledger.budget_bytes * self.limits.max_pinned_ratio:
                return False
            slot.is_pinned = True
            return True

    def unpin(self, key: FileKey) -> bool:
        """Let the entry be evicted again; False if it was not pinned."""
        with self._lock:
            slot = self._shelf.slot_of(key)
            if slot is None or not slot.is_pinned:
                return False
            slot.is_pinned = False
            return True

    def total_cached_bytes(self) -> int:
        """Return the ledger bytes of all entries, outputs and shared blocks."""
        return self._shelf.used_bytes

    def total_cached_tokens(self) -> int:
        """Return the tokens of all contents, counting first those that nobody has counted (0 for them without a counter)."""
        with self._lock:
            uncounted = [slot.entry() for slot in self._shelf if slot.tokens is None] if self._counter else []
        for entry in uncounted:
            if self._counter is not None:
                tokens = self._counter.count(entry.data.decode("utf-8", "replace")).tokens
                self.set_tokens(entry.key, tokens, sha256=entry.sha256)
        with self._lock:
            return sum(slot.tokens or 0 for slot in self._shelf)

    def statistics(self) -> SessionStatistics:
        """Return the cache at this moment."""
        with self._lock:
            shelf, blocks = self._shelf, self._shelf.block_statistics()
            return SessionStatistics(
                entries=len(shelf),
                protected_entries=shelf.protected_count,
                content_bytes=shelf.content_bytes,
                output_bytes=shelf.output_bytes,
                shared_bytes=blocks.shared_bytes,
                shared_saved_bytes=blocks.saved_bytes,
                pinned_bytes=sum(slot.weight for slot in shelf if slot.is_pinned),
                hits=self._hits,
                misses=self._misses,
                not_kept=self._not_kept,
                output_hits=self._output_hits,
                output_misses=self._output_misses,
                removals=dict(shelf.removals),
            )

    def _slot(self, key: FileKey, sha256: str) -> Slot | None:
        slot = self._shelf.slot_of(key)
        return slot if slot is not None and slot.sha256 == sha256 else None

    def _hit(self, source: SourceFile, read_at_ns: int) -> CacheEntry | None:
        slot = self._slot(source.key, source.sha256)
        if slot is None:
            return None
        self._hits += 1
        self._shelf.refresh(slot, source, read_at_ns)
        self._shelf.hit(slot)
        return slot.entry()

    def _has_charged(self, account: str, nbytes: int) -> bool:
        """Charge outside the lock: the reclaimers take it."""
        try:
            self._ledger.charge(account, nbytes)
        except NoRoom:
            return False
        return True
