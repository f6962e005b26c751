"""The workspace: the one door to the files under the roots, for reads, windows, stats, listings and walks."""

import stat
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..borrowing import Loan
from ..deadline import UNBOUNDED, Clock, Deadline
from ..errors import PathNotFound
from ..ledger import Ledger
from .collector import WalkCollector
from .denial import denial_of
from .folder import Folder
from .gitfiles import GitFiles
from .jail import Jail, JailStatistics
from .listing import LevelListing
from .paths import collapse, display_of
from .ranges import LineRange
from .reading import ACCOUNT, FileReader, WallClock, read_at
from .scanner import BLOCK_BYTES
from .secrets import SNIFF_BYTES, SecretRule
from .text import SNIFF_BYTES as TEXT_SNIFF_BYTES
from .text import check_text, encoding_of, is_binary
from .values import DirListing, SourceFile, WalkResult, Window, WorkspaceLimits
from .values import FileKey as FileKey
from .values import FileStat as FileStat
from .walk import Walker
from .window import WindowReader

WALKS: Final = "walks"
"""The ledger's account of file tables while they grow."""


@dataclass(frozen=True, slots=True)
class WorkspaceStatistics:
    """Counts since the start."""

    reads: int
    read_bytes: int
    windows: int
    walks: int
    changing: int
    """Reads that met a writer at work."""
    jail: JailStatistics


