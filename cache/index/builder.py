"""Building in the background: stale files -> segments, one builder per workspace across processes.

The thread holds the build lock of the index directory for as long as it writes. Each batch is one job of the worker and
becomes one published segment, so searches see files as they come in. A file that makes the child hang or crash is tried
again cut by lines, then given up and labelled; the batch is repeated without harm to the others.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ..errors import PenstockError
from ..worker import Worker, WorkerCrashed, WorkerFailed, WorkerTimeout
from ..workspace.files import WorkspaceLimits
from ..workspace.secrets import SecretRule
from .build import BuildJob, FileStarted, SegmentWritten, WantedFile
from .chunk import MAX_FILE_BYTES
from .manifest import IndexDirectory, Manifest, SegmentEntry
from .values import IndexLimits

_SILENCE_S: Final = 120.0
"""Writing the largest segment takes a few seconds; this is for a disk that hangs."""
_MAX_CULPRITS: Final = 40
_MERGE_BYTES: Final = 96_000_000
_MERGED_DEAD_RATIO: Final = 0.25
_LOCK_POLL_S: Final = 0.2
_LOCK_WAIT_S: Final = 600.0
_HARD: Final = 3

_log = logging.getLogger(__name__)


class BuildFailed(Exception):
    """The worker could not write a segment; searches go on over what there is."""


@dataclass(frozen=True, slots=True)
class BuildSource:
    """What the child needs to know of the workspace."""

    roots: tuple[str, ...]
    limits: WorkspaceLimits
    secrets: SecretRule
    definitions: str


@dataclass(frozen=True, slots=True)
class LiveSegmentEntry:
    """A segment of the manifest, with the mask of its live files."""

    entry: SegmentEntry
    mask: bytes
    dead_ratio: float


class BuildProgress:
    """How far the build is; written by its thread, read by searches."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.has_failed = False
        self.is_finished: Final = threading.Event()


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
        still_wanted: Callable[[Sequence[WantedFile]], list[WantedFile]],
        live_entries: Callable[[Manifest], Sequence[LiveSegmentEntry]],
        pressure: Callable[[], int],
    ) -> None:
        self._worker = worker
        self._directory = directory
        self._source = source
        self._limits = limits
        self._adopt = adopt
        self._still_wanted = still_wanted
        self._live_entries = live_entries
        self._pressure = pressure
        self._lock = threading.Lock()
        self._current: BuildProgress | None = None
        self._is_closed = threading.Event()
        self.builds = 0
        self.failures = 0

    @property
    def current(self) -> BuildProgress | None:
        """The running build, if any."""
        return self._current

    def start(self, files: Sequence[WantedFile], *, is_flush: bool = False) -> BuildProgress:
        """Start a build of `files`, or return the one that is running; a flush builds files that are indexed already."""
        with self._lock:
            if self._current is not None:
                return self._current
            progress = self._current = BuildProgress(len(files))
        threading.Thread(target=self._run, args=(list(files), progress, is_flush), name="index-build", daemon=True).start()
        return progress

    def close(self) -> None:
        """Stop the running build; its lock is freed when its thread notices, within 50 ms."""
        self._is_closed.set()
        current = self._current
        if current is not None:
            current.is_finished.wait(5.0)

    def _run(self, files: list[WantedFile], progress: BuildProgress, is_flush: bool) -> None:
        try:
            self._build_alone(files, progress, is_flush=is_flush)
        except (BuildFailed, PenstockError, OSError, ValueError) as error:  # disk full, worker gone: searches go on without
            self.failures += 1
            progress.has_failed = True
            if not self._is_closed.is_set():
                _log.warning("index build stopped: %s", error if isinstance(error, BuildFailed) else type(error).__name__)
        finally:
            with self._lock:
                self._current = None
            progress.is_finished.set()

    def _build_alone(self, files: list[WantedFile], progress: BuildProgress, *, is_flush: bool) -> None:
        end = time.monotonic() + _LOCK_WAIT_S
        self._directory.create()
        while (lock := self._directory.try_lock()) is None:
            if self._is_closed.wait(_LOCK_POLL_S) or time.monotonic() > end:
                return
            if self._directory.has_news():
                self._adopt()
        try:
            if self._directory.has_news():
                self._adopt()
            self._build(files if is_flush else self._still_wanted(files), progress)
        finally:
            lock.release()

    def _build(self, files: list[WantedFile], progress: BuildProgress) -> None:
        self.builds += 1
        progress.total, manifest = len(files), self._directory.read()
        if len(self._live_entries(manifest)) < len(manifest.segments):
            manifest = Manifest(manifest.generation)  # damaged on disk: start over
        while files and not self._is_closed.is_set():
            batch = plan_batch(files, self._limits, is_halved=self._pressure() >= _HARD)
            target = self._directory.new_segment(manifest.generation + 1, 0)
            written = self._write(batch, target, progress)
            manifest = self._publish(manifest, manifest.segments, target, written)
            del files[: max(1, written.taken)]
        if self._pressure() < _HARD and not self._is_closed.is_set():
            self._merge(manifest)

    def _publish(self, manifest: Manifest, kept: Sequence[SegmentEntry], target: Path, written: SegmentWritten) -> Manifest:
        if not written.n_files:
            return manifest
        entry = SegmentEntry(target.name, written.sha256, written.size)
        manifest = self._directory.write([*kept, entry], manifest.generation + 1)
        self._adopt()
        return manifest

    def _write(self, batch: list[WantedFile], target: Path, progress: BuildProgress) -> SegmentWritten:
        """Write one segment, setting aside the files that break the child."""
        done = progress.done
        for _ in range(_MAX_CULPRITS):
            target.unlink(missing_ok=True)
            watch = _FileWatch(self._limits.parse_s, self._is_closed)
            source = self._source
            job = BuildJob(
                source.roots, source.limits, source.secrets, source.definitions, str(target), tuple(batch), self._limits.racy_ns
            )
            try:
                for event in self._worker.stream(
                    "penstock.cache.index.build:build_segment", job, silence_s=_SILENCE_S, is_stopped=watch.check
                ):
                    if isinstance(event, SegmentWritten):
                        return event
                    if isinstance(event, FileStarted):
                        watch.begin(event.position)
                        progress.done = done + event.position
                    else:
                        watch.begin(-1)
            except (WorkerTimeout, WorkerCrashed, WorkerFailed) as error:
                if self._is_closed.is_set() or not 0 <= watch.position < len(batch):
                    raise BuildFailed(error.kind if isinstance(error, WorkerFailed) else type(error).__name__) from error
                culprit = batch[watch.position]
                batch[watch.position] = replace(culprit, is_parsed=False, is_read=culprit.is_parsed)
        raise BuildFailed("too many files break the parser")

    def _merge(self, manifest: Manifest) -> None:
        entries = self._live_entries(manifest)
        chosen = plan_merge(entries, self._limits.max_segments)
        if len(chosen) < 2 and not any(entry.dead_ratio > _MERGED_DEAD_RATIO for entry in chosen):
            return
        names = {entry.entry.name for entry in chosen}
        target = self._directory.new_segment(manifest.generation + 1, 1)
        sources = tuple((str(self._directory.path / e.entry.name), e.entry.sha256, e.entry.size, e.mask) for e in chosen)
        written = self._worker.call(
            "penstock.cache.index.build:merge_segments", sources, str(target), timeout_s=_SILENCE_S, is_stopped=self._stop
        )
        if isinstance(written, SegmentWritten):
            kept = [entry for entry in manifest.segments if entry.name not in names]
            self._publish(manifest, kept, target, written)

    def _stop(self) -> None:
        if self._is_closed.is_set():
            raise WorkerTimeout("the server is ending")


