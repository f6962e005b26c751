"""Whether the indexed version of a file is the one on disk, for a few files that an answer is about to name."""

import hashlib

import numpy as np

from ..deadline import Deadline
from ..errors import PenstockError
from ..workspace.files import Workspace
from ..workspace.table import FileTable
from .catalog import WalkTable
from .state import IndexState


class VersionCheck:
    """Compares files with one state; each is looked at once."""

    def __init__(self, workspace: Workspace, state: IndexState, deadline: Deadline) -> None:
        self._workspace = workspace
        self._state = state
        self._deadline = deadline
        self._seen: dict[str, bool] = {}

    def is_current(self, path: str) -> bool:
        """Whether a file is on disk as it was indexed.

        Raises:
            DeadlineExceeded, CallCancelled: From the deadline.
        """
        found = self._seen.get(path)
        if found is None:
            self._deadline.check()
            found = self._seen[path] = self._looked_at(path)
        return found

    def _looked_at(self, path: str) -> bool:
        table = FileTable()
        try:
            table.add_stat(path, self._workspace.stat(path)[2])
            plan = self._state.catalog.plan(WalkTable.from_files(table), started=np.inf)
            if not len(plan.racy):
                return not len(plan.stale)
            # Its time stamps cannot tell two versions apart.
            data = self._workspace.read(path, deadline=self._deadline).data
        except PenstockError:
            return False
        return hashlib.sha256(data).digest().startswith(self._state.digest_of(path))
