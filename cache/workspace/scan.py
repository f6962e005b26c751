"""Scanning folders for files that the ignore files let through: one open folder per level, no link followed."""

import os
from collections.abc import Callable

from .collector import WalkCollector
from .folder import Folder
from .ignore import IGNORE_FILES, MAX_IGNORE_BYTES, VCS_FOLDERS, IgnoreRules, parse_ignore
from .values import SkipReason


def read_rules(folder: Folder, rel: str, rules: IgnoreRules) -> IgnoreRules:
    """Add the ignore files that stand in `folder`, whose path below the root is `rel`."""
    for name in IGNORE_FILES:
        data = folder.read(name, MAX_IGNORE_BYTES)
        if data:
            rules = rules.below(rel, parse_ignore(data))
    return rules


class FolderScan:
    """One scan into one collector."""

    def __init__(
        self, collector: WalkCollector, prefix: str, *, max_depth: int, max_names: int, is_kernel_device: Callable[[int], bool]
    ) -> None:
        self._collector = collector
        self._prefix = prefix
        self._max_depth = max_depth
        self._max_names = max_names
        self._is_kernel_device = is_kernel_device

    def scan(self, folder: Folder, rel: str, rules: IgnoreRules, depth: int = 0) -> None:
        """Take everything below `folder`, whose path below the root is `rel` and whose own rules are in `rules`."""
        for name in sorted(self._take_files(folder, rel, rules)):
            self._collector.check()
            if self._collector.is_over:
                return
            below = f"{rel}/{name}" if rel else name
            if depth + 1 >= self._max_depth:
                self._collector.lose(SkipReason.TOO_DEEP)
                continue
            try:
                child = folder.child(name)
            except OSError:
                self._collector.lose(SkipReason.UNREADABLE)
                continue
            with child:
                if self._is_kernel_device(child.device):
                    self._collector.skip(SkipReason.OTHER_DEVICE)
                else:
                    self.scan(child, below, read_rules(child, below, rules), depth + 1)

    def _take_files(self, folder: Folder, rel: str, rules: IgnoreRules) -> list[str]:
        """Take the files of one folder and return the names of the folders in it to go into."""
        folders: list[str] = []
        try:
            with os.scandir(folder.at) as entries:
                for entry in entries:
                    if self._collector.is_over:
                        break
                    self._take_entry(entry, rel, rules, folders)
        except OSError:
            self._collector.lose(SkipReason.UNREADABLE)
        return folders

    def _take_entry(self, entry: "os.DirEntry[str]", rel: str, rules: IgnoreRules, folders: list[str]) -> None:
        name = entry.name
        path = f"{rel}/{name}" if rel else name
        if name in VCS_FOLDERS:
            return
        try:
            is_dir = entry.is_dir(follow_symlinks=False)
            if rules.ignores(path, is_dir=is_dir):
                return
            if not is_dir:
                self._collector.take(self._prefix, path, entry.stat(follow_symlinks=False))
            elif len(folders) < self._max_names:
                folders.append(name)
            else:
                self._collector.stop()
        except OSError:
            self._collector.skip(SkipReason.VANISHED)
