"""Killable child processes for work that hostile input can make hang, crash or grow: parsing, chunking, index builds.

A call names a function by its dotted name ("package.module:function") and plain values; it runs in a spawned Python that
has its own memory limit (RLIMIT_DATA) and is killed when it is silent for too long. One crash loses one call: the next one
gets a fresh child. A generator function streams what it yields, and each yield restarts the clock. A child whose parent has
died ends at the end of its input, or by its own alarm when it is stuck in native code, where no Python thread would run.
"""

import logging
import pickle
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Final, cast

from .errors import Busy
from .worker_process import ERROR, EVENT, RESULT, ChildProcess, load_plain
from .worker_process import WorkerCrashed as WorkerCrashed
from .worker_process import WorkerError as WorkerError
from .worker_process import WorkerFailed as WorkerFailed
from .worker_process import WorkerLimits as WorkerLimits
from .worker_process import WorkerTimeout as WorkerTimeout

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerStatistics:
    """What the children did so far."""

    calls: int
    spawned: int
    crashes: int
    timeouts: int
    failures: int
    live: int


class Worker:
    """A small pool of killable children. Thread-safe; children are spawned on demand and reused."""

    def __init__(self, limits: WorkerLimits | None = None) -> None:
        self.limits: Final = limits or WorkerLimits()
        self._condition = threading.Condition()
        self._idle: list[ChildProcess] = []
        self._live: set[ChildProcess] = set()
        self._starting = 0
        self._is_closed = False
        self._counts = {"calls": 0, "spawned": 0, "crashes": 0, "timeouts": 0, "failures": 0}

    def __repr__(self) -> str:
        return f"<Worker {len(self._live)}/{self.limits.max_children} children>"

    def call(
        self,
        target: str,
        *args: object,
        timeout_s: float,
        is_stopped: Callable[[], None] | None = None,
        is_background: bool = False,
    ) -> object:
        """Run `target(*args)` in a child and return its result.

        `is_stopped` is called every 50 ms while waiting; what it raises kills the child and goes up.

        Raises:
            WorkerTimeout: It took longer than `timeout_s`; the child was killed.
            WorkerCrashed: The child died.
            WorkerFailed: The function raised.
            Busy: No child came free in time, or the worker is closed.
        """
        *_, (_, result) = self._frames(target, args, timeout_s, is_stopped, is_background=is_background)
        return result

    def stream(
        self,
        target: str,
        *args: object,
        silence_s: float,
        is_stopped: Callable[[], None] | None = None,
        is_background: bool = False,
    ) -> Generator[object]:
        """Run the generator function `target` in a child and yield what it yields; each item restarts the clock.

        Raises:
            WorkerError: As `call`, with `silence_s` between two items.
        """
        for kind, value in self._frames(target, args, silence_s, is_stopped, is_background=is_background):
            if kind == EVENT:
                yield value

    def close(self) -> None:
        """Kill every child; later calls are refused."""
        with self._condition:
            self._is_closed = True
            children = list(self._live)
            self._condition.notify_all()
        for child in children:
            self._drop(child)

    def trim(self, *, is_background: bool | None = None) -> int:
        """End the idle children, or those of one kind, and return how many there were; they are spawned again on demand."""
        with self._condition:
            idle = [child for child in self._idle if is_background in (None, child.is_background)]
            self._idle = [child for child in self._idle if child not in idle]
        for child in idle:
            self._drop(child)
        return len(idle)

    def statistics(self) -> WorkerStatistics:
        """Return the counters at this moment."""
        with self._condition:
            return WorkerStatistics(live=len(self._live), **self._counts)

    def _frames(
        self,
        target: str,
        args: tuple[object, ...],
        timeout_s: float,
        is_stopped: Callable[[], None] | None,
        *,
        is_background: bool,
    ) -> Iterator[tuple[int, object]]:
        request = pickle.dumps((target, args, timeout_s), protocol=5)
        child = self._take(is_background=is_background)
        is_clean = False
        try:
            try:
                child.send(request)
            except OSError as error:
                raise WorkerCrashed("the helper process died") from error
            while True:
                kind, payload = child.receive(timeout_s, is_stopped)
                value = load_plain(payload)
                if kind == ERROR:
                    name, text = cast("tuple[str, str]", value)
                    is_clean = name != "MemoryError"
                    raise WorkerFailed(name, text)
                if kind == RESULT:
                    is_clean = True
                    yield kind, value
                    return
                yield kind, value
        except WorkerError as error:
            self._count_error(error)
            raise
        finally:
            self._give_back(child, is_clean=is_clean)

    def _count_error(self, error: WorkerError) -> None:
        kind = "timeouts" if isinstance(error, WorkerTimeout) else "failures" if isinstance(error, WorkerFailed) else "crashes"
        with self._condition:
            self._counts[kind] += 1
        _log.debug("worker call ended with %s", type(error).__name__)

    def _take(self, *, is_background: bool) -> ChildProcess:
        """Return an idle child or a new one, waiting for a place if there is none.

        Raises:
            Busy: No place came free, or the worker is closed.
            WorkerCrashed: No process could be started.
        """
        with self._condition:
            self._counts["calls"] += 1
            self._condition.wait_for(self._has_place, self.limits.wait_s)
            if self._is_closed:
                raise Busy("the helper processes are shut down", why="the server is ending")
            for child in reversed(self._idle):
                if child.is_background == is_background:
                    self._idle.remove(child)
                    return child
            if not self._has_place():
                raise Busy("every helper process is at work", next_call="repeat the call in a few seconds")
            # An idle child of the other kind gives its place up.
            is_full = len(self._live) + self._starting >= self.limits.max_children
            spare = self._idle.pop(0) if is_full else None
            self._starting += 1
        if spare is not None:
            self._drop(spare)
        return self._spawn(is_background=is_background)

    def _has_place(self) -> bool:
        return self._is_closed or bool(self._idle) or len(self._live) + self._starting < self.limits.max_children

    def _spawn(self, *, is_background: bool) -> ChildProcess:
        """Start a child in the place that was taken for it; no lock is held while the system does that."""
        try:
            child = ChildProcess(self.limits, is_background=is_background)
        except OSError as error:
            with self._condition:
                self._starting -= 1
                self._condition.notify()
            raise WorkerCrashed("no helper process could be started", why=error.strerror or "") from error
        with self._condition:
            self._starting -= 1
            self._live.add(child)
            self._counts["spawned"] += 1
        return child

    def _give_back(self, child: ChildProcess, *, is_clean: bool) -> None:
        child.calls += 1
        is_kept = is_clean and not child.is_worn(self.limits)
        with self._condition:
            if is_kept and not self._is_closed:
                self._idle.append(child)
                self._condition.notify()
                return
        self._drop(child)

    def _drop(self, child: ChildProcess) -> None:
        child.kill()
        with self._condition:
            self._live.discard(child)
            if child in self._idle:
                self._idle.remove(child)
            self._condition.notify()
