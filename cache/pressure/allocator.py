"""Giving freed memory back to the operating system.

Files of about 1 MB in a dozen threads are what glibc's defaults keep longest: each thread gets an arena of its own, and the size
from which a block is a map of its own, which goes back when it is freed, rises with the blocks that are freed. With the same
code, bounding both took one mixed run from 274 to 212 MB, so `bound_heap` fixes both at start-up.

Python frees into glibc's arenas, which keep the pages: after dropping an index RSS stays at 50 to 85 % until
`malloc_trim`. Both steps cost 10 to 90 ms, so they are taken at most every 30 s unless the caller insists. musl,
macOS and Windows have no malloc_trim; there only the garbage collector runs. An urgent release lets go of library code, too.
"""

import ctypes
import gc
import threading
import time
from collections.abc import Callable
from typing import Final

from ..deadline import Clock
from .library_pages import release_library_pages

MIN_INTERVAL_S: Final = 30.0
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""mallopt(3), glibc's malloc.h."""
_HEAP_SETTINGS: Final = (
    (_M_ARENA_MAX, 2),
    (_M_MMAP_THRESHOLD, 128 * 1024),
    (_M_TRIM_THRESHOLD, 256 * 1024),
)
"""Python's lock lets one thread allocate at a time, so two arenas are enough. The columns that a query scores, a number for each
file, stay below the second number in most workspaces and are not mapped anew each time; cached files, walks and what is summed
over a vocabulary are above it."""


def find_malloc_trim(load: Callable[[None], ctypes.CDLL] = ctypes.CDLL) -> Callable[[], object] | None:
    """Return glibc's malloc_trim(0), or None where there is none."""
    try:
        trim = load(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # TypeError: Windows takes no None
        return None
    trim.argtypes = [ctypes.c_size_t]
    trim.restype = ctypes.c_int
    return lambda: trim(0)


def bound_heap(load: Callable[[None], ctypes.CDLL] = ctypes.CDLL) -> bool:
    """Have glibc keep few arenas and give large blocks back when they are freed; False where there is no mallopt."""
    try:
        set_option = load(None).mallopt
    except (AttributeError, OSError, TypeError):  # as above
        return False
    set_option.argtypes, set_option.restype = [ctypes.c_int, ctypes.c_int], ctypes.c_int
    refused = [name for name, value in _HEAP_SETTINGS if not set_option(name, value)]
    return not refused


def keep_modules() -> None:
    """Leave what was imported since the start to itself, as `gc.freeze` at the start did with what was there by then.

    A full collection walks every object that is not frozen, holding Python's lock: 80 ms for the modules of a server.
    Does nothing in a process that did not begin with `gc.freeze`.
    """
    if gc.get_freeze_count():
        gc.freeze()


class Allocator:
    """Releases memory now and then. Thread-safe."""

    def __init__(
        self,
        *,
        clock: Clock = time.monotonic,
        min_interval_s: float = MIN_INTERVAL_S,
        trim: Callable[[], object] | None = None,
        release_libraries: Callable[[], object] = release_library_pages,
    ) -> None:
        self._clock: Final = clock
        self._min_interval_s: Final = min_interval_s
        self._trim: Final = find_malloc_trim() if trim is None else trim
        self._release_libraries: Final = release_libraries
        self._lock: Final = threading.Lock()
        self._last_s = float("-inf")
        self._releases = 0

    @property
    def has_trim(self) -> bool:
        """Whether freed pages can be given back at all."""
        return self._trim is not None

    def release(self, *, is_urgent: bool = False) -> bool:
        """Collect garbage and trim the heap, unless that was done less than the interval ago; return whether it was done."""
        now = self._clock()
        with self._lock:
            if not is_urgent and now - self._last_s < self._min_interval_s:
                return False
            self._last_s = now
            self._releases += 1
        gc.collect()
        if self._trim is not None:
            self._trim()
        if is_urgent:
            self._release_libraries()
        return True

    def statistics(self) -> int:
        """Return how often memory was released."""
        return self._releases