class Workspace:
    """Files under fixed roots, opened through the jail and judged by what was opened. Thread-safe."""

    def __init__(
        self,
        roots: Sequence[Path],
        *,
        ledger: Ledger,
        limits: WorkspaceLimits | None = None,
        secrets: SecretRule | None = None,
        clock: Clock = time.monotonic,
        wall_clock: WallClock | None = None,
        jail: Jail | None = None,
        git: GitFiles | None = None,
    ) -> None:
        """Hold `roots` open. Without `git`, the one on the PATH is used; `GitFiles(None, {})` lists files without git.

        Raises:
            ValueError: There is no root, or one of them is not a directory.
        """
        self.limits: Final = limits or WorkspaceLimits()
        self.secrets: Final = secrets or SecretRule()
        self.jail: Final = jail or Jail(roots)
        self._ledger = ledger
        self._reader = FileReader(ledger, self.limits, self.secrets, wall_clock or WallClock())
        self._git: Final = git or GitFiles.find(roots)
        self._walker = Walker(self.jail, self.secrets, self.limits, self._git, clock)
        self._lock = threading.Lock()
        self._reads = self._read_bytes = self._windows = self._walks = self._changing = 0

    def __repr__(self) -> str:
        return f"<Workspace {self.jail!r}>"

    @property
    def roots(self) -> tuple[Path, ...]:
        """The roots as typed, made absolute."""
        return tuple(Path(root.typed) for root in self.jail.roots)

    @property
    def root(self) -> Path:
        """The first root, which relative paths are under."""
        return self.roots[0]

    def close(self) -> None:
        """Give the roots back."""
        self.jail.close()

    def relative(self, path: str) -> str:
        """Return the display path of a typed path, by its spelling alone.

        Raises:
            InvalidPath, OutsideWorkspace: As `Jail.parse`.
        """
        request = self.jail.parse(path)
        return display_of(collapse(request.parts), self.jail.roots[request.root], request.root)

    def read(self, path: str, *, deadline: Deadline | None = None) -> SourceFile:
        """Read a whole regular file of at most `limits.max_file_bytes`.

        Raises:
            FileTooLarge: `read_window` reads ranges of it.
            SecretDenied, NoRoom, and those of `Jail.open_file`.
        """
        with self.jail.open_file(path) as opened:
            source = self._reader.read(opened, deadline or Deadline(UNBOUNDED))
        with self._lock:
            self._reads += 1
            self._read_bytes += len(source.data)
            self._changing += source.is_changing
        return source

    def read_window(self, path: str, ranges: Sequence[LineRange], *, max_bytes: int, deadline: Deadline | None = None) -> Window:
        """Read lines of a text file of any size, at most `max_bytes` of them, in flat memory.

        Raises:
            InvalidArgument: The file has none of these lines.
            BinaryFile: It holds no text.
            SecretDenied, NoRoom, and those of `Jail.open_file`.
        """
        deadline = deadline or Deadline(UNBOUNDED)
        charge = 2 * (max_bytes + BLOCK_BYTES)
        with self.jail.open_file(path) as opened, self._ledger.borrow(ACCOUNT, charge):
            head = read_at(opened, 0, max(SNIFF_BYTES, TEXT_SNIFF_BYTES))
            self.secrets.check(opened.key.path, head)
            check_text(opened.rel, head, opened.stat.size)
            encoding = encoding_of(head)
            reader = WindowReader(
                lambda offset, length: read_at(opened, offset, length),
                opened.stat.size,
                encoding,
                max_bytes=max_bytes,
                check=deadline.check,
            )
            reader.run(ranges)
        with self._lock:
            self._windows += 1
        return Window(
            opened.rel,
            opened.key,
            opened.stat,
            tuple(reader.parts),
            encoding,
            reader.total_lines,
            reader.next_lines,
            reader.is_complete,
        )

    def holds_text(self, path: str) -> bool:
        """Say whether the first bytes of a regular file are text.

        Raises:
            SecretDenied, and those of `Jail.open_file`.
        """
        with self.jail.open_file(path) as opened:
            head = read_at(opened, 0, max(SNIFF_BYTES, TEXT_SNIFF_BYTES))
            self.secrets.check(opened.key.path, head)
            return not is_binary(head)

    def stat(self, path: str) -> tuple[str, FileKey, FileStat]:
        """Return display path, identity and stat of an object of any type, through the jail.

        Raises:
            SecretDenied: By its name. Others as `Jail.open_any`.
        """
        with self.jail.open_any(path) as opened:
            if stat.S_ISREG(opened.stat.mode):
                self.secrets.check(opened.key.path)
            return opened.rel, opened.key, opened.stat

    def committed(self, path: str) -> bytes | None:
        """Return a file's bytes in the last commit; None if there is no such commit or file.

        Raises:
            InvalidPath, OutsideWorkspace: As `Jail.parse`. SecretDenied: By its name or its committed content.
        """
        request = self.jail.parse(path)
        root = self.jail.roots[request.root]
        rel = "/".join(collapse(request.parts))
        self.secrets.check(rel)
        data = self._git.committed(root.typed, rel, max_bytes=self.limits.max_file_bytes)
        if data is not None:
            self.secrets.check(rel, data[:SNIFF_BYTES])
        return data

    def is_dir(self, path: str) -> bool:
        """Whether the path is a directory; False if nothing is there.

        Raises:
            InvalidPath, OutsideWorkspace, NotARegularFile, AccessDenied, Busy: As `Jail.open_any`.
        """
        try:
            with self.jail.open_any(path) as opened:
                return stat.S_ISDIR(opened.stat.mode)
        except PathNotFound:
            return False

    def list_dir(self, path: str, *, after: str = "", deadline: Deadline | None = None) -> DirListing:
        """List one level of a directory: the first `limits.max_dir_entries` names that sort after `after`.

        Raises:
            NotARegularFile: It is no directory. Others as `Jail.open_file`.
        """
        with self.jail.open_directory(path) as opened:
            rules = self._walker.rules_for(opened)
            folder = Folder.of(opened, self.jail.roots[opened.root])
            listing = LevelListing(folder, opened.key.path, rules, self.secrets, deadline or Deadline(UNBOUNDED))
            try:
                return listing.run(opened.rel, after=after, max_entries=self.limits.max_dir_entries)
            except OSError as error:
                raise denial_of(error, opened.request) from None

    def walk(
        self, under: str = "", *, deadline: Deadline | None = None, watch: Callable[[WalkCollector], None] | None = None
    ) -> WalkResult:
        """Find the files below a folder, or below every root, that are neither ignored nor secret-like by name.

        `watch` is given what the walk collects, once, before it begins: another thread may look at it meanwhile.

        Raises:
            DeadlineExceeded: The call's own time is over; the walk's own caps only make the result incomplete.
            NotARegularFile: `under` is no directory. Others as `Jail.open_file`.
            NoRoom: What it finds does not fit into the memory budget.
        """
        with Loan(self._ledger, WALKS) as loan:
            result = self._walker.walk(under, deadline or Deadline(UNBOUNDED), watch, loan.cover)
        with self._lock:
            self._walks += 1
        return result

    def statistics(self) -> WorkspaceStatistics:
        """Return the counts at this moment."""
        with self._lock:
            return WorkspaceStatistics(
                self._reads, self._read_bytes, self._windows, self._walks, self._changing, self.jail.statistics()
            )
