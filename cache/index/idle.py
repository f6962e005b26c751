"""Doing something once nobody has asked for a while, such as giving back what searches have left on the heap."""

import threading
import time
from collections.abc import Callable
from typing import Final


class IdleTask:
    """Runs `action` once, `delay_s` after the last `touch` of a burst, in a thread that ends with it. Thread-safe."""

    def __init__(self, action: Callable[[], object], delay_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._action = action
        self._delay_s: Final = delay_s
        self._clock = clock
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._touched = 0.0
        self._is_waiting = False
        self.runs = 0
        """How often it was done."""

    def touch(self) -> None:
        """Note that somebody has asked just now."""
        with self._lock:
            self._touched = self._clock()
            if self._is_waiting or self._is_closed.is_set():
                return
            self._is_waiting = True
        try:
            threading.Thread(target=self._run, name="index-idle", daemon=True).start()
        except RuntimeError:  # no room for a thread: the next burst tries again
            self._is_waiting = False

    def close(self) -> None:
        """End the wait; nothing is done any more."""
        self._is_closed.set()

    def _run(self) -> None:
        while True:
            with self._lock:
                left_s = self._touched + self._delay_s - self._clock()
                if left_s <= 0 or self._is_closed.is_set():
                    self._is_waiting = False
                    break
            self._is_closed.wait(left_s)
        if not self._is_closed.is_set():
            self._action()
            self.runs += 1
