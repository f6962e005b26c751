"""Which folders of a workspace to watch. Pure."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sweep import Walk


def newest_by_folder(walk: "Walk") -> dict[str, int]:
    """Return, for each folder that holds files of a walk, when the latest of them was changed."""
    newest: dict[str, int] = {}
    path_of = walk.files.path
    for at, mtime in enumerate(walk.table.stats[:, 2].tolist()):
        folder = path_of(at).rpartition("/")[0]
        if newest.get(folder, -1) < mtime:
            newest[folder] = mtime
    return newest


def plan_folders(newest: Mapping[str, int], limit: int) -> frozenset[str]:
    """Choose at most `limit` folders, with those above them: where files were changed last, changes go on.

    The root's own name is empty. Folders under another root, and names that are no Unicode, are left out.
    """
    chosen: set[str] = set()
    for folder in sorted(newest, key=lambda folder: (-newest[folder], folder)):
        if os.path.isabs(folder) or any("\ud800" <= char <= "\udfff" for char in folder):
            continue
        wanted = _with_those_above(folder) - chosen
        if len(chosen) + len(wanted) > limit:
            break
        chosen |= wanted
    return frozenset(chosen)


def _with_those_above(folder: str) -> set[str]:
    found = {folder}
    while folder:
        folder = folder.rpartition("/")[0]
        found.add(folder)
    return found
