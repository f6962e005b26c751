"""A snapshot's body with its entries undecoded, and a small memory of such bodies between queries."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MAX_REMEMBERED_CHARS: Final = 2_000_000
"""About two full snapshots of 1,000 entries with their deltas."""


@dataclass(frozen=True, slots=True)
class SnapshotLines:
    """What a snapshot stores: encoded entries by key, and the keys it removes from its parent's set."""

    is_full: bool
    put: Mapping[str, str]
    removed: tuple[str, ...]


class LineMemo:
    """Remembers verified bodies by id and hash, the least recently used leave first. Thread-safe."""

    def __init__(self, max_chars: int = MAX_REMEMBERED_CHARS) -> None:
        self._max_chars = max_chars
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[int, str], tuple[SnapshotLines, int]] = OrderedDict()
        self._chars = 0

    def get(self, snapshot_id: int, sha256: str) -> SnapshotLines | None:
        """Return a body that is remembered under this id and hash."""
        with self._lock:
            found = self._held.get((snapshot_id, sha256))
            if found is None:
                return None
            self._held.move_to_end((snapshot_id, sha256))
            return found[0]

    def put(self, snapshot_id: int, sha256: str, lines: SnapshotLines) -> None:
        """Remember a body, unless it alone is too large."""
        chars = sum(len(line) for line in lines.put.values())
        if chars > self._max_chars:
            return
        with self._lock:
            known = self._held.pop((snapshot_id, sha256), None)
            self._chars += chars - (known[1] if known else 0)
            self._held[snapshot_id, sha256] = (lines, chars)
            while self._chars > self._max_chars:
                _, (_, freed) = self._held.popitem(last=False)
                self._chars -= freed
