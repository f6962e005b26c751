"""Walking the workspace for the index: when to walk, and what of the walk may be indexed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..deadline import Deadline
from ..workspace.files import Workspace
from ..workspace.values import WalkedFile
from .catalog import WalkTable
from .chunk import MAX_FILE_BYTES
from .values import IndexLimits


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk of the workspace, cut to what may be indexed."""

    files: Sequence[WalkedFile]
    """All of the walk; the table holds the first of them, which may be indexed."""
    table: WalkTable
    is_complete: bool
    total: int
    """Files of the workspace; a floor if the walk is not complete."""


class Sweeper:
    """Walks before every search while walking is cheap, else as often as its cost allows."""

    def __init__(self, workspace: Workspace, limits: IndexLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._workspace = workspace
        self._limits = limits
        self._clock = clock
        self._cost_s = 0.0
        self._began: float | None = None
        self.walks = 0

    @property
    def age_s(self) -> float:
        """Seconds since the last walk began."""
        return 0.0 if self._began is None else self._clock() - self._began

    def is_due(self) -> bool:
        """Whether the next search has to walk: always, unless a walk is dear and the last one young."""
        if self._began is None or self._cost_s <= self._limits.cheap_walk_s:
            return True
        return self.age_s >= max(self._limits.walk_every_s, 4 * self._cost_s)

    def forget(self) -> None:
        """Have the next search walk, whatever it costs."""
        self._began = None

    def walk(self, deadline: Deadline) -> Walk:
        """Walk now.

        Raises:
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        began = self._clock()
        result = self._workspace.walk(deadline=deadline)
        table = WalkTable.from_files(result.files)
        fitting = files_within(table, self._limits.max_text_bytes)
        is_whole = fitting == len(table.keys)
        total = len(table.keys) if result.is_complete else max(result.seen, len(table.keys))
        walk = Walk(result.files, table.first(fitting), result.is_complete and is_whole, total)
        self._began, self._cost_s = began, self._clock() - began
        self.walks += 1
        return walk


def files_within(table: WalkTable, max_text_bytes: int) -> int:
    """Return how many files, in order, have text that fits; files too large to be indexed cost nothing. Pure."""
    sizes = table.stats[:, 1]
    total = np.cumsum(np.where(sizes <= MAX_FILE_BYTES, sizes, 0))
    return int(np.searchsorted(total, max_text_bytes, side="right"))
