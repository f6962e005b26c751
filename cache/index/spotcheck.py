"""Comparing single files with the disk, between two walks: hits before they are shown, and files of which a change was heard."""

import math
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from ..deadline import Deadline
from ..errors import Busy, NoRoom, PenstockError
from ..workspace.files import Workspace
from ..workspace.table import FileTable
from .catalog import WalkTable, key_of
from .holder import StateHolder
from .inline import InlineIndexer
from .state import IndexState
from .sweep import Walk
from .watch import ChangeWatcher

MAX_CHANGES: Final = 200
"""Files of which a change was heard are compared within a call, 60 µs each; more are left to a walk and the builder."""
_CATCH_UP_S: Final = 1.0
"""So long a search re-indexes those that differ; the others wait for the next one."""


class SpotCheck:
    """Compares files by name and re-indexes those that differ. Thread-safe."""

    def __init__(
        self, workspace: Workspace, holder: StateHolder, inline: InlineIndexer, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._workspace = workspace
        self._holder = holder
        self._inline = inline
        self._clock = clock

    def look(self, paths: Sequence[str], deadline: Deadline, until: float = math.inf) -> tuple[IndexState, frozenset[str]]:
        """Compare files with the disk and index those that differ; return the state, and which could not be indexed.

        What is not done at `until` stays as it is.

        Raises:
            Busy: The worker has no place.
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        state, started = self._holder.current(), self._clock()
        table, gone = FileTable(), list[int]()
        for path in paths:
            deadline.check()
            try:
                _, _, found = self._workspace.stat(path)
            except PenstockError:
                gone.append(key_of(path))
                continue
            if stat.S_ISREG(found.mode):
                table.add_stat(path, found)
            else:
                gone.append(key_of(path))
        walk = Walk(table, WalkTable.from_files(table), False, len(table), started)
        plan = replace(state.catalog.plan(walk.table, started=started), gone=np.asarray(gone, np.int64))
        if not len(plan.stale) and not len(plan.racy) and not gone:
            return state, frozenset()
        try:
            self._inline.index(state, walk, plan, deadline, until)
        except NoRoom:
            return self._holder.current(), frozenset(table.path(at) for at in plan.stale.tolist())
        return self._holder.current(), frozenset()

    def catch_up(self, changes: ChangeWatcher, asked: float, deadline: Deadline, *, is_building: bool) -> bool:
        """Compare the indexed files that were heard to change before `asked`; whether they are too many for that.

        Files that are not indexed are left to the walks, or kept while a build may bring in an older version of them.

        Raises:
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        heard = changes.take(asked)
        if not heard:
            return False
        keys = np.fromiter(map(key_of, heard), np.int64, len(heard))
        _, is_known = self._holder.current().catalog.positions(keys)
        known = [path for path, known in zip(heard, is_known.tolist(), strict=True) if known]
        kept = [path for path, known in zip(heard, is_known.tolist(), strict=True) if is_building and not known]
        kept = known[MAX_CHANGES:] + kept
        now, until = known[:MAX_CHANGES], self._clock() + min(_CATCH_UP_S, deadline.remaining_s / 4)
        is_done = False
        try:
            _, failed = self.look(now, deadline, until)
            is_done = not failed and self._clock() < until
        except Busy:
            pass  # the worker has no place now
        finally:
            changes.put_back(kept if is_done else now + kept)
        return len(known) > MAX_CHANGES
