"""Building in the background: stale files -> segments, one builder per workspace across processes.

The thread holds the build lock of the index directory for as long as it writes. Batches run in two lanes, each batch one job of
the worker and one published segment, so searches see files as they come in; small segments are merged when there are many, and
at the end.
"""

import itertools
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from ..errors import PenstockError
from ..pressure.allocator import Allocator
from ..worker import Worker, WorkerError, WorkerTimeout
from .build import SegmentWritten, WantedFile
from .buildplan import MERGE_AT, BatchQueue, LiveSegmentEntry, WantedFiles, has_many_small, is_long, plan_merge, with_merged
from .lane import BuildFailed, BuildLane, BuildSource
from .manifest import IndexDirectory, Manifest, SegmentEntry
from .values import IndexLimits

_LOCK_POLL_S: Final = 0.2
_LOCK_WAIT_S: Final = 600.0
_MERGE_S: Final = 300.0
_HARD: Final = 3
_TELLING_FILES: Final = 200
_TELLING_S: Final = 3.0
"""After so many files or seconds a build's rate is known well enough to tell how long the rest takes."""
_MERGE: Final = f"{__package__}.build:merge_segments"

_log = logging.getLogger(__name__)


class BuildProgress:
    """How far the build is; written by its threads, read by searches."""

    def __init__(self, total: int, *, is_long: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self.total = total
        self.is_long: Final = is_long
        """It will take much longer than anybody waits."""
        self.done = 0
        self.has_failed = False
        self.is_elsewhere = False
        """Another process holds the build lock."""
        self.is_indexed: Final = threading.Event()
        """Set when every file is in a published segment; merging may go on."""
        self.is_finished: Final = threading.Event()
        self._lock = threading.Lock()

    @property
    def expected_s(self) -> float | None:
        """Seconds until every file is dealt with, at the rate so far; None while too few are done to tell.

        Nothing is known of the rate of another process: what it builds is worth waiting for unless it is long.
        """
        if self.is_elsewhere:
            return math.inf if self.is_long else 0.0
        done, elapsed = self.done, 0.0 if self._began is None else self._clock() - self._began
        is_telling = elapsed > 0 and (done >= _TELLING_FILES or elapsed >= _TELLING_S)
        return elapsed * (self.total - done) / max(1, done) if is_telling else None

    def advance(self, files: int) -> None:
        """Count files that are dealt with."""
        with self._lock:
            self._began = self._began or self._clock()
            self.done = min(self.total, self.done + files)


@dataclass(frozen=True, slots=True)
class _Job:
    """What a lane makes one segment of: files, or segments."""

    target: Path
    batch: list[WantedFile] = field(default_factory=list[WantedFile])
    sources: Sequence[LiveSegmentEntry] = ()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(one.entry.name for one in self.sources)


class Builder:
    """Runs one build at a time in a daemon thread."""

    def __init__(
        self,
        worker: Worker,
        directory: IndexDirectory,
        source: BuildSource,
        *,
        limits: IndexLimits,
        adopt: Callable[[], object],
        still_wanted: Callable[[WantedFiles], WantedFiles],
        live_entries: Callable[[Manifest], Sequence[LiveSegmentEntry]],
        pressure: Callable[[], int],
    ) -> None:
        self._worker = worker
        self._directory = directory
        self._limits = limits
        self._adopt = adopt
        self._still_wanted = still_wanted
        self._live_entries = live_entries
        self._pressure = pressure
        self._lock = threading.Lock()
        self._current: BuildProgress | None = None
        self._is_closed = threading.Event()
        self._allocator = Allocator()
        self._lane = BuildLane(worker, source, limits, self._is_closed)
        self.builds = 0
        self.failures = 0

    @property
    def current(self) -> BuildProgress | None:
        """The running build, if any."""
        return self._current

    def start(self, files: WantedFiles, *, is_flush: bool = False) -> BuildProgress:
        """Start a build of `files`, or return the one that is running; a flush builds files that are indexed already."""
        with self._lock:
            if self._current is not None:
                return self._current
            progress = self._current = BuildProgress(len(files), is_long=is_long(files, self._limits))
        # Handed over in a list, which the thread empties: an argument would live as long as the thread does.
        threading.Thread(target=self._run, args=([files], progress), kwargs={"is_flush": is_flush}, daemon=True).start()
        return progress

    def close(self) -> None:
        """Stop the running build; its lock is freed when its threads notice, within 50 ms."""
        self._is_closed.set()
        current = self._current
        if current is not None:
            current.is_finished.wait(5.0)

    def _run(self, files: list[WantedFiles], progress: BuildProgress, *, is_flush: bool) -> None:
        try:
            self._build_alone(files.pop(), progress, is_flush=is_flush)
        except (BuildFailed, PenstockError, OSError, ValueError) as error:  # disk full, worker gone: searches go on without
            self.failures += 1
            progress.has_failed = True
            if not self._is_closed.is_set():
                _log.warning("index build stopped: %s", error if isinstance(error, BuildFailed) else type(error).__name__)
        finally:
            # The lanes have grown by what they built, up to 300 MB each, and the next build may be days away.
            self._worker.trim(is_background=True)
            with self._lock:
                self._current = None
            # So has this process, by the segments that came and went and by what searches kept of each.
            self._allocator.release()
            progress.is_indexed.set()
            progress.is_finished.set()

    def _build_alone(self, files: WantedFiles, progress: BuildProgress, *, is_flush: bool) -> None:
        end = time.monotonic() + _LOCK_WAIT_S
        self._directory.create()
        while (lock := self._directory.try_lock()) is None:
            progress.is_elsewhere = True
            # Another process builds: its segments come in as it publishes them.
            if self._directory.has_news():
                self._adopt()
            if self._is_closed.wait(_LOCK_POLL_S) or time.monotonic() > end:
                return
        progress.is_elsewhere = False
        try:
            self._directory.remove_parts()
            if self._directory.has_news():
                self._adopt()
            manifest = self._build(files if is_flush else self._still_wanted(files), progress)
            progress.is_indexed.set()
            if self._pressure() < _HARD and not self._is_closed.is_set():
                job = self._planned_merge(manifest, self._directory.new_segment(manifest.generation + 1, 0))
                if job.sources:
                    self._publish(manifest, job, self._merge(job))
        finally:
            lock.release()

    def _build(self, files: WantedFiles, progress: BuildProgress) -> Manifest:
        self.builds += bool(files)
        progress.total, manifest = len(files), self._directory.read()
        if len(self._live_entries(manifest)) < len(manifest.segments):
            manifest = Manifest(manifest.generation)  # damaged on disk: start over
        queue, numbers, base = BatchQueue(files, self._limits), itertools.count(), manifest.generation + 1
        running: dict[Future[SegmentWritten], _Job] = {}
        can_merge = True
        with ThreadPoolExecutor(self._limits.build_lanes, thread_name_prefix="index-lane") as pool:
            while (queue or running) and not self._is_closed.is_set():
                is_short = self._pressure() >= _HARD
                is_merging = any(job.sources for job in running.values())
                if can_merge and not is_merging and not is_short and has_many_small(manifest.segments, MERGE_AT):
                    job = self._planned_merge(manifest, self._directory.new_segment(base, next(numbers)))
                    running |= {pool.submit(self._merge, job): job} if job.sources else {}
                while queue and len(running) < (1 if is_short else self._limits.build_lanes):
                    job = _Job(self._directory.new_segment(base, next(numbers)), queue.take(is_halved=is_short))
                    running[pool.submit(self._lane.write, job.batch, job.target, progress.advance)] = job
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    job = running.pop(future)
                    if job.sources and isinstance(future.exception(), WorkerError):
                        can_merge = False  # the files come first
                        continue
                    written = future.result()
                    manifest = self._publish(manifest, job, written)
                    queue.give_back(job.batch[max(1, written.taken) :])
        return manifest

    def _publish(self, manifest: Manifest, job: "_Job", written: SegmentWritten) -> Manifest:
        entries = manifest.segments
        if written.n_files:
            entry = SegmentEntry(self._directory.finish(job.target), written.sha256, written.size)
            entries = with_merged(entries, job.names, entry) if job.sources else [*entries, entry]
            manifest = self._directory.write(entries, manifest.generation + 1)
            self._adopt()
        return manifest

    def _planned_merge(self, manifest: Manifest, target: Path) -> "_Job":
        return _Job(target, sources=plan_merge(self._live_entries(manifest), self._limits.max_segments))

    def _merge(self, job: "_Job") -> SegmentWritten:
        sources = tuple(
            (str(self._directory.path / one.entry.name), one.entry.sha256, one.entry.size, one.mask) for one in job.sources
        )
        written = self._worker.call(
            _MERGE, sources, str(job.target), timeout_s=_MERGE_S, is_stopped=self._check_open, is_background=True
        )
        return cast("SegmentWritten", written)

    def _check_open(self) -> None:
        if self._is_closed.is_set():
            raise WorkerTimeout("the server is ending")
