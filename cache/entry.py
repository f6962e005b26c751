"""What the session cache holds and what left it. Values only: segments, removal causes, entries, counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from .workspace.values import FileKey, FileStat

ENTRY_OVERHEAD_BYTES: Final = 1280
"""Bookkeeping of one entry: objects, index slots, digests (measured 1.25 KB on CPython 3.11)."""
OUTPUT_OVERHEAD_BYTES: Final = 160
VERSION_OVERHEAD_BYTES: Final = 160


class Segment(Enum):
    """The two parts of a segmented LRU (Karedla, Love, Wherry 1994)."""

    PROBATIONARY = "probationary"
    """Read once."""
    PROTECTED = "protected"
    """Read again."""


class RemovalCause(Enum):
    """Why an entry left the cache."""

    EXPLICIT = "explicit"
    """Somebody asked for it."""
    REPLACED = "replaced"
    """The file has other bytes now."""
    EXPIRED = "expired"
    """The file is gone, or its identity passed to another file."""
    WEIGHT = "weight"
    """Room was needed for something newer."""
    PRESSURE = "pressure"
    """Memory pressure."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Shares of the ledger's budget, and what is kept beside an entry."""

    protected_ratio: float = 0.2
    """Share that the protected segment may fill. Larger ones gain more on most histories and fall below LRU on some (0.5 on 4 of
    23 repositories), because what was read twice long ago stays; with this one none does."""
    max_entry_ratio: float = 0.1
    """Heavier entries are served but not kept: one scan of a large file must not empty the cache."""
    max_pinned_ratio: float = 0.25
    """Pins beyond this would leave no room to evict."""
    versions: int = 2
    """Earlier versions kept, as bases for a diff."""

    def __post_init__(self) -> None:
        for name in ("protected_ratio", "max_entry_ratio", "max_pinned_ratio"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(f"{name} must be in (0, 1], got {value}")
        if self.versions < 0:
            raise ValueError(f"versions must be >= 0, got {self.versions}")


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """The content of one file, as it was when it was last checked."""

    rel: str
    key: FileKey
    stat: FileStat
    data: bytes = field(repr=False)
    sha256: str
    read_at_ns: int
    """Wall clock, nanoseconds, at the time `stat` was taken; comparable with the stat's own times."""
    segment: Segment = Segment.PROBATIONARY
    reads: int = 1
    is_pinned: bool = False
    is_kept: bool = True
    """False: served, but not in the cache (too large, changing, or no room)."""


@dataclass(frozen=True, slots=True)
class Resident:
    """One entry as a planner sees it: identity and cost, never the payload."""

    key: FileKey
    rel: str
    sha256: str
    segment: Segment
    weight: int
    """Bytes that leave the ledger with the entry: content, earlier versions, outputs, bookkeeping."""
    output_bytes: int = 0
    tokens: int | None = None
    """None as long as nobody has counted."""
    reads: int = 1
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """The session cache at one moment."""

    entries: int
    protected_entries: int
    content_bytes: int
    output_bytes: int
    shared_bytes: int
    """Part of `content_bytes` that belongs to blocks which several entries share."""
    shared_saved_bytes: int
    pinned_bytes: int
    hits: int
    misses: int
    not_kept: int
    output_hits: int
    output_misses: int
    removals: Mapping[RemovalCause, int]

    @property
    def hit_ratio(self) -> float:
        """Share of the reads whose bytes were already here; 0 before the first read."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else 0.0
