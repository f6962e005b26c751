"""What a walk has found so far: the files it keeps, what it left out and why, and whether it may go on."""

import os
import stat
from collections import Counter
from collections.abc import Callable

from ..deadline import Clock, Deadline
from .secrets import SecretRule
from .table import FileTable
from .values import SkipReason, WorkspaceLimits

_CHECK_EVERY = 256
_AHEAD_BYTES = 512 * _CHECK_EVERY
"""Five times what the files between two checks usually take."""
_REGULAR = stat.S_IFREG


class WalkCollector:
    """The state of one walk. One thread."""

    def __init__(
        self,
        secrets: SecretRule,
        limits: WorkspaceLimits,
        clock: Clock,
        deadline: Deadline,
        cover: Callable[[int], None] | None = None,
    ) -> None:
        """`cover` charges the bytes that the table may grow to before the next check."""
        self._denies_name = secrets.denies_name
        self._max_files = limits.max_walk_files
        self._clock = clock
        self._end = clock() + limits.max_walk_s
        self._deadline = deadline
        self._cover = cover
        self.table = FileTable()
        self.skipped: Counter[str] = Counter()
        self.seen = 0
        self.is_complete = True
        self.is_over = False
        """A cap was met: nothing more is taken."""

    def take(self, prefix: str, rel: str, status: os.stat_result) -> None:
        """Judge one object that is not a folder: keep it, or count why not. `rel` is its real path below its root."""
        self.seen += 1
        if not self.seen % _CHECK_EVERY:
            self.check()
        kind = stat.S_IFMT(status.st_mode)
        if kind != _REGULAR:
            self.skip(SkipReason.SYMLINK if kind == stat.S_IFLNK else SkipReason.SPECIAL)
        elif self._denies_name(rel):
            self.skip(SkipReason.SECRET)
        elif len(self.table) >= self._max_files:
            self.stop()
        else:
            self.table.add(prefix + rel if prefix else rel, status)

    def skip(self, reason: SkipReason) -> None:
        """Count something that is left out."""
        self.skipped[reason.value] += 1

    def lose(self, reason: SkipReason) -> None:
        """Count a folder that is left out with everything in it: the result is no longer everything."""
        self.skip(reason)
        self.is_complete = False

    def stop(self) -> None:
        """Take nothing more."""
        self.is_over = True
        self.is_complete = False

    def check(self) -> None:
        """Notice that the walk's time is over.

        Raises:
            DeadlineExceeded, CallCancelled: The call's time is.
            NoRoom: The table does not fit into the memory budget.
        """
        self._deadline.check()
        if self._cover is not None and len(self.table) >= _CHECK_EVERY:  # a small walk asks for no room
            self._cover(self.table.nbytes + _AHEAD_BYTES)
        if self._clock() >= self._end:
            self.stop()

    @property
    def deadline(self) -> Deadline:
        """The call's deadline."""
        return self._deadline
