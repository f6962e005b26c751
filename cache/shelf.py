"""The session cache's entries with their indexes and their exact weight in the ledger.

Not thread-safe and free of I/O: `cache.session` calls it under its lock. What is to be kept has been charged before
(`deposit`); after every change exactly the bytes that are held remain charged.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from .blocks import BlockStatistics, BlockTable, Pieces
from .entry import RemovalCause
from .ledger import Ledger
from .segments import Segments
from .slot import Identity, Slot, identity_of
from .workspace.values import FileKey, SourceFile

CONTENT: Final = "content"
OUTPUTS: Final = "outputs"
_NOWHERE: Final = (-1, -1)


class Shelf:
    """Slots by identity, by display path and by hash."""

    def __init__(self, ledger: Ledger, *, protected_bytes: int, versions: int) -> None:
        self._ledger = ledger
        self._protected_bytes = protected_bytes
        self._versions = versions
        self._segments = Segments()
        self._by_rel: dict[str, Identity] = {}
        self._by_sha: dict[str, Identity] = {}
        self._blocks = BlockTable()
        self._slot_bytes = 0
        self._deposit_bytes = 0
        self.output_bytes = 0
        self.removals = dict.fromkeys(RemovalCause, 0)

    def __len__(self) -> int:
        return len(self._segments)

    def __iter__(self) -> Iterator[Slot]:
        """Coldest first; a snapshot, so that slots may be dropped on the way."""
        return iter(list(self._segments))

    def coldest(self) -> Iterator[Slot]:
        """Coldest first, without a copy: nothing may change meanwhile."""
        return iter(self._segments)

    @property
    def content_bytes(self) -> int:
        """What the entries and the blocks that they share cost."""
        return self._slot_bytes + self._blocks.shared_bytes

    @property
    def used_bytes(self) -> int:
        """Content and outputs."""
        return self.content_bytes + self.output_bytes

    @property
    def protected_count(self) -> int:
        """Entries in the protected segment."""
        return self._segments.protected_count

    def block_statistics(self) -> BlockStatistics:
        """Return the shared blocks at this moment."""
        return self._blocks.statistics()

    def slot_of(self, key: FileKey) -> Slot | None:
        """Return the slot of the opened file."""
        return self._segments.get(identity_of(key))

    def slot_at(self, rel: str) -> Slot | None:
        """Return the slot last stored under this display path."""
        return self._segments.get(self._by_rel.get(rel, _NOWHERE))

    def version(self, sha256: str) -> bytes | None:
        """Return the bytes with this hash, current or earlier."""
        slot = self._segments.get(self._by_sha.get(sha256, _NOWHERE))
        if slot is None:
            return None
        return slot.rope.materialise() if slot.sha256 == sha256 else dict(slot.versions).get(sha256)

    def hit(self, slot: Slot) -> None:
        """Count a read and promote."""
        slot.reads += 1
        self._segments.touch(slot, protected_bytes=self._protected_bytes)

    def refresh(self, slot: Slot, source: SourceFile, read_at_ns: int) -> None:
        """The same content was read again, perhaps under another name or with another stat."""
        slot.stat, slot.read_at_ns = source.stat, read_at_ns
        self._name(slot, source)

    def insert(self, source: SourceFile, pieces: Pieces, read_at_ns: int, *, charged_bytes: int) -> Slot:
        """Put new content in, taking over reads, pin and earlier versions from the entry that it replaces.

        `charged_bytes` is what the content account was charged for it, at least its weight; the rest is given back.
        """
        self._deposit_bytes += charged_bytes
        old = self._replaced_by(source)
        identity = identity_of(source.key)
        rope, others = self._blocks.pack(pieces, identity)
        slot = Slot(source.rel, source.key, source.stat, source.sha256, read_at_ns, rope)
        if old is not None:
            slot.reads, slot.is_pinned, slot.segment = old.reads, old.is_pinned, old.segment
            earlier = (old.sha256, old.rope.materialise()), *old.versions
            slot.versions = tuple(each for each in earlier if each[0] != source.sha256)[: self._versions]
            self._take_out(old, RemovalCause.REPLACED)
        squatter = self._segments.get(identity)
        if squatter is not None:  # the inode number passed from a file that is gone to this one
            self._take_out(squatter, RemovalCause.EXPIRED)
        self._slot_bytes += slot.content_bytes
        self._segments.add(slot)
        self._name(slot, source)
        for sha256, _ in slot.versions:
            self._by_sha[sha256] = identity
        if old is not None:
            self.hit(slot)
        for other in others:
            self._adopt(other)
        self._afford_versions(slot)
        self._settle()
        return slot

    def drop(self, slot: Slot, cause: RemovalCause) -> int:
        """Take a slot out; return the bytes that the ledger gets back."""
        before = self.used_bytes
        self._take_out(slot, cause)
        self._settle()
        return before - self.used_bytes

    def _take_out(self, slot: Slot, cause: RemovalCause) -> None:
        self.remove_outputs(slot, list(slot.outputs))
        self._segments.discard(slot)
        self._slot_bytes -= slot.content_bytes
        self._blocks.release(slot.rope)
        identity = identity_of(slot.key)
        for sha256 in (slot.sha256, *(sha for sha, _ in slot.versions)):
            if self._by_sha.get(sha256) == identity:
                del self._by_sha[sha256]
        for rel in slot.names:
            if self._by_rel.get(rel) == identity:
                del self._by_rel[rel]
        self.removals[cause] += 1

    def add_output(self, slot: Slot, view_key: str, data: bytes) -> None:
        """Keep a computed view that is charged already."""
        self.remove_outputs(slot, [view_key])
        before = slot.output_bytes
        slot.outputs[view_key] = data
        self.output_bytes += slot.output_bytes - before

    def remove_outputs(self, slot: Slot, view_keys: Iterable[str]) -> None:
        """Drop computed views and give their bytes back."""
        before = slot.output_bytes
        for view_key in view_keys:
            slot.outputs.pop(view_key, None)
        freed = before - slot.output_bytes
        self.output_bytes -= freed
        self._ledger.release(OUTPUTS, freed)

    def forget_versions(self, slot: Slot) -> None:
        """Drop the earlier versions."""
        self._strip_versions(slot)
        self._settle()

    def _strip_versions(self, slot: Slot) -> None:
        identity = identity_of(slot.key)
        for sha256, _ in slot.versions:
            if self._by_sha.get(sha256) == identity:
                del self._by_sha[sha256]
        before = slot.content_bytes
        slot.versions = ()
        self._slot_bytes += slot.content_bytes - before

    def trim_blocks(self) -> None:
        """Forget blocks seen once and give up blocks that only one file still refers to."""
        for slot in self._segments:
            before = slot.content_bytes
            slot.rope = self._blocks.simplify(slot.rope)
            self._slot_bytes += slot.content_bytes - before
        self._settle()

    def _settle(self) -> None:
        """Give back what was charged beyond what is held."""
        self._ledger.release(CONTENT, self._deposit_bytes - self.content_bytes)
        self._deposit_bytes = self.content_bytes

    def _afford_versions(self, slot: Slot) -> None:
        """An earlier version no longer shares blocks, so it may cost more than the old entry gave back."""
        shortage = self.content_bytes - self._deposit_bytes
        if shortage <= 0:
            return
        if self._ledger.try_charge(CONTENT, shortage):
            self._deposit_bytes += shortage
        else:
            self._strip_versions(slot)

    def _replaced_by(self, source: SourceFile) -> Slot | None:
        """Return the entry whose file has this content now: the same path, or the same opened file under a known name."""
        at_path = self.slot_at(source.rel)
        if at_path is not None:
            return at_path
        same_file = self.slot_of(source.key)
        return same_file if same_file is not None and source.rel in same_file.names else None

    def _name(self, slot: Slot, source: SourceFile) -> None:
        identity = identity_of(slot.key)
        slot.rel, slot.key = source.rel, source.key
        slot.names.add(source.rel)
        self._by_rel[source.rel] = identity
        self._by_sha[slot.sha256] = identity

    def _adopt(self, owner: Identity) -> None:
        """Let an entry that was first to hold a block refer to the shared copy."""
        slot = self._segments.get(owner)
        if slot is not None:
            before = slot.content_bytes
            slot.rope = self._blocks.adopt(slot.rope)
            self._slot_bytes += slot.content_bytes - before
