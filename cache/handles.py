"""Handles: names for content that can be brought back, and where that content is now.

After primitive P3, "the resource handle table", of deepstrike-core 0.2.35 (seed 001); changed: handles are content addresses
(two agents name the same thing alike), files are a kind of their own, and the table is bounded.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

HANDLE_DIGITS: Final = (12, 16, 24, 64)
"""Digits of the sha256 in a handle: the first length that no other content has taken."""
DEFAULT_MAX_HANDLES: Final = 10_000
MAX_SOURCES: Final = 16
"""Sources remembered per content; identical files beyond that are found by handle only."""


class HandleKind(Enum):
    """What a handle refers to."""

    FILE_VIEW = "file_view"
    TOOL_RESULT = "tool_result"
    MEMORY_PAGE = "memory_page"
    KNOWLEDGE_ENTRY = "knowledge_entry"
    SPOOL_FILE = "spool_file"
    SUBAGENT_JOIN = "subagent_join"


class MemoryTier(Enum):
    """Long-term tiers that content can be paged out to."""

    EPISODIC = "episodic"
    """Session snapshots."""
    SEMANTIC = "semantic"
    """Facts."""
    ARCHIVE = "archive"
    """The transcript."""


class Place(Enum):
    """The four states of residency."""

    RESIDENT = "resident"
    SPOOLED = "spooled_out"
    PAGED_OUT = "paged_out"
    COLLAPSED = "collapsed"


@dataclass(frozen=True, slots=True)
class Residency:
    """Where a handle's content lives. Build it with the class methods."""

    place: Place
    ref: str = ""
    """SPOOLED: where the spool keeps it."""
    tier: MemoryTier | None = None
    """PAGED_OUT: the tier."""

    def __post_init__(self) -> None:
        if bool(self.ref) != (self.place is Place.SPOOLED):
            raise ValueError(f"ref belongs to SPOOLED and only there, got {self.ref!r} for {self.place}")
        if (self.tier is not None) != (self.place is Place.PAGED_OUT):
            raise ValueError(f"tier belongs to PAGED_OUT and only there, got {self.tier} for {self.place}")

    @classmethod
    def resident(cls) -> "Residency":
        """Full content in the working context."""
        return cls(Place.RESIDENT)

    @classmethod
    def spooled(cls, ref: str) -> "Residency":
        """On disk under `ref`; a preview remains in the context."""
        return cls(Place.SPOOLED, ref=ref)

    @classmethod
    def paged_out(cls, tier: MemoryTier) -> "Residency":
        """In long-term memory."""
        return cls(Place.PAGED_OUT, tier=tier)

    @classmethod
    def collapsed(cls) -> "Residency":
        """Kept here, but left out of what is shown."""
        return cls(Place.COLLAPSED)

    @property
    def label(self) -> str:
        """The state in one word."""
        return self.place.value

    @property
    def occupies_context(self) -> bool:
        """Whether the full content counts against the token budget."""
        return self.place is Place.RESIDENT


@dataclass(frozen=True, slots=True)
class Handle:
    """One addressable resource."""

    id: str
    kind: HandleKind
    residency: Residency
    tokens: int
    """Cost of the resident form; what a re-fetch costs."""
    source: str = ""
    """What it came from: a path, a command line, a call."""
    sha256: str = ""
    size_bytes: int = 0
    created_s: float = 0.0
    """Wall clock; for display and expiry only, order is by insertion."""
    expires_s: float = 0.0
    """Wall clock until which the content is promised; 0 = as long as it is held."""
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class HandleStatistics:
    """The table at one moment."""

    handles: int
    resident_tokens: int
    non_resident_tokens: int
    by_place: Mapping[Place, int]
    forgotten: int
    """Handles that left the table to bound it; the spool still knows them."""


def handle_id(sha256: str, digits: int = HANDLE_DIGITS[0]) -> str:
    """Return the handle for content with this hash."""
    return f"h{sha256[:digits]}"


