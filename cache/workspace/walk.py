"""Finding the files of the workspace: by git in a work tree, else by scanning with the ignore files' rules.

Nothing is opened but folders and ignore files, no link is followed, and a result that is not everything says so. Memory is that
of the result (`table`), which is capped.
"""

import os
import stat
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final

from ..deadline import Clock, Deadline
from ..errors import PenstockError
from .collector import WalkCollector
from .folder import Folder
from .gitfiles import GitFiles
from .ignore import VCS_FOLDERS, IgnoreRules, default_rules
from .jail import Jail, Opened
from .scan import FolderScan, read_rules
from .secrets import SecretRule
from .values import SkipReason, WalkResult, WorkspaceLimits

_MAX_NESTED: Final = 64
"""Work trees inside a work tree that git is started for; a hostile tree could hold thousands."""
_GIT_NAMES_RATIO: Final = 2
"""Names kept of git's answer per file that the walk may take: some turn out to be deleted, links or secrets."""


class Walker:
    """Walks the folders of one jail. Thread-safe, without state."""

    def __init__(self, jail: Jail, secrets: SecretRule, limits: WorkspaceLimits, git: GitFiles, clock: Clock) -> None:
        self._jail = jail
        self._secrets = secrets
        self._limits = limits
        self._git = git
        self._clock = clock

    def walk(
        self,
        under: str,
        deadline: Deadline,
        watch: Callable[[WalkCollector], None] | None = None,
        cover: Callable[[int], None] | None = None,
    ) -> WalkResult:
        """Find the files below `under`, or below every root if it is empty; `watch` is given the state of the walk at its start.

        `cover` is told what the result may grow to, before it does.

        Raises:
            DeadlineExceeded, CallCancelled: The call's time is over.
            NoRoom: From `cover`.
            NotARegularFile: `under` is no folder. Others as `Jail.open_directory`.
        """
        collector = WalkCollector(self._secrets, self._limits, self._clock, deadline, cover)
        if watch is not None:
            watch(collector)
        is_all = under in ("", ".")
        sources: list[str] = []
        for index, start in enumerate([root.typed for root in self._jail.roots] if is_all else [under]):
            with self._jail.open_directory(start) as opened:
                if not is_all or opened.root == index:  # else it lies under another root, and is walked with that
                    sources.append(self._walk_tree(opened, collector))
        collector.table.sort()
        return WalkResult(
            collector.table,
            collector.is_complete,
            collector.seen,
            MappingProxyType(dict(sorted(collector.skipped.items()))),
            "git" if "git" in sources else "scan",
        )

    def rules_for(self, opened: Opened) -> IgnoreRules:
        """Return the ignore rules inside an opened folder, those of the folders above it included.

        A folder that is ignored itself was asked for by name: what is above it does not count then.
        """
        root = self._jail.roots[opened.root]
        parts = [part for part in opened.key.path.split("/") if part]
        rules = default_rules()
        for depth in range(len(parts) + 1):
            rel = "/".join(parts[:depth])
            if rel and rules.ignores(rel, is_dir=True):
                rules = IgnoreRules()
            try:
                with self._jail.open_directory(f"{root.typed}/{rel}") as above:
                    rules = read_rules(Folder.of(above, root), rel, rules)
            except PenstockError:  # replaced meanwhile: its rules are gone with it
                continue
        return rules

    def _walk_tree(self, opened: Opened, collector: WalkCollector) -> str:
        """Walk an opened folder and the work trees nested in it; say how the folder itself was listed."""
        root = self._jail.roots[opened.root]
        nested: list[str] = []
        source = self._walk_folder(opened, collector, nested, may_use_git=True)
        done = 0
        while nested and not collector.is_over:
            rel = nested.pop()
            done += 1
            try:
                inner = self._jail.open_directory(f"{root.typed}/{rel}")
            except PenstockError:
                collector.lose(SkipReason.UNREADABLE)
                continue
            with inner:
                if inner.root != opened.root or inner.key.path != rel:  # a link by now
                    collector.skip(SkipReason.SYMLINK)
                    continue
                has_git = os.path.lexists(f"{root.real}/{rel}/.git")
                self._walk_folder(inner, collector, nested, may_use_git=has_git and done <= _MAX_NESTED)
        return source

    def _walk_folder(self, opened: Opened, collector: WalkCollector, nested: list[str], *, may_use_git: bool) -> str:
        root = self._jail.roots[opened.root]
        rel = opened.key.path
        folder = Folder.of(opened, root)
        prefix = "" if opened.root == 0 else f"{root.typed.rstrip('/')}/"
        if may_use_git:
            room = self._limits.max_walk_files * _GIT_NAMES_RATIO
            path = f"{root.real}/{rel}" if rel else root.real
            found = self._git.list_names(path, under="", max_names=room, deadline=collector.deadline)
            # No name at all: an ignored folder of a larger work tree, which was asked for all the same.
            if found is not None and found.names:
                GitTake(folder, collector, prefix, rel, self._limits.max_depth).take(found.names, nested)
                if not found.is_complete:
                    collector.seen = max(collector.seen, found.seen)
                    collector.stop()
                return "git"
        scan = FolderScan(
            collector,
            prefix,
            max_depth=self._limits.max_depth,
            max_names=self._limits.max_walk_files,
            is_kernel_device=self._jail.is_kernel_device,
        )
        scan.scan(folder, rel, self.rules_for(opened))
        return "scan"


class GitTake:
    """Stats the names that git gave and hands them to the collector."""

    def __init__(self, folder: Folder, collector: WalkCollector, prefix: str, rel: str, max_depth: int) -> None:
        self._folder = folder
        self._collector = collector
        self._prefix = prefix
        self._base = f"{rel}/" if rel else ""
        self._max_depth = max_depth
        self._problems: dict[str, SkipReason | None] = {"": None}
        """Folder -> why nothing below it is taken."""

    def take(self, names: Sequence[bytes], nested: list[str]) -> None:
        """Take every name; folders, which are work trees of their own, are added to `nested`."""
        collector, stat_below = self._collector, self._folder.stat
        prefix, base = self._prefix, self._base
        for raw in names:
            name = os.fsdecode(raw).rstrip("/")
            problem = self._problem_of(name.rpartition("/")[0])
            if problem is not None:
                collector.skip(problem)
                continue
            try:
                status = stat_below(name)
            except OSError:  # deleted, but still in git's index
                continue
            if stat.S_ISDIR(status.st_mode):
                if name.rpartition("/")[2] not in VCS_FOLDERS:
                    nested.append(base + name)
                continue
            collector.take(prefix, base + name if base else name, status)
            if collector.is_over:
                return

    def _problem_of(self, folder: str) -> SkipReason | None:
        """Git's index may name files below what is now a link: those are not stat'ed through it."""
        if folder in self._problems:
            return self._problems[folder]
        problem = self._problem_of(folder.rpartition("/")[0])
        if problem is None:
            problem = self._own_problem(folder)
        self._problems[folder] = problem
        return problem

    def _own_problem(self, folder: str) -> SkipReason | None:
        if folder.count("/") + 1 >= self._max_depth:
            self._collector.is_complete = False
            return SkipReason.TOO_DEEP
        try:
            mode = self._folder.stat(folder).st_mode
        except OSError:
            return SkipReason.VANISHED
        return None if stat.S_ISDIR(mode) else SkipReason.SYMLINK
