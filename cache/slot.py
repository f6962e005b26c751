"""One entry of the session cache as it changes: content, earlier versions, computed views."""

from dataclasses import dataclass, field

from .blocks import Rope
from .entry import ENTRY_OVERHEAD_BYTES, OUTPUT_OVERHEAD_BYTES, VERSION_OVERHEAD_BYTES, CacheEntry, Resident, Segment
from .workspace.values import FileKey, FileStat, SourceFile

Identity = tuple[int, int]
"""(device, inode): what one opened file is, whatever its name."""


def identity_of(key: FileKey) -> Identity:
    """Return the identity that all names of the file share."""
    return key.dev, key.ino


@dataclass(slots=True)
class Slot:
    """Mutable state of one entry; only the session cache changes it, under its lock."""

    rel: str
    key: FileKey
    stat: FileStat
    sha256: str
    read_at_ns: int
    rope: Rope
    reads: int = 1
    segment: Segment = Segment.PROBATIONARY
    tokens: int | None = None
    is_pinned: bool = False
    names: set[str] = field(default_factory=set[str])
    """Every display path under which this opened file was read."""
    versions: tuple[tuple[str, bytes], ...] = ()
    """(sha256, bytes) of earlier contents, newest first."""
    outputs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    read_number: int = 0
    """Which read of the cache was the last one of this entry."""
    placed_bytes: int = 0
    """What the content cost at that read."""

    @property
    def content_bytes(self) -> int:
        """What the entry costs in the content account."""
        versions = sum(len(data) + VERSION_OVERHEAD_BYTES for _, data in self.versions)
        return ENTRY_OVERHEAD_BYTES + self.rope.private_bytes + versions

    @property
    def output_bytes(self) -> int:
        """What the entry costs in the outputs account."""
        return sum(len(data) + OUTPUT_OVERHEAD_BYTES for data in self.outputs.values())

    @property
    def weight(self) -> int:
        """Everything that leaves the ledger with the entry."""
        return self.content_bytes + self.output_bytes

    def entry(self) -> CacheEntry:
        """Return the entry as a value."""
        return CacheEntry(
            rel=self.rel,
            key=self.key,
            stat=self.stat,
            data=self.rope.materialise(),
            sha256=self.sha256,
            read_at_ns=self.read_at_ns,
            segment=self.segment,
            reads=self.reads,
            is_pinned=self.is_pinned,
        )

    def resident(self) -> Resident:
        """Return what a planner may know."""
        return Resident(
            key=self.key,
            rel=self.rel,
            sha256=self.sha256,
            segment=self.segment,
            weight=self.weight,
            output_bytes=self.output_bytes,
            tokens=self.tokens,
            reads=self.reads,
            is_pinned=self.is_pinned,
        )


def weight_of(size_bytes: int) -> int:
    """Return what an entry of `size_bytes` costs without versions, outputs and shared blocks."""
    return ENTRY_OVERHEAD_BYTES + size_bytes


def output_weight_of(size_bytes: int) -> int:
    """Return what a computed view of `size_bytes` costs."""
    return OUTPUT_OVERHEAD_BYTES + size_bytes


def unkept_entry(source: SourceFile, read_at_ns: int) -> CacheEntry:
    """Return the value for content that is served but not kept."""
    return CacheEntry(source.rel, source.key, source.stat, source.data, source.sha256, read_at_ns, is_kept=False)