class _FileWatch:
    """Raises when one file has been under way for too long, or the builder is closed."""

    def __init__(self, limit_s: float, is_closed: threading.Event) -> None:
        self._limit_s = limit_s
        self._is_closed = is_closed
        self._since = time.monotonic()
        self.position = -1

    def begin(self, position: int) -> None:
        """Note that the child has begun with this file of the batch."""
        self.position = position
        self._since = time.monotonic()

    def check(self) -> None:
        """Raise WorkerTimeout if the file at hand is over its time."""
        if self._is_closed.is_set():
            raise WorkerTimeout("the server is ending")
        if self.position >= 0 and time.monotonic() - self._since > self._limit_s:
            raise WorkerTimeout("one file took too long")


def plan_batch(files: Sequence[WantedFile], limits: IndexLimits, *, is_halved: bool = False) -> list[WantedFile]:
    """Take the files of the next segment: bounded in number and in bytes of text. Pure."""
    share = 2 if is_halved else 1
    batch: list[WantedFile] = []
    nbytes = 0
    for file in files:
        size = file.stat[1] if file.stat[1] <= MAX_FILE_BYTES else 0
        if batch and (len(batch) >= limits.batch_files // share or nbytes + size > limits.batch_bytes // share):
            break
        batch.append(file)
        nbytes += size
    return batch


def plan_merge(entries: Sequence[LiveSegmentEntry], max_segments: int) -> list[LiveSegmentEntry]:
    """Choose segments to merge: the smallest that fit together, if there are several small ones or much is dead. Pure.

    Order is kept, for the newest copy of a file is the live one; masks make that hold across the merge.
    """
    wasted = any(entry.dead_ratio > _MERGED_DEAD_RATIO for entry in entries)
    small = sum(entry.entry.size < _MERGE_BYTES // 4 for entry in entries)
    if not wasted and len(entries) <= max_segments and small < 2:
        return []
    chosen: set[str] = set()
    room = _MERGE_BYTES
    for entry in sorted(entries, key=lambda e: e.entry.size):
        if entry.entry.size > room:
            break
        room -= entry.entry.size
        chosen.add(entry.entry.name)
    return [entry for entry in entries if entry.entry.name in chosen]
