"""One lane of a build: a job in the worker, repeated without the files that break it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ..worker import Worker, WorkerCrashed, WorkerFailed, WorkerTimeout
from ..workspace.files import WorkspaceLimits
from ..workspace.secrets import SecretRule
from .build import BuildJob, FileStarted, SegmentWritten, WantedFile
from .values import IndexLimits

_SILENCE_S: Final = 120.0
"""Writing the largest segment takes a few seconds; this is for a disk that hangs."""
_WALL_FACTOR: Final = 10
"""A file may wait that much longer than its processor time allows: the machine may be busy, its disk slow."""
_MAX_CULPRITS: Final = 40
_BUILD: Final = f"{__package__}.build:build_segment"


class BuildFailed(Exception):
    """The worker could not write a segment; searches go on over what there is."""


@dataclass(frozen=True, slots=True)
class BuildSource:
    """What the child needs to know of the workspace."""

    roots: tuple[str, ...]
    limits: WorkspaceLimits
    secrets: SecretRule
    definitions: str


class BuildLane:
    """Writes segments. Thread-safe: lanes of one build share it."""

    def __init__(self, worker: Worker, source: BuildSource, limits: IndexLimits, is_closed: threading.Event) -> None:
        self._worker = worker
        self._source = source
        self._limits = limits
        self._is_closed = is_closed

    def write(self, batch: list[WantedFile], target: Path, advance: Callable[[int], None]) -> SegmentWritten:
        """Write one segment of the files of `batch`; `advance` is told how many more files are dealt with.

        Raises:
            BuildFailed: No segment can be written, or the builder is closed.
        """
        source, reached = self._source, 0
        for _ in range(_MAX_CULPRITS):
            target.unlink(missing_ok=True)
            job = BuildJob(
                source.roots, source.limits, source.secrets, source.definitions, str(target), tuple(batch), self._limits.racy_ns
            )
            watch = FileWatch(self._limits.parse_s, self._is_closed)
            try:
                for event in self._worker.stream(_BUILD, job, silence_s=_SILENCE_S, is_stopped=watch.check, is_background=True):
                    if isinstance(event, SegmentWritten):
                        advance(max(0, event.taken - reached))
                        return event
                    watch.begin(event if isinstance(event, FileStarted) else None)
                    advance(max(0, watch.position - reached))
                    reached = max(reached, watch.position)
            except (WorkerTimeout, WorkerCrashed, WorkerFailed) as error:
                if self._is_closed.is_set() or watch.position < 0:
                    raise BuildFailed(error.kind if isinstance(error, WorkerFailed) else type(error).__name__) from error
                culprit = batch[watch.position]
                batch[watch.position] = replace(culprit, is_parsed=False, is_read=culprit.is_parsed)
        raise BuildFailed("too many files break the parser")


class FileWatch:
    """Raises when one file has been under way for too long, or the builder is closed.

    Time is the child's processor time, so that a busy machine makes no file look guilty, with a generous bound on wall time.
    """

    def __init__(self, limit_s: float, is_closed: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._is_closed = is_closed
        self._clock = clock
        self._file: FileStarted | None = None
        self._since = clock()

    @property
    def position(self) -> int:
        """The file under way, -1 if there is none."""
        return -1 if self._file is None else self._file.position

    def begin(self, file: FileStarted | None) -> None:
        """Note which file of the batch the child has begun with."""
        self._file = file
        self._since = self._clock()

    def check(self) -> None:
        """Raise WorkerTimeout if the file at hand is over its time, or the builder is closed."""
        if self._is_closed.is_set():
            raise WorkerTimeout("the server is ending")
        elapsed = self._clock() - self._since
        if self._file is None or elapsed <= self._limit_s:
            return
        if elapsed > self._limit_s * _WALL_FACTOR or _cpu_s(self._file.pid) - self._file.cpu_s > self._limit_s:
            raise WorkerTimeout("one file took too long")


def _cpu_s(pid: int) -> float:
    """Return the processor seconds of a child; infinite if it is gone."""
    import psutil

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return float("inf")
    return times.user + times.system
