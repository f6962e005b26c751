"""Scanning folders for files that the ignore files let through: one open folder per level, no link followed."""

import os
from collections.abc import Callable, Iterator
from typing import Final

from .collector import WalkCollector
from .folder import Folder
from .ignore import IGNORE_FILES, MAX_IGNORE_BYTES, VCS_FOLDERS, IgnoreRules, parse_ignore
from .values import SkipReason

_SORTED_ENTRIES: Final = 512


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
        for name, entry in self._entries(folder, rel, rules):
            if self._collector.is_over:
                return
            below = f"{rel}/{name}" if rel else name
            if entry is not None:
                self._take(entry, below)
                continue
            self._collector.check()
            if depth + 1 >= self._max_depth:
                self._collector.lose(SkipReason.TOO_DEEP)
            else:
                self._descend(folder, name, below, rules, depth + 1)

    def _take(self, entry: "os.DirEntry[str]", below: str) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            self._collector.skip(SkipReason.VANISHED)
            return
        self._collector.take(self._prefix, below, status)

    def _descend(self, folder: Folder, name: str, below: str, rules: IgnoreRules, depth: int) -> None:
        try:
            child = folder.child(name)
        except OSError:
            self._collector.lose(SkipReason.UNREADABLE)
            return
        with child:
            if self._is_kernel_device(child.device):
                self._collector.skip(SkipReason.OTHER_DEVICE)
            else:
                self.scan(child, below, read_rules(child, below, rules), depth)

    def _entries(self, folder: Folder, rel: str, rules: IgnoreRules) -> Iterator[tuple[str, "os.DirEntry[str] | None"]]:
        """Yield what one folder holds, in the order of the paths below it: files, and None for folders.

        Where there are more files than `_SORTED_ENTRIES`, so many at a time are in order: a folder of a million takes no memory.
        """
        folders: list[str] = []
        files: list[tuple[str, os.DirEntry[str] | None]] = []
        try:
            with os.scandir(folder.at) as entries:
                for entry in entries:
                    is_folder = self._is_folder(entry, rel, rules)
                    if is_folder is None:
                        continue
                    if not is_folder:
                        files.append((entry.name, entry))
                    elif len(folders) < self._max_names:
                        folders.append(entry.name)
                    else:
                        self._collector.stop()
                    if len(files) >= _SORTED_ENTRIES:
                        yield from sorted(files, key=_name_of)
                        files.clear()
                    if self._collector.is_over:
                        return
        except OSError:
            self._collector.lose(SkipReason.UNREADABLE)
        # "a.py" sorts before what is in "a": a folder's name ends in a slash.
        files.extend((f"{name}/", None) for name in folders)
        files.sort(key=_name_of)
        yield from ((name.rstrip("/"), entry) for name, entry in files)

    def _is_folder(self, entry: "os.DirEntry[str]", rel: str, rules: IgnoreRules) -> bool | None:
        """Whether it is a folder; None for what is ignored or gone."""
        name = entry.name
        if name in VCS_FOLDERS:
            return None
        try:
            is_dir = entry.is_dir(follow_symlinks=False)
        except OSError:
            self._collector.skip(SkipReason.VANISHED)
            return None
        return None if rules.ignores(f"{rel}/{name}" if rel else name, is_dir=is_dir) else is_dir


def _name_of(entry: "tuple[str, os.DirEntry[str] | None]") -> str:
    return entry[0]
