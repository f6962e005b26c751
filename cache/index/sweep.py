"""Walking the workspace for the index: when to walk, and what of the walk may be indexed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
        files, is_whole = within_bytes(result.files, self._limits.max_text_bytes)
        walk = Walk(files, WalkTable.from_files(files), result.is_complete and is_whole, max(result.seen, len(result.files)))
        if result.is_complete:
            walk = Walk(files, walk.table, walk.is_complete, len(result.files))
        self._began, self._cost_s = began, self._clock() - began
        self.walks += 1
        return walk


def within_bytes(files: Sequence[WalkedFile], max_text_bytes: int) -> tuple[Sequence[WalkedFile], bool]:
    """Return the files, in order, whose text fits, and whether all do; files too large to be indexed cost nothing. Pure."""
    total = 0
    for position, file in enumerate(files):
        total += file.stat.size if file.stat.size <= MAX_FILE_BYTES else 0
        if total > max_text_bytes:
            return files[:position], False
    return files, True
