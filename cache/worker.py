"""Killable child processes for work that hostile input can make hang, crash or grow: parsing, chunking, index builds.

A call names a function by its dotted name ("package.module:function") and plain values; it runs in a spawned Python that
has its own memory limit (RLIMIT_DATA) and is killed when it is silent for too long. One crash loses one call: the next one
gets a fresh child. A generator function streams what it yields, and each yield restarts the clock. A child whose parent has
died ends at the end of its input, or by its own alarm when it is stuck in native code, where no Python thread would run.
What comes back is unpickled with this package's classes and plain builtins only: a parser that was taken over cannot name
others.
"""

import contextlib
import io
import logging
import pickle
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, cast

from .errors import Busy, RetryableError

_HEADER: Final = struct.Struct(">BQ")
_RESULT, _EVENT, _ERROR = range(3)
_MAX_FRAME_BYTES: Final = 256 * 1024 * 1024
_SAFE_BUILTINS: Final = frozenset({"set", "frozenset", "complex", "slice", "range", "bytearray"})
_TICK_S: Final = 0.05

_log = logging.getLogger(__name__)


class WorkerError(RetryableError):
    """A call to the worker gave no result; the message never holds the child's own text."""

    code = "worker"


class WorkerCrashed(WorkerError):
    """The child died: a native crash, or the system took its memory away."""

    code = "worker_crashed"


class WorkerTimeout(WorkerError, TimeoutError):
    """The child was silent for longer than the call allows and was killed."""

    code = "worker_timeout"


class WorkerFailed(WorkerError):
    """The function raised; `kind` is the name of the exception's class."""

    code = "worker_failed"

    def __init__(self, kind: str, text: str) -> None:
        self.kind: Final = kind
        self.text: Final = text
        super().__init__(f"the helper process failed with {kind}", why="the input could not be handled")


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Bounds of every child."""

    memory_bytes: int = 768 * 1024 * 1024
    """RLIMIT_DATA of a child: heap and anonymous maps. File maps are not counted."""
    max_calls: int = 2_000
    """A child is replaced after so many calls, so that what a library leaks stays bounded."""
    max_children: int = 3
    """Two lanes of an index build, and one for what calls need meanwhile."""
    wait_s: float = 30.0
    """How long a call waits for a free child before it is refused."""
    niceness: int = 5
    """Of children that do background work: an index build must not slow the machine down, nor the calls beside it."""

    def __post_init__(self) -> None:
        for name in ("memory_bytes", "max_calls", "max_children", "wait_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class WorkerStatistics:
    """What the children did so far."""

    calls: int
    spawned: int
    crashes: int
    timeouts: int
    failures: int
    live: int


class _Child:
    """One spawned interpreter and its two pipes."""

    def __init__(self, limits: WorkerLimits, *, is_background: bool) -> None:
        niceness = limits.niceness if is_background else 0
        command = [sys.executable, "-P", "-m", f"{__name__}_child", str(limits.memory_bytes), str(niceness)]
        # "/" so that no workspace is held busy, and so that nothing in it can be imported.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PurePath(sys.executable).anchor or None, bufsize=0
        )
        self.calls = 0
        self.is_background: Final = is_background

    def send(self, payload: bytes) -> None:
        assert self.process.stdin is not None
        view = memoryview(_HEADER.pack(_RESULT, len(payload)) + payload)
        while view:
            view = view[self.process.stdin.write(view) or 0 :]

    def receive(self, timeout_s: float, is_stopped: Callable[[], None] | None) -> tuple[int, bytes]:
        """Return the next frame.

        Raises:
            WorkerTimeout: No complete frame within `timeout_s`.
            WorkerCrashed: The child closed its end.
        """
        end = time.monotonic() + timeout_s
        kind, length = _HEADER.unpack(self._read(_HEADER.size, end, is_stopped))
        if length > _MAX_FRAME_BYTES:
            raise WorkerCrashed("the helper process sent nonsense")
        return kind, self._read(length, end, is_stopped)

    def _read(self, size: int, end: float, is_stopped: Callable[[], None] | None) -> bytes:
        assert self.process.stdout is not None
        parts: list[bytes] = []
        while size:
            if is_stopped is not None:
                is_stopped()
            left = end - time.monotonic()
            if left <= 0:
                raise WorkerTimeout("the helper process took too long and was stopped", why="its input may be built to do that")
            ready, _, _ = select.select([self.process.stdout], [], [], min(left, _TICK_S))
            if not ready:
                continue
            data = self.process.stdout.read(min(size, 1 << 20))
            if not data:
                raise WorkerCrashed("the helper process died", why="its input may be built to do that")
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    def kill(self) -> None:
        """End the child now and reap it."""
        with contextlib.suppress(OSError):
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.process.wait()


class Worker:
    """A small pool of killable children. Thread-safe; children are spawned on demand and reused."""

    def __init__(self, limits: WorkerLimits = WorkerLimits(), *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits: Final = limits
        self._clock = clock
        self._condition = threading.Condition()
        self._idle: list[_Child] = []
        self._live: set[_Child] = set()
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
            if kind == _EVENT:
                yield value

    def close(self) -> None:
        """Kill every child; later calls are refused."""
        with self._condition:
            self._is_closed = True
            children = list(self._live)
            self._condition.notify_all()
        for child in children:
            self._drop(child)

    def trim(self) -> int:
        """End the idle children and return how many there were; they are spawned again on demand."""
        with self._condition:
            idle, self._idle = self._idle, []
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
                value = _loads(payload)
                if kind == _ERROR:
                    name, text = cast("tuple[str, str]", value)
                    is_clean = name != "MemoryError"
                    raise WorkerFailed(name, text)
                if kind == _RESULT:
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

    def _take(self, *, is_background: bool) -> _Child:
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

    def _spawn(self, *, is_background: bool) -> _Child:
        """Start a child in the place that was taken for it; no lock is held while the system does that."""
        try:
            child = _Child(self.limits, is_background=is_background)
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

    def _give_back(self, child: _Child, *, is_clean: bool) -> None:
        child.calls += 1
        with self._condition:
            if is_clean and not self._is_closed and child.calls < self.limits.max_calls:
                self._idle.append(child)
                self._condition.notify()
                return
        self._drop(child)

    def _drop(self, child: _Child) -> None:
        child.kill()
        with self._condition:
            self._live.discard(child)
            if child in self._idle:
                self._idle.remove(child)
            self._condition.notify()


class _PlainUnpickler(pickle.Unpickler):
    """Builds plain values and this package's classes only."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:  # the base class says Any
        package = __name__.partition(".")[0]
        if module_name.startswith(package + ".") or (module_name == "builtins" and global_name in _SAFE_BUILTINS):
            return super().find_class(module_name, global_name)
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is not a value")


def _loads(payload: bytes) -> object:
    try:
        return _PlainUnpickler(io.BytesIO(payload)).load()
    except Exception as error:  # boundary: whatever a damaged pickle raises, the child is not to be trusted any more
        raise WorkerCrashed("the helper process sent nonsense") from error
