"""Carries evictions out: plan, spool, check again, drop. Nothing leaves memory that could not be brought back.

Asked for by name (`evict`), by a token target, by the pressure orchestrator or by the ledger for room. What a handle was
given out for is in the spool before it is dropped, and is kept if the spool refuses. The content of a file that no handle
stands for may leave for room without: the file has it.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .entry import CacheEntry, RemovalCause, Resident, Segment
from .errors import PenstockError, StoreUnavailable
from .evicted import EvictedItem, EvictionReport, Outcome
from .eviction import PressureAction, plan_eviction
from .handles import Handle, HandleKind, handle_id
from .ledger import Ledger
from .payloads import PayloadStore
from .receipts import ReceiptBook
from .session import SessionCache
from .tokens import TokenCounter
from .workspace.values import FileKey

_RECEIPT: Final = re.compile(r"r\d+-[0-9a-f]{4}")
_HANDLE: Final = re.compile(r"h[0-9a-f]{4,64}")
_RECENT: Final = 50
"""Items remembered for `status`: why things left."""


@dataclass(frozen=True, slots=True)
class EvictorStatistics:
    """What has been evicted so far."""

    evicted: int
    bytes_freed: int
    spool_refusals: int
    recent: Sequence[EvictedItem]
    """Newest last."""


class Evictor:
    """Evicts from the session cache. Thread-safe; holds no lock while it spools."""

    def __init__(
        self,
        session: SessionCache,
        payloads: PayloadStore,
        ledger: Ledger,
        *,
        receipts: ReceiptBook | None = None,
        counter: TokenCounter | None = None,
    ) -> None:
        self._session = session
        self._payloads = payloads
        self._ledger = ledger
        self._receipts = receipts
        self._counter = counter
        self._lock = threading.Lock()
        self._busy = threading.local()
        self._evicted = self._bytes_freed = self._spool_refusals = 0
        self._recent: deque[EvictedItem] = deque(maxlen=_RECENT)

    def __repr__(self) -> str:
        return f"<Evictor {self._evicted} evicted, {self._bytes_freed} bytes>"

    def evict(self, targets: Sequence[str], *, dry_run: bool = False) -> EvictionReport:
        """Evict what is named: display paths (a folder takes what is under it), handles, receipts."""
        items: list[EvictedItem] = []
        for target in targets:
            if _RECEIPT.fullmatch(target):
                items.append(self._revoke(target, dry_run=dry_run))
            elif _HANDLE.fullmatch(target):
                items.append(self._evict_handle(target, dry_run=dry_run))
            else:
                items += self._evict_path(target, dry_run=dry_run)
        return EvictionReport(tuple(items), is_dry_run=dry_run)

    def evict_to_tokens(self, target_tokens: int, *, dry_run: bool = False) -> EvictionReport:
        """Evict the coldest files until those cached hold at most `target_tokens`."""
        plan = plan_eviction(PressureAction.CONTEXT_COLLAPSE, is_idle=False, target_tokens=target_tokens, preserve_turns=0)
        left = sum(self._tokens_of(resident) or 0 for resident in self._session.residents())
        items: list[EvictedItem] = []
        for resident in self._session.victims(1 << 62):
            if left <= target_tokens:
                break
            item = self._evict_one(resident, RemovalCause.EXPLICIT, dry_run=dry_run)
            items.append(item)
            if item.outcome in (Outcome.EVICTED, Outcome.PLANNED):
                left -= item.refetch_tokens or 0
        return EvictionReport(tuple(items), plan, is_dry_run=dry_run)

    def pin(self, rel: str) -> bool:
        """Exempt the file's content from eviction; False if it is not cached or pins fill their share."""
        entry = self._session.find(rel)
        return entry is not None and self._session.pin(entry.key)

    def unpin(self, rel: str) -> bool:
        """Let the file's content be evicted again; False if it was not pinned."""
        entry = self._session.find(rel)
        return entry is not None and self._session.unpin(entry.key)

    def pin_handle(self, handle_id: str, *, is_pinned: bool) -> bool:
        """Exempt a spooled payload from expiry and size cap, or no longer; False if it is not in the spool.

        Raises:
            UnknownHandle: There is no such handle.
            StoreUnavailable: The spool cannot be changed.
        """
        handle = self._payloads.resolve(handle_id)
        if not self._payloads.spool.pin(handle.id, is_pinned=is_pinned):
            return False
        self._payloads.handles.insert(replace(handle, is_pinned=is_pinned))
        return True

    def trim_outputs(self) -> int:
        """Drop computed views and earlier versions; return the bytes freed."""
        return self._session.trim_compressed_outputs()

    def trim_shared_blocks(self) -> int:
        """Drop what is remembered of shared blocks without need; return the bytes freed."""
        return self._session.trim_shared_blocks()

    def evict_probationary(self, target_bytes: int) -> int:
        """Evict what was read once, coldest first, until the ledger holds at most `target_bytes`; return the bytes freed."""
        return self._evict_down_to(target_bytes, frozenset({Segment.PROBATIONARY}))

    def evict_to_budget(self, target_bytes: int) -> int:
        """Evict probationary, then protected entries until the ledger holds at most `target_bytes`; return the bytes freed."""
        return self._evict_down_to(target_bytes, frozenset(Segment))

    def clear(self) -> int:
        """Evict everything that is not pinned, and trim the rest; return the bytes freed."""
        return self._evict_down_to(0, frozenset(Segment)) + self.trim_outputs() + self.trim_shared_blocks()

    def reclaim(self, nbytes: int) -> int:
        """Make `nbytes` of room for a charge: the ledger's `Reclaimer`. Does nothing while this thread is evicting."""
        if getattr(self._busy, "is_evicting", False):
            return 0
        return self._evict_bytes(nbytes, frozenset(Segment), RemovalCause.WEIGHT)

    def statistics(self) -> EvictorStatistics:
        """Return the counts so far."""
        with self._lock:
            return EvictorStatistics(self._evicted, self._bytes_freed, self._spool_refusals, tuple(self._recent))

    def _evict_down_to(self, target_bytes: int, segments: frozenset[Segment]) -> int:
        excess = self._ledger.used_bytes - max(0, target_bytes)
        return self._evict_bytes(excess, segments, RemovalCause.PRESSURE) if excess > 0 else 0

    def _evict_bytes(self, nbytes: int, segments: frozenset[Segment], cause: RemovalCause) -> int:
        """Evict until `nbytes` are free; what cannot leave now is passed over."""
        freed = 0
        tried: set[FileKey] = set()
        self._busy.is_evicting = True
        try:
            while freed < nbytes:
                victims = self._session.victims(nbytes - freed, segments, but_not=tried)
                if not victims:
                    break
                for victim in victims:
                    tried.add(victim.key)
                    freed += self._evict_one(victim, cause).bytes_freed
        finally:
            self._busy.is_evicting = False
        return freed

    def _evict_one(self, victim: Resident, cause: RemovalCause, *, dry_run: bool = False) -> EvictedItem:
        """Spool `victim`, then drop it if nobody has touched it meanwhile."""
        item = EvictedItem(victim.rel, Outcome.PLANNED, victim.weight, victim.tokens, cause=cause)
        if cause is RemovalCause.EXPLICIT:
            item = replace(item, refetch_tokens=self._tokens_of(victim), receipts=self._receipts_of(victim, dry_run=dry_run))
        if victim.is_pinned:
            return replace(item, outcome=Outcome.PINNED, bytes_freed=0, receipts=())
        if dry_run:
            return replace(item, handle_id=handle_id(victim.sha256), kept_in="spool")
        entry = self._session.peek(victim.key)
        if entry is None or entry.sha256 != victim.sha256:
            return replace(item, outcome=Outcome.IN_USE, bytes_freed=0)
        try:
            item = self._preserve(item, entry, cause)
        except StoreUnavailable:
            with self._lock:
                self._spool_refusals += 1
            return replace(item, outcome=Outcome.SPOOL_FAILED, bytes_freed=0)
        freed = self._session.drop(victim, cause)
        outcome = Outcome.EVICTED if freed else Outcome.IN_USE
        return self._record(replace(item, outcome=outcome, bytes_freed=freed))

    def _preserve(self, item: EvictedItem, entry: CacheEntry, cause: RemovalCause) -> EvictedItem:
        """Make sure that the content can be brought back as promised.

        Raises:
            StoreUnavailable: A handle stands for it, or somebody asked for the eviction by name, and it cannot be spooled.
        """
        promised = self._payloads.promised(entry.sha256)
        is_asked_for = cause is RemovalCause.EXPLICIT
        if promised is None and not is_asked_for and (cause is RemovalCause.WEIGHT or not self._payloads.spool.is_durable):
            return replace(item, kept_in="file")  # a copy in memory would free nothing
        if promised is not None and cause is RemovalCause.WEIGHT and self._payloads.is_kept(entry.sha256):
            return replace(item, handle_id=promised.id, kept_in="spool")
        try:
            handle = self._payloads.keep(entry.data, kind=HandleKind.FILE_VIEW, source=entry.rel, tokens=item.refetch_tokens or 0)
        except StoreUnavailable:
            if promised is not None or is_asked_for:
                raise
            return replace(item, kept_in="file")
        return replace(item, handle_id=handle.id, kept_in=_place_of(handle))

    def _evict_path(self, path: str, *, dry_run: bool) -> list[EvictedItem]:
        under = path.rstrip("/") + "/"
        is_root = path in ("", ".", "./")
        residents = [each for each in self._session.residents() if is_root or each.rel == path or each.rel.startswith(under)]
        alias = self._session.find(path)  # another name of a file that is cached under one of its names
        if alias is not None and not residents:
            residents = [each for each in self._session.residents() if each.key == alias.key]
        if residents:
            return [self._evict_one(each, RemovalCause.EXPLICIT, dry_run=dry_run) for each in residents]
        receipts = self._dying(lambda receipt_path: receipt_path == path, dry_run=dry_run)
        return [EvictedItem(path, Outcome.NOT_CACHED, receipts=receipts)]

    def _evict_handle(self, name: str, *, dry_run: bool) -> EvictedItem:
        """Move a handle's content out of memory; it stays restorable under the handle."""
        try:
            handle = self._payloads.resolve(name)
        except PenstockError:
            return EvictedItem(name, Outcome.NOT_CACHED)
        resident = next((each for each in self._session.residents() if each.sha256 == handle.sha256), None)
        if resident is not None:
            return replace(self._evict_one(resident, RemovalCause.EXPLICIT, dry_run=dry_run), name=name)
        item = EvictedItem(name, Outcome.PLANNED, 0, handle.tokens, handle.id, _place_of(handle))
        if dry_run:
            return item
        if not self._payloads.is_kept(handle.sha256):
            return replace(item, outcome=Outcome.SPOOL_FAILED, kept_in="")
        stored = next(iter(self._payloads.spool.find(handle.id, limit=1)), handle)
        self._payloads.handles.move(handle.id, stored.residency)
        return self._record(replace(item, outcome=Outcome.EVICTED, kept_in=_place_of(stored)))

    def _revoke(self, receipt_id: str, *, dry_run: bool) -> EvictedItem:
        """A receipt stands for text in the model's context, which is not ours to drop: it only stops proving anything."""
        live = self._receipts.live() if self._receipts else []
        if not any(receipt.id == receipt_id for receipt in live):
            return EvictedItem(receipt_id, Outcome.NOT_CACHED)
        if self._receipts and not dry_run:
            self._receipts.revoke(lambda receipt: receipt.id == receipt_id)
        return EvictedItem(receipt_id, Outcome.PLANNED if dry_run else Outcome.REVOKED, receipts=(receipt_id,))

    def _receipts_of(self, victim: Resident, *, dry_run: bool) -> tuple[str, ...]:
        return () if victim.is_pinned else self._dying(lambda path: path == victim.rel, dry_run=dry_run)

    def _dying(self, is_path: Callable[[str], bool], *, dry_run: bool) -> tuple[str, ...]:
        if self._receipts is None:
            return ()
        if dry_run:
            return tuple(receipt.id for receipt in self._receipts.live() if is_path(receipt.path))
        return tuple(self._receipts.revoke(lambda receipt: is_path(receipt.path)))

    def _tokens_of(self, victim: Resident) -> int | None:
        known = self._session.get_tokens(victim.key, sha256=victim.sha256) if victim.tokens is None else victim.tokens
        if known is not None or self._counter is None:
            return known
        data = self._session.version(victim.sha256)
        if data is None:
            return None
        tokens = self._counter.count(data.decode("utf-8", "replace")).tokens
        self._session.set_tokens(victim.key, tokens, sha256=victim.sha256)
        return tokens

    def _record(self, item: EvictedItem) -> EvictedItem:
        with self._lock:
            if item.outcome is Outcome.EVICTED:
                self._evicted += 1
                self._bytes_freed += item.bytes_freed
            self._recent.append(item)
        return item


def _place_of(handle: Handle) -> str:
    return handle.residency.ref.partition(":")[0] or handle.residency.label