class HandleTable:
    """Handles in order of insertion. Thread-safe; no I/O."""

    def __init__(self, *, max_handles: int = DEFAULT_MAX_HANDLES) -> None:
        if max_handles < 1:
            raise ValueError(f"max_handles must be >= 1, got {max_handles}")
        self._max_handles = max_handles
        self._lock = threading.Lock()
        self._handles: OrderedDict[str, Handle] = OrderedDict()
        self._by_source: dict[str, str] = {}
        self._sources: dict[str, list[str]] = {}
        self._tokens = {True: 0, False: 0}
        self._forgotten = 0

    def __repr__(self) -> str:
        return f"<HandleTable {len(self._handles)} handles, {self._tokens[True]} resident tokens>"

    def __len__(self) -> int:
        return len(self._handles)

    def insert(self, handle: Handle) -> None:
        """Add `handle`, or replace the one of the same id in its place in the order."""
        with self._lock:
            self._put(handle)
            while len(self._handles) > self._max_handles:
                self._forget_one()

    def get(self, handle_id: str) -> Handle | None:
        """Return the handle of exactly this id."""
        return self._handles.get(handle_id)

    def matching(self, prefix: str) -> list[Handle]:
        """Return the handles whose id starts with `prefix`."""
        with self._lock:
            return [handle for id_, handle in self._handles.items() if id_.startswith(prefix)]

    def all(self) -> list[Handle]:
        """Return every handle, oldest first."""
        with self._lock:
            return list(self._handles.values())

    def of_kind(self, kind: HandleKind) -> list[Handle]:
        """Return the handles of one kind, oldest first."""
        return [handle for handle in self.all() if handle.kind is kind]

    def for_source(self, source: str) -> Handle | None:
        """Return the handle last inserted for `source`."""
        with self._lock:
            return self._handles.get(self._by_source.get(source, ""))

    def residency_for_source(self, source: str) -> Residency | None:
        """Return where the content last inserted for `source` is."""
        handle = self.for_source(source)
        return handle.residency if handle else None

    def move(self, handle_id: str, residency: Residency) -> Handle | None:
        """Record that the content is somewhere else now; None if the handle is not in the table."""
        with self._lock:
            handle = self._handles.get(handle_id)
            if handle is None:
                return None
            handle = replace(handle, residency=residency)
            self._put(handle)
            return handle

    def retain(self, keep: Callable[[Handle], bool]) -> int:
        """Drop every handle that `keep` refuses; return how many went. `keep` runs outside the lock."""
        dropped = [handle for handle in self.all() if not keep(handle)]
        with self._lock:
            return sum(1 for handle in dropped if self._handles.get(handle.id) is handle and self._take(handle.id))

    def remove(self, handle_id: str) -> bool:
        """Drop one handle; False if it is not in the table."""
        with self._lock:
            return handle_id in self._handles and self._take(handle_id)

    def resident_tokens(self) -> int:
        """Tokens of the handles whose content occupies the context."""
        return self._tokens[True]

    def non_resident_tokens(self) -> int:
        """Tokens of the handles whose content has left the context."""
        return self._tokens[False]

    def statistics(self) -> HandleStatistics:
        """Return the table at this moment."""
        with self._lock:
            places = dict.fromkeys(Place, 0)
            for handle in self._handles.values():
                places[handle.residency.place] += 1
            return HandleStatistics(len(self._handles), self._tokens[True], self._tokens[False], places, self._forgotten)

    def _put(self, handle: Handle) -> None:
        before = self._handles.get(handle.id)
        if before is not None:
            self._tokens[before.residency.occupies_context] -= before.tokens
        self._handles[handle.id] = handle
        self._tokens[handle.residency.occupies_context] += handle.tokens
        if handle.source and self._by_source.get(handle.source) != handle.id:
            self._by_source[handle.source] = handle.id
            sources = self._sources.setdefault(handle.id, [])
            sources.append(handle.source)
            if len(sources) > MAX_SOURCES:
                self._unlink(sources.pop(0), handle.id)

    def _take(self, handle_id: str) -> bool:
        handle = self._handles.pop(handle_id)
        self._tokens[handle.residency.occupies_context] -= handle.tokens
        for source in self._sources.pop(handle_id, ()):
            self._unlink(source, handle_id)
        return True

    def _unlink(self, source: str, handle_id: str) -> None:
        if self._by_source.get(source) == handle_id:
            del self._by_source[source]

    def _forget_one(self) -> None:
        """Take out the oldest handle that is somewhere else, or the oldest of all."""
        away = (id_ for id_, handle in self._handles.items() if not handle.residency.occupies_context and not handle.is_pinned)
        self._take(next(away, next(iter(self._handles))))
        self._forgotten += 1
