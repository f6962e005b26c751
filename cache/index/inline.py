"""Indexing a few files within a call, into the delta: what has changed, and what a search wants ahead of the builder."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from ..deadline import Deadline
from ..errors import Busy, NoRoom
from ..ledger import Ledger
from .catalog import Ints, SweepPlan, key_of
from .delta import DeltaFile
from .holder import StateHolder
from .indexer import FileIndexer
from .segment import FileRow
from .state import IndexState
from .sweep import Walk
from .urgent import beyond, urgent_files
from .values import IndexLimits

WALK_ACCOUNT: Final = "index.walk"
_NO_KEYS: Final[Ints] = np.empty(0, np.int64)
_URGENT_S: Final = 3.0
"""So long a search indexes likely files itself while a long build is under way."""

_URGENT_BYTES: Final = 2 << 20
"""So much text at most, and one file beyond: the builder reads it all again."""


class InlineIndexer:
    """Puts files into the delta of the held state. Thread-safe."""

    def __init__(
        self,
        holder: StateHolder,
        indexer: FileIndexer,
        ledger: Ledger,
        limits: IndexLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._holder = holder
        self._indexer = indexer
        self._ledger = ledger
        self._limits = limits
        self._clock = clock
        self.updates = 0
        """Files indexed so far."""

    def index_urgent(
        self, walk: Walk, state: IndexState, plan: SweepPlan, weights: Mapping[str, float], deadline: Deadline
    ) -> None:
        """Index the few files that matter most to this search; the builder comes to them later, and the delta is left to it."""
        if state.delta.n_docs > self._limits.max_delta_chunks:
            return
        _, is_known = state.catalog.positions(walk.table.keys[plan.stale])
        new = np.concatenate([plan.stale[~is_known], beyond(walk.files, len(walk.table.keys), state.catalog)])
        limit, is_first = self._limits.inline_files, not state.n_docs
        until = self._clock() + min(_URGENT_S, deadline.remaining_s / 4)
        try:
            with self._ledger.borrow(WALK_ACCOUNT, walk.files.nbytes):
                urgent = urgent_files(walk.files, new, plan.stale[is_known], weights, limit=limit, is_first=is_first)
            sizes = np.cumsum([walk.files[position].stat.size for position in urgent.tolist()])
            urgent = urgent[: int(np.searchsorted(sizes, _URGENT_BYTES)) + 1]
            self.index(state, walk, SweepPlan(urgent, _NO_KEYS, _NO_KEYS), deadline, until)
        except (NoRoom, Busy):
            return  # the builder needs no room on the heap, and has helpers of its own

    def index(self, state: IndexState, walk: Walk, plan: SweepPlan, deadline: Deadline, until: float = math.inf) -> None:
        """Re-index the stale files within the call, and look at the racy ones; what is not done at `until` stays as it is."""
        files: dict[int, DeltaFile] = {}
        stats: dict[int, FileRow] = {}
        gone = plan.gone.tolist()
        read_at = self._clock()
        for position in [*plan.stale.tolist(), *plan.racy.tolist()]:
            deadline.check()
            if self._clock() >= until:
                break
            walked = walk.files[position]
            key = key_of(walked.rel)
            indexed = self._indexer.index(walked, state.digest_of(walked.rel), deadline)
            if indexed is None:
                gone.append(key)
            elif isinstance(indexed, FileRow):
                stats[key] = indexed
            else:
                files[key] = indexed
        self.updates += len(files)
        if files or stats or gone:
            self._holder.commit(lambda base: base.updated(files, stats, np.asarray(gone, np.int64), read_at))
