"""The index engine: keeps the state in step with the disk. The shell around the pure modules of this folder.

A refresh walks, compares, re-indexes what differs, and repeats until the state that it returns agrees with its own walk: so a
search sees every change that was finished before it began, whatever other threads and processes do meanwhile.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from ..deadline import Deadline
from ..errors import NoRoom, PenstockError, UnderPressure
from ..ledger import Ledger
from ..worker import Worker
from ..workspace.files import Workspace
from .builder import Builder, BuildProgress
from .buildplan import ChosenPaths, LiveSegmentEntry, WantedFiles
from .catalog import Ints, SweepPlan
from .coverage import coverage_of, skipped_of, unsearched_of
from .holder import StateHolder
from .indexer import FileIndexer
from .inline import WALK_ACCOUNT, InlineIndexer
from .lane import BuildSource
from .manifest import IndexDirectory, Manifest, engine_version
from .patience import Patience
from .spotcheck import SpotCheck
from .state import IndexState
from .sweep import Sweeper, Walk
from .values import Coverage, IndexLimits, IndexStatistics
from .watch import ChangeWatcher, LoadWatch

Progress = Callable[[int, int, str], None]
NO_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType({})
_NO_KEYS: Final[Ints] = np.empty(0, np.int64)
_CRITICAL: Final = 4
_MAX_ROUNDS: Final = 8
_MAX_RACY: Final = 500
"""Racy files are read and hashed within the call: 60 µs each."""
_RESERVE_S: Final = 1.5
"""Kept of a call's time for scoring and the answer."""
_WAIT_SLICE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Fresh:
    """A state that agrees with the disk, or how far it does not."""

    state: IndexState
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class _Wait:
    """What a search brings along: how long it may wait, and what it looks for."""

    deadline: Deadline
    progress: Progress
    until: float
    weights: Mapping[str, float]


