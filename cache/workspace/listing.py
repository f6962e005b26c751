"""One level of a directory, and a directory's tree from a walk."""

import heapq
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ..deadline import Deadline
from .folder import Folder
from .ignore import VCS_FOLDERS, IgnoreRules
from .secrets import SecretRule
from .values import DirEntry, DirListing, EntryKind, SkipReason, WalkedFile

_CHECK_EVERY: Final = 1024


class LevelListing:
    """Lists one folder: the first names after a given one, whatever the folder holds, in flat memory."""

    def __init__(self, folder: Folder, rel: str, rules: IgnoreRules, secrets: SecretRule, deadline: Deadline) -> None:
        self._folder = folder
        self._rel = rel
        self._rules = rules
        self._secrets = secrets
        self._deadline = deadline
        self._skipped: Counter[str] = Counter()
        self._seen = 0

    def run(self, shown: str, *, after: str, max_entries: int) -> DirListing:
        """List the first `max_entries` names that sort after `after`.

        Raises:
            OSError: The folder cannot be read.
            DeadlineExceeded, CallCancelled: The call's time is over.
        """
        # One more than wanted tells whether there are more.
        names = heapq.nsmallest(max_entries + 1, self._names(after))
        prefix = "" if shown == "." else f"{shown.rstrip('/')}/"
        entries = [entry for name in names[:max_entries] if (entry := self._entry(prefix, name)) is not None]
        return DirListing(
            shown, tuple(entries), len(names) <= max_entries, self._seen, MappingProxyType(dict(sorted(self._skipped.items())))
        )

    def _names(self, after: str) -> Iterator[str]:
        with os.scandir(self._folder.at) as entries:
            for entry in entries:
                self._seen += 1
                if not self._seen % _CHECK_EVERY:
                    self._deadline.check()
                name = entry.name
                if name <= after or name in VCS_FOLDERS:
                    continue
                path = f"{self._rel}/{name}" if self._rel else name
                is_dir = entry.is_dir(follow_symlinks=False)
                if self._rules.ignores(path, is_dir=is_dir):
                    continue
                if not is_dir and self._secrets.denies_name(path):
                    self._skipped[SkipReason.SECRET.value] += 1
                    continue
                yield name

    def _entry(self, prefix: str, name: str) -> DirEntry | None:
        try:
            status = self._folder.stat(name)
        except OSError:
            self._skipped[SkipReason.VANISHED.value] += 1
            return None
        return DirEntry(prefix + name, _kind_of(status.st_mode), status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A file, or a folder with what is below it added up."""

    rel: str
    depth: int
    """0 for what stands directly in the folder asked for."""
    is_dir: bool
    files: int
    """Files below; 1 for a file."""
    size: int
    """Bytes, of all files below."""
    mtime_ns: int
    """Newest, of all files below."""


def plan_tree(files: Sequence[WalkedFile], under: str = "", *, max_depth: int = 64) -> list[TreeNode]:
    """Lay out walked files as a tree in pre-order, folders down to `max_depth` levels; what is deeper is only added up. Pure.

    `under` is the display path of the folder that was walked, empty or `.` for the first root. The order is that of the paths'
    components, so a folder comes directly before what it holds.
    """
    base = "" if under in ("", ".") else f"{under.rstrip('/')}/"
    sums: dict[str, list[int]] = {}
    leaves: list[TreeNode] = []
    for file in files:
        if not file.rel.startswith(base):
            continue
        below = file.rel[len(base) :]
        depth = below.count("/")
        stat_of = file.stat
        if depth < max_depth:
            leaves.append(TreeNode(file.rel, depth, False, 1, stat_of.size, stat_of.mtime_ns))
        at = below.find("/")
        while at >= 0:
            total = sums.setdefault(below[:at], [0, 0, 0])
            total[0] += 1
            total[1] += stat_of.size
            total[2] = max(total[2], stat_of.mtime_ns)
            at = below.find("/", at + 1)
    folders = [
        TreeNode(base + folder, folder.count("/"), True, count, size, mtime)
        for folder, (count, size, mtime) in sums.items()
        if folder.count("/") < max_depth
    ]
    return sorted([*leaves, *folders], key=lambda node: node.rel.split("/"))


def _kind_of(mode: int) -> EntryKind:
    if stat.S_ISREG(mode):
        return EntryKind.FILE
    if stat.S_ISDIR(mode):
        return EntryKind.DIRECTORY
    return EntryKind.SYMLINK if stat.S_ISLNK(mode) else EntryKind.SPECIAL
