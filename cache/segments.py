"""The order in which the session cache's entries leave: probationary before protected, the coldest first in each.

A first read enters the probationary segment, a second one promotes, and what overflows the protected segment is demoted
(Karedla, Love, Wherry: "Caching strategies to improve disk system performance", 1994). Protected entries leave least recently
used first. Probationary ones leave by age × factor, the factor being √(weight ÷ mean weight) between 1 and 2: a heavy entry
ages up to twice as fast, because the room of one heavy entry holds several light ones (size-adjusted LRU: Aggarwal, Wolf, Yu:
"Caching on the World Wide Web", 1999). Their factor has no bounds; with bounds an entry leaves at the earliest at half the age
at which LRU would drop it, so large files in steady use stay. Bounds 1.5 and 3 and a cube root behave alike: on the histories
of 23 repositories, 8 of which were looked at only afterwards, no budget's hit ratio was below LRU's.

As in theirs, entries stand in one queue for each power of two of the weight, oldest first, and only the heads are compared:
a choice costs as much as there are powers in use, at most some twenty. Not thread-safe.
"""

from collections import OrderedDict
from collections.abc import Iterator
from math import sqrt
from typing import Final

from .entry import Segment
from .slot import Identity, Slot, identity_of

MAX_FACTOR: Final = 2.0


class Segments:
    """Slots by identity, in the order in which they leave."""

    def __init__(self) -> None:
        self._slots: dict[Identity, Slot] = {}
        self._probationary: dict[int, OrderedDict[Identity, Slot]] = {}
        """By bit length of the weight."""
        self._protected: OrderedDict[Identity, Slot] = OrderedDict()
        self._protected_bytes = self._bytes = 0
        self._reads = 0
        """The clock: age is counted in reads, so the same reads give the same order."""

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Slot]:
        """Coldest first; each costs one look at the heads, so whoever stops early pays for no more."""
        mean = self._bytes / len(self._slots) if self._slots else 1.0
        queues = [iter(queue.values()) for _, queue in sorted(self._probationary.items(), reverse=True)]
        heads = [(slot, queue) for queue in queues if (slot := next(queue, None)) is not None]
        while heads:
            at = max(range(len(heads)), key=lambda each: self._coldness_of(heads[each][0], mean))
            coldest, queue = heads[at]
            yield coldest
            following = next(queue, None)
            if following is None:
                del heads[at]
            else:
                heads[at] = following, queue
        yield from self._protected.values()

    @property
    def protected_count(self) -> int:
        """Entries in the protected segment."""
        return len(self._protected)

    def get(self, identity: Identity) -> Slot | None:
        """Return the slot without touching its place."""
        return self._slots.get(identity)

    def add(self, slot: Slot) -> None:
        """Put `slot`, which is being read, at the warm end of its segment, with the weight that it has now."""
        self._reads += 1
        self._place(slot)

    def _place(self, slot: Slot) -> None:
        identity = identity_of(slot.key)
        slot.read_number, slot.placed_bytes = self._reads, slot.content_bytes
        self._slots[identity] = slot
        self._bytes += slot.placed_bytes
        if slot.segment is Segment.PROTECTED:
            self._protected[identity] = slot
            self._protected_bytes += slot.placed_bytes
        else:
            self._probationary.setdefault(slot.placed_bytes.bit_length(), OrderedDict())[identity] = slot

    def discard(self, slot: Slot) -> None:
        """Take `slot` out of its segment."""
        identity = identity_of(slot.key)
        if self._slots.pop(identity, None) is None:
            return
        self._bytes -= slot.placed_bytes
        if self._protected.pop(identity, None) is not None:
            self._protected_bytes -= slot.placed_bytes
            return
        size = slot.placed_bytes.bit_length()
        del self._probationary[size][identity]
        if not self._probationary[size]:
            del self._probationary[size]

    def touch(self, slot: Slot, *, protected_bytes: int) -> None:
        """Promote `slot` to the warm end of the protected segment; demote the coldest while it holds more than allowed."""
        self.discard(slot)
        slot.segment = Segment.PROTECTED
        self.add(slot)
        while self._protected_bytes > protected_bytes and len(self._protected) > 1:
            coldest = next(iter(self._protected.values()))
            self.discard(coldest)
            coldest.segment = Segment.PROBATIONARY
            self._place(coldest)

    def _coldness_of(self, slot: Slot, mean_bytes: float) -> float:
        return (self._reads + 1 - slot.read_number) * min(MAX_FACTOR, max(1.0, sqrt(slot.placed_bytes / mean_bytes)))
