"""The index engine: keeps the state in step with the disk. The shell around the pure modules of this folder.

A refresh walks, compares, re-indexes what differs, and repeats until the state that it returns agrees with its own walk: so
a search sees every change that was finished before it began, whatever other threads and processes do meanwhile. Locks cover
the swap of immutable states only.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ..deadline import Deadline
from ..errors import NoRoom, PenstockError, SecretDenied, UnderPressure
from ..ledger import Ledger
from ..worker import Worker, WorkerError
from ..workspace.files import Workspace
from ..workspace.values import WalkedFile
from .analyse import FileAnalysis
from .build import Stat, WantedFile, is_young, row_of, unread_row
from .builder import Builder, BuildProgress, BuildSource, LiveSegmentEntry
from .catalog import Catalog, Ints, SweepPlan, WalkTable, key_of
from .chunk import MAX_FILE_BYTES, FileStatus
from .delta import DeltaFile
from .manifest import IndexDirectory, Manifest, engine_version
from .segment import FileRow, Segment, SegmentDamaged, open_segment
from .state import IndexState
from .values import Coverage, IndexLimits, IndexStatistics

Progress = Callable[[int, int, str], None]
_NO_KEYS: Final[Ints] = np.empty(0, np.int64)
_CRITICAL: Final = 4
_MAX_ROUNDS: Final = 8
_RESERVE_S: Final = 1.5
"""Kept of a call's time for scoring and the answer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk of the workspace, cut to what may be indexed."""

    files: Sequence[WalkedFile]
    table: WalkTable
    is_complete: bool
    seen: int
    finished: float