class IndexEngine:
    """State, freshness and builds of one workspace's index. Thread-safe."""

    def __init__(
        self,
        workspace: Workspace,
        ledger: Ledger,
        data_dir: Path,
        worker: Worker,
        definitions: str,
        *,
        limits: IndexLimits,
        pressure: Callable[[], int],
        load_watch: LoadWatch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._pressure = pressure
        self._clock = clock
        directory = IndexDirectory(data_dir, engine=engine_version(definitions))
        self.holder: Final = StateHolder(ledger, directory)
        self._sweeper = Sweeper(workspace, limits, clock=clock)
        self.indexer: Final = FileIndexer(workspace, worker, definitions, limits)
        self._inline = InlineIndexer(self.holder, self.indexer, ledger, limits, clock=clock)
        self.spot: Final = SpotCheck(workspace, self.holder, self._inline, clock=clock)
        self._changes = ChangeWatcher(workspace.root, ledger, load_watch, clock=clock)
        self._coverage = Coverage(0, 0, is_walk_complete=False)
        self._refreshes = 0
        self._has_answered = threading.Event()
        self._built: Walk | None = None
        """The walk that a long build takes its files from."""
        roots = tuple(str(root) for root in workspace.roots)
        self._builder = Builder(
            worker,
            directory,
            BuildSource(roots, workspace.limits, workspace.secrets, definitions),
            limits=limits,
            adopt=self.holder.adopt,
            still_wanted=self._still_wanted,
            live_entries=self._live_entries,
            pressure=pressure,
        )

    def refresh(self, deadline: Deadline, progress: Progress, weights: Mapping[str, float] = NO_WEIGHTS) -> Fresh:
        """Bring the index in step with the disk, waiting for a build for as long as the limits allow.

        Where that is not long enough, files are indexed first that are likely to answer a query of these terms.

        Raises:
            UnderPressure: Nothing is indexed yet and memory is critical.
            NoRoom: Not even the tables of the index fit into the memory budget.
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        started = self._clock()
        self._refreshes += 1
        until = started + min(self._limits.build_wait_s, deadline.remaining_s - _RESERVE_S)
        if self._changes.take_behind():
            self._sweeper.hurry()
        walk = self._sweeper.take(deadline)
        if walk is None:
            # Whoever took the first walk is at work on it, and until then there is nothing to answer from.
            while not self._has_answered.wait(_WAIT_SLICE_S) and self._clock() < until:
                deadline.check()
            self._catch_up(started, deadline)
            return self._as_it_is(weights, deadline)
        # The builder looks the paths up in the table for as long as it works; it is charged for this call.
        try:
            with self._ledger.borrow(WALK_ACCOUNT, walk.files.nbytes):
                if walk.is_over and self._sweeper.is_dear:
                    self._changes.follow(walk)
                self._catch_up(started, deadline)
                return self._refreshed(walk, started, _Wait(deadline, progress, until, weights))
        except PenstockError:
            # The index does not agree with this walk, and must not be taken to be as young.
            self._sweeper.forget()
            raise
        finally:
            self._has_answered.set()

    def _catch_up(self, asked: float, deadline: Deadline) -> None:
        """Where walks are older than the call, look at the indexed files that were heard to change since."""
        is_building = self._builder.current is not None
        if self._sweeper.is_dear and self.spot.catch_up(self._changes, asked, deadline, is_building=is_building):
            self._sweeper.hurry()

    def _refreshed(self, walk: Walk, started: float, wait: "_Wait") -> Fresh:
        """Compare with a walk and index what differs."""
        if self._builder.current is None:
            self._built = None
        age_s = max(0.0, started - walk.began)
        started -= age_s
        state, plan = self._planned(walk, started)
        for _ in range(_MAX_ROUNDS):
            if not len(plan.stale) and not len(plan.racy) and not len(plan.gone):
                break
            wait.deadline.check()
            if not self._update(state, walk, plan, wait):
                state, plan = self._planned(walk, started)
                break
            state, plan = self._planned(walk, started)
        if len(walk.table.keys) < len(walk.files) and self._builder.current is None:
            self._inline.index_urgent(walk, state, plan, wait.weights, wait.deadline)
            state, plan = self._planned(walk, started)
        # This very state is the one that agrees with the walk: the shared one may be another thread's by now.
        self._flush_if_large(state)
        coverage = coverage_of(state, walk, plan, is_building=self._builder.current is not None)
        self._coverage = replace(coverage, age_s=age_s)
        return Fresh(state, self._coverage)

    @property
    def coverage(self) -> Coverage:
        """How much of the workspace was indexed when that was last looked at."""
        return self._coverage

    def _as_it_is(self, weights: Mapping[str, float], deadline: Deadline) -> Fresh:
        """Answer from the last walk: another one would cost more than it is due."""
        state, walk = self.holder.current(), self._built
        if walk is not None and self._builder.current is not None:
            self._inline.index_urgent(walk, *self._planned(walk, walk.began), weights, deadline)
            state = self.holder.current()
        last = self._coverage
        searched = min(last.total_files, len(state.catalog) - sum(unsearched_of(state).values()))
        self._coverage = replace(
            last,
            searched_files=searched,
            is_building=self._builder.current is not None,
            skipped=skipped_of(state),
            age_s=self._sweeper.age_s,
        )
        return Fresh(state, self._coverage)

    def _planned(self, walk: Walk, started: float) -> tuple[IndexState, SweepPlan]:
        state = self.holder.current()
        plan = state.catalog.plan(walk.table, started=started)
        if not walk.is_complete:
            # A walk that was cut short proves nothing about the files that it did not reach.
            plan = SweepPlan(plan.stale, plan.racy[:_MAX_RACY], _NO_KEYS)
        return state, plan

    def _update(self, state: IndexState, walk: Walk, plan: SweepPlan, wait: "_Wait") -> bool:
        """Index what differs, here or in the builder; False if it is not done in time."""
        is_small = len(plan.stale) <= self._limits.inline_files
        try:
            self._inline.index(state, walk, plan if is_small else replace(plan, stale=_NO_KEYS), wait.deadline)
        except NoRoom:
            # The delta lives on the heap; a segment on disk costs the budget nothing.
            is_small = False
        return is_small or self._wait_for_build(state, walk, plan, wait)

    def _wait_for_build(self, state: IndexState, walk: Walk, plan: SweepPlan, wait: "_Wait") -> bool:
        """Have the stale files built in the background; True once that build is over."""
        build = self._builder.current or self._started_build(state, walk, plan)
        if build is None:
            return False
        # A query can be answered from a part; who only wants the index whole waits for as long as there is time.
        is_brief = build.is_long and bool(wait.weights)
        patience = Patience.of(self._clock(), wait.until, is_first=not state.n_docs, is_long=is_brief)
        if build.is_long:
            self._inline.index_urgent(walk, state, plan, wait.weights, wait.deadline)
        # A build that is already merging began before these files changed: the next one takes them.
        is_over = build.is_finished if build.is_indexed.is_set() else build.is_indexed
        while not is_over.wait(_WAIT_SLICE_S):
            wait.deadline.check()
            wait.progress(build.done, build.total, f"indexed {build.done:,} of {build.total:,} files")
            held = self.holder.state
            has_documents = held is not None and held.n_docs > 0
            expected_s = build.expected_s
            if expected_s is None:
                expected_s = math.inf if is_brief else 0.0
            if patience.is_over(self._clock(), expected_s=expected_s, has_documents=has_documents):
                return False
        return not build.has_failed

    def _started_build(self, state: IndexState, walk: Walk, plan: SweepPlan) -> BuildProgress | None:
        """Start a build of the stale files; None if memory is too short for one and something is indexed.

        Raises:
            UnderPressure: Memory is critical, and nothing is indexed yet.
        """
        if self._pressure() >= _CRITICAL:
            if state.n_docs:
                return None
            raise UnderPressure(
                "the workspace is not indexed yet, and memory is too short to do it now",
                why="building an index is the heaviest work there is",
                next_call="evict to_tokens=0 to make room, then repeat the search; read works meanwhile",
            )
        # An older version in the delta would stand before the one that is built now, and stay stale for ever.
        delta = np.fromiter(state.delta.files, np.int64, len(state.delta.files))
        old = np.intersect1d(walk.table.keys[plan.stale], delta)
        if len(old):
            self.holder.commit(lambda base: base.updated({}, {}, old, walk.began))
        paths = ChosenPaths(walk.files.path, plan.stale)
        build = self._builder.start(WantedFiles(paths, walk.table.stats[plan.stale]))
        self._built = walk if build.is_long else None
        return build

    def _still_wanted(self, files: WantedFiles) -> WantedFiles:
        """Return the files whose indexed version still differs: another process may have built them meanwhile."""
        return files.chosen(self.holder.current().catalog.plan(files.table(), started=self._clock()).stale)

    def _flush_if_large(self, state: IndexState) -> None:
        """Have the builder write a large delta to disk; what it holds then leaves the heap."""
        if state.delta.n_docs > self._limits.max_delta_chunks and self._builder.current is None:
            rows = [file.row for file in state.delta.files.values()]
            files = [(row.path, (row.inode, row.size, row.mtime_ns, row.ctime_ns)) for row in rows]
            self._builder.start(WantedFiles.of(files), is_flush=True)

    def _live_entries(self, manifest: Manifest) -> Sequence[LiveSegmentEntry]:
        live = {item.segment.name: item for item in self.holder.current().segments}
        entries: list[LiveSegmentEntry] = []
        for entry in manifest.segments:
            item = live.get(entry.name)
            if item is None:
                return ()
            # What only the delta holds is dead here, and comes back from the disk for whoever maps the result.
            mask = item.is_live_file
            entries.append(LiveSegmentEntry(entry, mask.tobytes(), 1.0 - float(mask.mean()) if len(mask) else 1.0))
        return entries

    def unload(self) -> int:
        """Drop maps, delta and tables; the next search maps again. Return the bytes given up, mapped and heap."""
        self._sweeper.forget()
        self._built = None
        return self.holder.unload()

    def close(self) -> None:
        """Stop a running walk and build, end the watching, and drop everything."""
        self._changes.close()
        self._sweeper.close()
        self._builder.close()
        self.unload()

    def statistics(self, searches: int) -> IndexStatistics:
        """Return the index at this moment."""
        held, builder = self.holder.state, self._builder
        state = held or IndexState()
        return IndexStatistics(
            files=len(state.catalog),
            chunks=state.n_docs,
            segments=len(state.segments),
            delta_chunks=state.delta.n_docs,
            generation=state.generation,
            mapped_bytes=state.mapped_bytes,
            heap_bytes=self.holder.heap_bytes,
            searches=searches,
            refreshes=self._refreshes,
            updates=self._inline.updates,
            builds=builder.builds,
            build_failures=builder.failures,
            rebuilds=self.holder.rebuilds,
            is_loaded=held is not None,
            is_building=builder.current is not None,
            coverage=self._coverage,
            walks=self._sweeper.walks,
            watch=self._changes.statistics(),
        )
