"""How much of the workspace a state covers. Pure."""

import numpy as np

from .catalog import SweepPlan
from .chunk import FileStatus
from .state import IndexState
from .sweep import Walk
from .values import Coverage


def unsearched_of(state: IndexState) -> dict[FileStatus, int]:
    """Count the files that are in the catalogue without text, by reason."""
    counts = np.bincount(state.catalog.statuses, minlength=len(FileStatus))
    return {status: int(counts[status]) for status in FileStatus if counts[status] and not status.is_searchable}


def skipped_of(state: IndexState) -> dict[FileStatus, int]:
    """Count the files that an answer has to speak of: without text, or cut by lines because a parser gave up."""
    unparsed = int((state.catalog.statuses == FileStatus.UNPARSED).sum())
    return unsearched_of(state) | ({FileStatus.UNPARSED: unparsed} if unparsed else {})


def coverage_of(state: IndexState, walk: Walk, plan: SweepPlan, *, is_building: bool) -> Coverage:
    """Say how much of a walk is in a state; a file of which an older version is indexed is not searched."""
    unsearched = sum(unsearched_of(state).values())
    if walk.is_complete:
        searched = len(walk.table.keys) - len(plan.stale) - unsearched
    else:
        # The index may hold files that the walk did not reach; what is shown of them is compared with the disk first.
        _, is_known = state.catalog.positions(walk.table.keys[plan.stale])
        searched = min(walk.total, len(state.catalog) - int(is_known.sum())) - unsearched
    return Coverage(
        max(0, searched),
        max(0, walk.total - unsearched),
        walk.is_complete,
        is_building,
        skipped_of(state),
        is_walking=not walk.is_over,
        capped_at=len(walk.table.keys) if walk.is_over and not walk.is_complete else 0,
    )