@dataclass(frozen=True, slots=True)
class Fresh:
    """A state that agrees with the disk, or how far it does not."""

    state: IndexState
    coverage: Coverage


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workspace = workspace
        self._ledger = ledger
        self._worker = worker
        self._definitions = definitions
        self._limits = limits
        self._pressure = pressure
        self._clock = clock
        self._directory = IndexDirectory(data_dir, engine=engine_version(definitions))
        self._lock = threading.Lock()
        self._state: IndexState | None = None
        self._charged = {"index.delta": 0, "index.tables": 0}
        self._walk: Walk | None = None
        self._walk_cost_s = 0.0
        self._coverage = Coverage(0, 0)
        self._refreshes = 0
        self._updates = 0
        source = BuildSource(tuple(str(root) for root in workspace.roots), workspace.limits, workspace.secrets, definitions)
        self._builder = Builder(
            worker,
            self._directory,
            source,
            limits=limits,
            adopt=self._adopt,
            still_wanted=self._still_wanted,
            live_entries=self._live_entries,
            pressure=pressure,
        )

    # Freshness

    def refresh(self, deadline: Deadline, progress: Progress) -> Fresh:
        """Bring the index in step with the disk, waiting for a build for as long as the limits allow.

        Raises:
            UnderPressure: Nothing is indexed yet and memory is critical.
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        started = self._clock()
        self._refreshes += 1
        if self._state is None or self._directory.has_news():
            self._adopt()
        walk = self._current_walk(deadline, started)
        left_s = min(self._limits.build_wait_s, deadline.remaining_s - _RESERVE_S)
        for _ in range(_MAX_ROUNDS):
            deadline.check()
            state = self._state or self._adopt()
            plan = self._plan(state, walk, started)
            if not len(plan.stale) and not len(plan.racy) and not len(plan.gone):
                break
            if len(plan.stale) <= self._limits.inline_files and self._index_inline(state, walk, plan, deadline):
                continue
            if len(plan.gone):
                self._commit(lambda base, gone=plan.gone: base.updated({}, {}, gone, started))
            if not self._wait_for_build(state, walk, plan, deadline, progress, started + left_s):
                break
        state = self._state or self._adopt()
        self._flush_if_large(state)
        self._coverage = self._coverage_of(state, walk, self._plan(state, walk, started))
        return Fresh(state, self._coverage)

    def _current_walk(self, deadline: Deadline, started: float) -> Walk:
        """Walk again unless walking is dear and the last walk is young; then only the known files are looked at."""
        last = self._walk
        if last is not None and self._walk_cost_s > self._limits.cheap_walk_s:
            pause = max(self._limits.walk_every_s, 4 * self._walk_cost_s)
            if started - last.finished < pause:
                return last
        result = self._workspace.walk(deadline=deadline)
        files, is_whole = _within(result.files, self._limits.max_text_bytes)
        finished = self._clock()
        walk = Walk(
            files, WalkTable.from_files(files), result.is_complete and is_whole, max(result.seen, len(result.files)), finished
        )
        self._walk, self._walk_cost_s = walk, finished - started
        return walk

    def _plan(self, state: IndexState, walk: Walk, started: float) -> SweepPlan:
        plan = state.catalog.plan(walk.table, started=started)
        if walk.is_complete or not len(plan.gone):
            return plan
        # A walk that was cut short proves nothing about files it did not reach.
        return SweepPlan(plan.stale, plan.racy, _NO_KEYS)

    def _index_inline(self, state: IndexState, walk: Walk, plan: SweepPlan, deadline: Deadline) -> bool:
        """Re-index the stale files within the call; False if the ledger has no room for them in the delta."""
        files: dict[int, DeltaFile] = {}
        stats: dict[int, FileRow] = {}
        gone = plan.gone.tolist()
        read_at = self._clock()
        for position in [*plan.stale.tolist(), *plan.racy.tolist()]:
            deadline.check()
            walked = walk.files[position]
            key = key_of(walked.rel)
            indexed = self._index_one(walked, state.digest_of(walked.rel))
            if indexed is None:
                gone.append(key)
            elif isinstance(indexed, FileRow):
                stats[key] = indexed
            else:
                files[key] = indexed
        self._updates += len(files)
        try:
            self._commit(lambda base: base.updated(files, stats, np.asarray(gone, np.int64), read_at))
        except NoRoom:
            return False
        return True

    def _index_one(self, walked: WalkedFile, known: bytes) -> DeltaFile | FileRow | None:
        """Read and analyse one file: a new version, the row of an unchanged one, or None if it has gone."""
        stat = _stat_of(walked)
        if walked.stat.size > MAX_FILE_BYTES:
            return _unread(walked.rel, stat, FileStatus.TOO_LARGE)
        read_ns = time.time_ns()
        try:
            source = self._workspace.read(walked.rel, deadline=Deadline(self._limits.build_wait_s))
        except LookupError:
            return None
        except SecretDenied:
            return _unread(walked.rel, stat, FileStatus.SECRET)
        except PenstockError:
            return _unread(walked.rel, stat, FileStatus.UNREADABLE)
        is_racy = source.is_changing or is_young(source.stat, read_ns, self._limits.racy_ns)
        analysis = self._analyse(walked.rel, source.data)
        row = row_of(walked.rel, source, analysis, is_racy=is_racy)
        return row if row.digest == known else DeltaFile(row, analysis)

    def _analyse(self, path: str, data: bytes) -> FileAnalysis:
        for is_parsed in (True, False):
            try:
                analysis = self._worker.call(
                    "penstock.cache.index.analyse:analyse_file",
                    self._definitions,
                    path,
                    data,
                    is_parsed,
                    timeout_s=self._limits.parse_s,
                )
            except WorkerError as error:
                _log.debug("analysis ended with %s", type(error).__name__)
                continue
            if isinstance(analysis, FileAnalysis):
                return analysis
        return FileAnalysis(FileStatus.FAILED, 0, ())

    # Builds

    def _wait_for_build(
        self, state: IndexState, walk: Walk, plan: SweepPlan, deadline: Deadline, progress: Progress, until: float
    ) -> bool:
        """Have the stale files built in the background; True once that build is over."""
        if self._pressure() >= _CRITICAL and self._builder.current is None:
            if state.n_docs:
                return False
            raise UnderPressure(
                "the workspace is not indexed yet, and memory is too short to do it now",
                why="building an index is the heaviest work there is",
                next_call="evict to_tokens=0 to make room, then repeat the search; read works meanwhile",
            )
        wanted = [WantedFile(file.rel, _stat_of(file)) for file in (walk.files[at] for at in plan.stale.tolist())]
        build = self._builder.start(wanted)
        while not build.is_finished.wait(min(0.05, max(0.001, until - self._clock()))):
            deadline.check()
            self._report(build, progress)
            if self._clock() >= until:
                return False
        return True

    @staticmethod
    def _report(build: BuildProgress, progress: Progress) -> None:
        progress(build.done, build.total, f"indexed {build.done:,} of {build.total:,} files")

    def _still_wanted(self, files: Sequence[WantedFile]) -> list[WantedFile]:
        """Return the files whose indexed version still differs: another process may have built them meanwhile."""
        state = self._state or self._adopt()
        table = WalkTable.from_files([_Walked(file.path, _AsStat(*file.stat)) for file in files])
        return [files[position] for position in state.catalog.plan(table, started=self._clock()).stale.tolist()]

    def _flush_if_large(self, state: IndexState) -> None:
        if len(state.delta.documents) > self._limits.max_delta_chunks and self._builder.current is None:
            rows = [file.row for file in state.delta.files.values()]
            self._builder.start([WantedFile(r.path, (r.inode, r.size, r.mtime_ns, r.ctime_ns)) for r in rows])

    def _live_entries(self, manifest: Manifest) -> Sequence[LiveSegmentEntry]:
        state = self._state or self._adopt()
        live = {item.segment.name: item for item in state.segments}
        entries: list[LiveSegmentEntry] = []
        for entry in manifest.segments:
            item = live.get(entry.name)
            if item is None:
                return ()
            # What only the delta holds is dead here, and comes back from the disk for whoever maps the result.
            mask = item.is_live_file
            entries.append(LiveSegmentEntry(entry, mask.tobytes(), 1.0 - float(mask.mean()) if len(mask) else 1.0))
        return entries

    # State

    def _adopt(self) -> IndexState:
        """Map what the manifest names, as far as it is not mapped yet."""
        for _ in range(3):
            manifest = self._directory.read()
            mapped = {live.segment.name: live.segment for live in self._state.segments} if self._state is not None else {}
            try:
                segments = [
                    mapped.get(entry.name) or self._open(entry.name, entry.sha256, entry.size) for entry in manifest.segments
                ]
            except FileNotFoundError:
                continue  # another process has published and swept since; read again
            except (SegmentDamaged, OSError, ValueError) as error:
                _log.warning("index on disk is not usable and is rebuilt: %s", type(error).__name__)
                return self._commit(lambda base: base.adopted((), 0))
            return self._commit(lambda base, s=segments, g=manifest.generation: base.adopted(s, g))
        return self._commit(lambda base: base.adopted((), 0))

    def _open(self, name: str, sha256: str, size: int) -> Segment:
        return open_segment(self._directory.path / name, sha256=sha256, size=size)

    def _commit(self, change: Callable[[IndexState], IndexState]) -> IndexState:
        """Swap the state for `change` of it, once its heap is charged.

        Raises:
            NoRoom: The ledger has no room for it; the old state stands.
        """
        for _ in range(_MAX_ROUNDS):
            with self._lock:
                state = change(self._state or IndexState())
                shortage = self._settle(state)
                if not shortage:
                    self._state = state
                    return state
            # Reclaimers run without the lock: they may ask this very index to unload.
            self._ledger.charge("index.tables", shortage)
            self._ledger.release("index.tables", shortage)
        raise NoRoom("the index does not fit into the memory budget", next_call="evict to_tokens=0, then repeat the search")

    def _settle(self, state: IndexState | None) -> int:
        """Charge what the state holds; return how many bytes do not fit, changing nothing then. Under the lock."""
        wanted = {"index.delta": 0, "index.tables": 0}
        if state is not None:
            wanted = {"index.delta": state.delta.nbytes, "index.tables": state.table_bytes}
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

    def unload(self) -> int:
        """Drop maps, delta and tables; the next search maps again. Return the bytes given up, mapped and heap."""
        with self._lock:
            state, self._state, self._walk = self._state, None, None
            self._settle(None)
        return 0 if state is None else state.mapped_bytes + state.table_bytes + state.delta.nbytes

    def close(self) -> None:
        """Stop a running build and drop everything."""
        self._builder.close()
        self.unload()

    @property
    def state(self) -> IndexState | None:
        """The state at this moment, None while unloaded."""
        return self._state

    def _coverage_of(self, state: IndexState, walk: Walk, plan: SweepPlan) -> Coverage:
        counts = np.bincount(state.catalog.statuses, minlength=len(FileStatus))
        skipped = {status: int(counts[status]) for status in FileStatus if counts[status] and status not in _SILENT}
        unsearched = sum(n for status, n in skipped.items() if not status.is_searchable)
        total = (walk.seen if not walk.is_complete else len(walk.files)) - unsearched
        searched = len(state.catalog) - unsearched - _stale_known(state.catalog, walk, plan)
        is_building = self._builder.current is not None
        return Coverage(max(0, searched), max(0, total), walk.is_complete, is_building, skipped)

    def statistics(self, searches: int) -> IndexStatistics:
        """Return the index at this moment."""
        state, builder = self._state or IndexState(), self._builder
        return IndexStatistics(
            files=len(state.catalog),
            chunks=state.n_docs,
            segments=len(state.segments),
            delta_chunks=len(state.delta.documents),
            generation=state.generation,
            mapped_bytes=state.mapped_bytes,
            heap_bytes=sum(self._charged.values()),
            searches=searches,
            refreshes=self._refreshes,
            updates=self._updates,
            builds=builder.builds,
            build_failures=builder.failures,
            is_loaded=self._state is not None,
            is_building=builder.current is not None,
            coverage=self._coverage,
        )


_SILENT: Final = (FileStatus.INDEXED, FileStatus.EMPTY)


@dataclass(frozen=True, slots=True)
class _AsStat:
    ino: int
    size: int
    mtime_ns: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class _Walked:
    rel: str
    stat: _AsStat


def _stat_of(walked: WalkedFile) -> Stat:
    stat = walked.stat
    return (stat.ino, stat.size, stat.mtime_ns, stat.ctime_ns)


def _unread(path: str, stat: Stat, status: FileStatus) -> DeltaFile:
    return DeltaFile(unread_row(path, stat, status), FileAnalysis(status, 0, ()))


def _within(files: Sequence[WalkedFile], max_text_bytes: int) -> tuple[Sequence[WalkedFile], bool]:
    """Return the files, in order, whose text fits; files too large to be indexed cost nothing."""
    total = 0
    for position, file in enumerate(files):
        total += file.stat.size if file.stat.size <= MAX_FILE_BYTES else 0
        if total > max_text_bytes:
            return files[:position], False
    return files, True


def _stale_known(catalog: Catalog, walk: Walk, plan: SweepPlan) -> int:
    """Count the stale files of which an older version is indexed: they are not searched either."""
    _, is_known = catalog.positions(walk.table.keys[plan.stale])
    return int(is_known.sum())


def documents_of(state: IndexState) -> Iterator[tuple[str, int, int, dict[str, int]]]:
    """Yield every live document as (path, first line, last line, terms): for tests and repairs, not for searches."""
    for live in state.segments:
        segment, order = live.segment, np.argsort(live.segment.post_doc, kind="stable")
        tfs = segment.post_tf[order]
        for doc in range(segment.n_docs):
            if live.is_live_doc is None or live.is_live_doc[doc]:
                first, last = int(segment.fwd_ptr[doc]), int(segment.fwd_ptr[doc + 1])
                terms = [segment.term(int(tid)) for tid in segment.fwd_term[first:last]]
                counts = dict(zip(terms, tfs[first:last].tolist(), strict=True))
                yield segment.path(int(segment.doc_file[doc])), int(segment.doc_start[doc]), int(segment.doc_end[doc]), counts
    for document in state.delta.documents:
        yield document.file.row.path, document.chunk.start, document.chunk.end, document.chunk.terms
