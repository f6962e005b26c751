"""One child of the worker: a spawned interpreter, its limits, the frames between it and its parent, and how its calls fail.

What comes back is unpickled with this package's classes and plain builtins only: a parser that was taken over cannot name
others.
"""

import contextlib
import io
import os
import pickle
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final

from .errors import RetryableError

RESULT, EVENT, ERROR = range(3)
_HEADER: Final = struct.Struct(">BQ")
_MAX_FRAME_BYTES: Final = 256 * 1024 * 1024
_SAFE_BUILTINS: Final = frozenset({"set", "frozenset", "complex", "slice", "range", "bytearray"})
_TICK_S: Final = 0.05
_CHILD_MODULE: Final = f"{__package__}.worker_child"


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
    retire_bytes: int = 384 * 1024 * 1024
    """A child that occupies more after a call is replaced: a parse that is ended early leaves its stacks behind."""
    max_children: int = 3
    """Two lanes of an index build, and one for what calls need meanwhile."""
    wait_s: float = 30.0
    """How long a call waits for a free child before it is refused."""
    niceness: int = 5
    """Of children that do background work: an index build must not slow the machine down, nor the calls beside it."""

    def __post_init__(self) -> None:
        for name in ("memory_bytes", "max_calls", "retire_bytes", "max_children", "wait_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


class ChildProcess:
    """One spawned interpreter and its two pipes."""

    def __init__(self, limits: WorkerLimits, *, is_background: bool) -> None:
        niceness = limits.niceness if is_background else 0
        command = [sys.executable, "-P", "-m", _CHILD_MODULE, str(limits.memory_bytes), str(niceness)]
        # "/" so that no workspace is held busy, and so that nothing in it can be imported.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PurePath(sys.executable).anchor or None, bufsize=0
        )
        self.calls = 0
        self.is_background: Final = is_background

    def send(self, payload: bytes) -> None:
        """Write one frame.

        Raises:
            OSError: The child is gone.
        """
        assert self.process.stdin is not None
        view = memoryview(_HEADER.pack(RESULT, len(payload)) + payload)
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

    def is_worn(self, limits: WorkerLimits) -> bool:
        """Whether it has served or grown enough to be replaced."""
        return self.calls >= limits.max_calls or _rss_bytes(self.process.pid) > limits.retire_bytes

    def kill(self) -> None:
        """End the child now and reap it."""
        with contextlib.suppress(OSError):
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.process.wait()


def _rss_bytes(pid: int) -> int:
    """Return the resident set size of a child, 0 if it is gone; after every call, so psutil is asked only without /proc."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError):
        import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


class _PlainUnpickler(pickle.Unpickler):
    """Builds plain values and this package's classes only."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:  # the base class says Any
        package = __name__.partition(".")[0]
        if module_name.startswith(package + ".") or (module_name == "builtins" and global_name in _SAFE_BUILTINS):
            return super().find_class(module_name, global_name)
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is not a value")


def load_plain(payload: bytes) -> object:
    """Unpickle what a child has sent.

    Raises:
        WorkerCrashed: It is no pickle of plain values.
    """
    try:
        return _PlainUnpickler(io.BytesIO(payload)).load()
    except Exception as error:  # boundary: whatever a damaged pickle raises, the child is not to be trusted any more
        raise WorkerCrashed("the helper process sent nonsense") from error
