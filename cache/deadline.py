"""Deadlines for work that runs in threads.

Long loops call `Deadline.check()` every few milliseconds; that is how a thread notices that its time is
over or that the client has cancelled. The clock is an argument, so tests need no waiting.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from .errors import CallCancelled, DeadlineExceeded

Clock = Callable[[], float]
"""Monotonic seconds."""


class Deadline:
    """A point in time after which, or a cancellation upon which, `check` raises. Thread-safe."""

    def __init__(self, seconds: float, *, clock: Clock = time.monotonic) -> None:
        if seconds <= 0:
            raise ValueError(f"seconds must be > 0, got {seconds}")
        self.seconds: Final = seconds
        self._clock = clock
        self._end = clock() + seconds
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Make every later `check` raise `CallCancelled`."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether the client has given up on the call."""
        return self._cancelled.is_set()

    @property
    def remaining_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - self._clock())

    def check(self) -> None:
        """Return if there is time left.

        Raises:
            CallCancelled: The client has cancelled.
            DeadlineExceeded: The time is over.
        """
        if self._cancelled.is_set():
            raise CallCancelled("the call was cancelled")
        if self._clock() >= self._end:
            raise DeadlineExceeded(
                f"the call took longer than its {self.seconds:g} s",
                why="it was stopped so that other calls go on",
                next_call="repeat it for a smaller part: fewer paths, a range, a narrower query or a smaller budget",
            )


UNBOUNDED: Final = 365 * 86400.0
"""Seconds for callers without a client: tests, the command line."""
