"""Holding the state: swaps it, charges what it holds, maps what the manifest names, gives it back.

The lock covers the swap of one immutable state for another and nothing else; disk is read and reclaimers run without it.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from ..errors import NoRoom
from ..ledger import Ledger
from .manifest import IndexDirectory
from .segment import Segment, SegmentDamaged, open_segment
from .state import IndexState
from .values import DEFAULT_LIMITS

DELTA_ACCOUNT: Final = "index.delta"
TABLES_ACCOUNT: Final = "index.tables"
_MAX_ROUNDS: Final = 8

_log = logging.getLogger(__name__)


class StateHolder:
    """The state of one index in this process. Thread-safe."""

    def __init__(self, ledger: Ledger, directory: IndexDirectory) -> None:
        self._ledger = ledger
        self._directory = directory
        self._lock = threading.Lock()
        self._state: IndexState | None = None
        self._charged = {DELTA_ACCOUNT: 0, TABLES_ACCOUNT: 0}
        self.rebuilds = 0
        """How often the index on disk was found damaged."""

    @property
    def state(self) -> IndexState | None:
        """The state at this moment, None while unloaded."""
        return self._state

    @property
    def heap_bytes(self) -> int:
        """Bytes charged to the ledger."""
        return sum(self._charged.values())

    def current(self) -> IndexState:
        """Return the state, mapping it first if nothing is loaded or another process has published a newer one."""
        state = self._state
        return self.adopt() if state is None or self._directory.has_news() else state

    def adopt(self) -> IndexState:
        """Map what the manifest names, as far as it is not mapped yet."""
        for _ in range(_MAX_ROUNDS):
            state = self._state
            began = 0 if state is None else state.generation
            manifest = self._directory.read()
            mapped = {} if state is None else {live.segment.name: live.segment for live in state.segments}
            segments: list[Segment] = []
            try:
                for entry in manifest.segments:
                    segment = mapped.get(entry.name)
                    segments.append(
                        segment or open_segment(self._directory.path / entry.name, sha256=entry.sha256, size=entry.size)
                    )
            except FileNotFoundError:
                continue  # another process has published and swept since; read again
            except (SegmentDamaged, OSError, ValueError, KeyError) as error:
                _log.warning("the index on disk is not usable and is rebuilt: %s", type(error).__name__)
                self.rebuilds += 1
                break
            # Whoever has published and adopted a later generation meanwhile is not taken back to this one.
            state = self.commit(
                lambda base, s=tuple(segments), g=manifest.generation, b=began: (
                    base if base.generation > max(g, b) else base.adopted(s, g)
                )
            )
            state.release_pages(DEFAULT_LIMITS.kept_map_bytes)
            return state
        else:
            self.rebuilds += 1
        self._directory.discard()
        return self.commit(lambda base: base.adopted((), 0))

    def commit(self, change: Callable[[IndexState], IndexState]) -> IndexState:
        """Swap the state for `change` of it, once its heap is charged, and return it.

        Raises:
            NoRoom: The ledger has no room for it; the old state stands.
        """
        for _ in range(_MAX_ROUNDS):
            with self._lock:
                state = change(self._state or IndexState())
                shortage = self._settle(state)
                if not shortage:
                    old, self._state = self._state, state
                    if old is not None and old is not state:
                        old.forget()
                    return state
            # Reclaimers may ask this very index to unload.
            self._ledger.charge(TABLES_ACCOUNT, shortage)
            self._ledger.release(TABLES_ACCOUNT, shortage)
        raise NoRoom("the index does not fit into the memory budget", next_call="evict to_tokens=0, then repeat the search")

    def unload(self) -> int:
        """Drop maps, delta and tables; return their bytes. What the delta knew is found again by the next sweep."""
        with self._lock:
            state, self._state = self._state, None
            self._settle(None)
        return 0 if state is None else state.resident_bytes

    def _settle(self, state: IndexState | None) -> int:
        """Charge what the state holds; return how many bytes do not fit, changing nothing then. Under the lock."""
        held = (0, 0) if state is None else (state.delta.nbytes, state.table_bytes)
        wanted = dict(zip((DELTA_ACCOUNT, TABLES_ACCOUNT), held, strict=True))
        grown: list[tuple[str, int]] = []
        for account, nbytes in wanted.items():
            more = nbytes - self._charged[account]
            if more <= 0:
                continue
            if not self._ledger.try_charge(account, more):
                for charged, given in grown:
                    self._ledger.release(charged, given)
                    self._charged[charged] -= given
                return more
            self._charged[account] += more
            grown.append((account, more))
        for account, nbytes in wanted.items():
            spare = self._charged[account] - nbytes
            if spare > 0:
                self._ledger.release(account, spare)
                self._charged[account] = nbytes
        return 0
