"""Walking the workspace for the index: when to walk, how long to wait for it, and what of the walk may be indexed.

Where a walk is cheap every search makes its own. Elsewhere, and the first time, one thread walks for all searches: they wait a
little, then go on with what has been met so far, or with the walk before.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ..deadline import UNBOUNDED, Deadline
from ..errors import PenstockError
from ..workspace.collector import WalkCollector
from ..workspace.files import Workspace
from ..workspace.table import FileTable
from .catalog import WalkTable
from .chunk import MAX_FILE_BYTES
from .values import IndexLimits

_SLICE_S: Final = 0.05
_CANCEL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk of the workspace, cut to what may be indexed."""

    files: FileTable
    """All of the walk; the table holds the first of them, which may be indexed."""
    table: WalkTable
    is_complete: bool
    total: int
    """Files of the workspace; a floor if the walk is not complete."""
    began: float
    """Changes that were finished by then are in it."""
    is_over: bool = True
    """False for what a walk has met so far that still goes on."""


class Sweeper:
    """Walks before every search while walking is cheap, else in the background as often as its cost allows. Thread-safe."""

    def __init__(self, workspace: Workspace, limits: IndexLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._workspace = workspace
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._cost_s: float | None = None
        self._seen = 0
        self._first_began: float | None = None
        self._began: float | None = None
        self._is_forgotten = False
        self._is_hurried = False
        self._errand: WalkErrand | None = None
        self.walks = 0

    @property
    def age_s(self) -> float:
        """Seconds since the walk began that the index was last compared with; since the first one if the index was unloaded."""
        since = self._first_began if self._is_forgotten else self._began
        return 0.0 if since is None else self._clock() - since

    def take(self, deadline: Deadline) -> Walk | None:
        """Return a walk to compare the index with; None if there is none that is newer than the last one taken.

        Where walking is cheap, the walk began after the call did.

        Raises:
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        asked = self._clock()
        if self._is_cheap():
            return self._taken(self.walk(deadline))
        errand = self._running()
        if errand is None:
            return None
        wait_s = self._limits.first_walk_s if self._began is None else self._limits.walk_wait_s
        if errand.wait(wait_s, deadline):
            with self._lock:
                if self._errand is errand:
                    self._errand = None
            walk = errand.result()
            return self._taken(self.walk(deadline) if walk.began < asked and self._is_cheap() else walk)
        return self._partial(errand)

    def _is_cheap(self) -> bool:
        if self._cost_s is None:
            return False
        return self._seen <= self._limits.small_walk_files or self._cost_s <= self._limits.cheap_walk_s

    @property
    def is_dear(self) -> bool:
        """Whether searches may answer from an older walk."""
        return self._cost_s is not None and not self._is_cheap()

    def hurry(self) -> None:
        """Have the next search start a walk, unless walking would take more than half of the time."""
        with self._lock:
            self._is_hurried = True

    def forget(self) -> None:
        """Have the next search walk, or say how old the index may be: what was learned since it was built is gone."""
        with self._lock:
            self._is_forgotten = True

    def close(self) -> None:
        """Stop a walk in the background."""
        with self._lock:
            errand, self._errand = self._errand, None
        if errand is not None:
            errand.cancel()

    def walk(self, deadline: Deadline) -> Walk:
        """Walk now.

        Raises:
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        return self._walk(deadline, _no_watch)

    def _walk(self, deadline: Deadline, watch: Callable[[WalkCollector], None]) -> Walk:
        began = self._clock()
        result = self._workspace.walk(deadline=deadline, watch=watch)
        walk = self._cut(result.files, began, seen=result.seen, is_complete=result.is_complete)
        with self._lock:
            self._cost_s = self._clock() - began
            self._seen = result.seen
            self.walks += 1
        return walk

    def _cut(self, files: FileTable, began: float, *, seen: int, is_complete: bool) -> Walk:
        """Cut a walk to what may be indexed."""
        table = WalkTable.from_files(files)
        fitting = files_within(table, self._limits.max_text_bytes)
        total = len(files) if is_complete else max(seen, len(files))
        return Walk(files, table.first(fitting), is_complete and fitting == len(files), total, began)

    def _taken(self, walk: Walk) -> Walk:
        with self._lock:
            self._began = max(walk.began, self._began or walk.began)
            self._first_began = self._first_began or self._began
            self._is_forgotten = False
        return walk

    def _running(self) -> "WalkErrand | None":
        """Return the walk under way, started now if it is time for one."""
        with self._lock:
            if self._errand is None:
                cost_s = self._cost_s or 0.0
                due_s = cost_s * 2 if self._is_hurried else max(self._limits.walk_every_s, 4 * cost_s)
                if self._began is not None and not self._is_forgotten and self._clock() - self._began < due_s:
                    return None
                self._is_hurried = False
                self._errand = WalkErrand(self._walk, self._clock())
            return self._errand

    def _partial(self, errand: "WalkErrand") -> Walk | None:
        """Return what the very first walk has met so far; later ones are waited for by searches to come."""
        if self._began is not None or errand.collector is None:
            return None
        table, seen = errand.collector.table.snapshot(), errand.collector.seen
        table.sort()
        return replace(self._cut(table, errand.began, seen=seen, is_complete=False), is_over=False)


class WalkErrand:
    """One walk in a thread of its own."""

    def __init__(self, walk: Callable[[Deadline, Callable[[WalkCollector], None]], Walk], began: float) -> None:
        self.began: Final = began
        self.collector: WalkCollector | None = None
        self._deadline = Deadline(UNBOUNDED)
        self._done = threading.Event()
        self._walk: Walk | None = None
        self._error: PenstockError | None = None
        threading.Thread(target=self._run, args=(walk,), name="index-walk", daemon=True).start()

    def wait(self, seconds: float, deadline: Deadline) -> bool:
        """Wait for the end; whether it has come.

        Raises:
            DeadlineExceeded, CallCancelled: From `deadline`; the walk goes on.
        """
        end = time.monotonic() + min(seconds, deadline.remaining_s / 2)
        while not self._done.wait(_SLICE_S):
            deadline.check()
            if time.monotonic() >= end:
                return False
        return True

    def result(self) -> Walk:
        """Return the walk.

        Raises:
            PenstockError: It has failed.
        """
        if self._walk is None:
            raise self._error or PenstockError("the workspace could not be walked")
        return self._walk

    def cancel(self) -> None:
        """Have it end at its next check, and wait for that a moment: the workspace may be closed next."""
        self._deadline.cancel()
        self._done.wait(_CANCEL_S)

    def _run(self, walk: Callable[[Deadline, Callable[[WalkCollector], None]], Walk]) -> None:
        try:
            self._walk = walk(self._deadline, self._watch)
        except PenstockError as error:
            self._error = error
        except OSError:  # the workspace was closed under it
            self._error = PenstockError("the workspace could not be walked")
        finally:
            self._done.set()

    def _watch(self, collector: WalkCollector) -> None:
        self.collector = collector


def _no_watch(collector: WalkCollector) -> None:
    """Take no notice."""


def files_within(table: WalkTable, max_text_bytes: int) -> int:
    """Return how many files, in order, have text that fits; files too large to be indexed cost nothing. Pure."""
    sizes = table.stats[:, 1]
    total = np.cumsum(np.where(sizes <= MAX_FILE_BYTES, sizes, 0))
    return int(np.searchsorted(total, max_text_bytes, side="right"))
