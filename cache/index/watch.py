"""Hearing of changes between two walks, where `watchfiles` is installed and walking is dear.

What is heard only invalidates: files that the index knows are compared with the disk again. It proves nothing fresh, replaces no
walk and brings no file into the index, so whatever is lost, late or made up costs time and never truth. On Linux the folders of
indexed files are watched one by one: a recursive watch would follow links out of the workspace, spend the user's inotify watches
on what is ignored, and hold the interpreter lock for as long as a walk (230 ms with 5,000 folders, against 43 ms).
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import NoRoom
from ..ledger import Ledger
from .folders import newest_by_folder, plan_folders
from .values import WatchStatistics

if TYPE_CHECKING:
    from .sweep import Walk

Changes = AbstractSet[tuple[int, str]]
"""What happened, as `watchfiles.Change` numbers it, and the path."""
Watch = Callable[..., Generator[Changes, None, None]]
"""`watchfiles.watch`."""
LoadWatch = Callable[[], Watch | None]
"""Imports it; None if it is not installed."""
ACCOUNT: Final = "index.watch"
ARRIVAL_S: Final = 0.05
"""A change that was made just before a search is heard of within that time, mostly."""
MAX_PATHS: Final = 10_000
MAX_FOLDERS: Final = 8_000
"""Starting to watch holds the interpreter lock for 9 µs a folder."""
_PATH_BYTES: Final = 200
_DEBOUNCE_MS: Final = 50
_STEP_MS: Final = 15
_TIMEOUT_MS: Final = 200
"""How often the thread looks whether there are other folders to watch."""
_MODIFIED: Final = 2
_MAX_STARTS: Final = 3
"""Folders may go between being looked at and being watched."""
_JOIN_S: Final = 1.0
_KERNEL_LIMIT: Final = Path("/proc/sys/fs/inotify/max_user_watches")
_HAS_TREES: Final = ("darwin", "win32")
"""Where the system itself watches whole trees."""
_log = logging.getLogger(__name__)


def load_watch() -> Watch | None:
    """Import `watchfiles`; None if it is not installed."""
    try:
        from watchfiles import watch
    except ImportError:
        return None
    return watch


class ChangeWatcher:
    """Collects the paths under a root that have changed, in a thread that starts with the first `follow`. Thread-safe."""

    def __init__(
        self,
        root: Path,
        ledger: Ledger,
        load: LoadWatch | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_paths: int = MAX_PATHS,
        max_folders: int = MAX_FOLDERS,
        platform: str = sys.platform,
    ) -> None:
        """`load` is called in the thread; without it nothing is ever watched."""
        self._root: Final = os.path.realpath(root)
        self._ledger = ledger
        self._load = load
        self._clock = clock
        self._max_paths: Final = max_paths
        self._max_folders: Final = max_folders
        self._has_trees: Final = platform in _HAS_TREES
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._followed = 0
        self._next: Walk | None = None
        self._folders: frozenset[str] = frozenset()
        self._paths: dict[str, None] = {}
        """Changed paths, the latest last."""
        self._is_up = self._is_behind = self._is_full = False
        self._left_out = self._heard = self._overflows = 0
        self._notice = ""

    def __repr__(self) -> str:
        return f"<ChangeWatcher {len(self._folders)} folders, {len(self._paths)} changed paths>"

    def follow(self, walk: "Walk") -> None:
        """Watch the folders of a walk's files from now on. Returns at once; does nothing if they are the same files as before."""
        if self._load is None:
            return
        followed = hash(walk.table.keys.tobytes())
        with self._lock:
            if self._notice or self._is_closed.is_set() or followed == self._followed:
                return
            self._followed, self._next = followed, walk
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="index-watch", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no room for a thread: a later walk tries again
            self._forget_thread()

    def take(self, asked: float) -> list[str]:
        """Return the paths that have changed, latest first, once those of the time `asked` have had time to arrive."""
        if not self._is_up:
            return []
        self._is_closed.wait(max(0.0, asked + ARRIVAL_S - self._clock()))
        with self._lock:
            paths, self._paths = self._paths, {}
        return list(reversed(paths))

    def put_back(self, paths: Iterable[str]) -> None:
        """Keep paths for the next `take`: they are earlier than what has arrived meanwhile."""
        with self._lock:
            if not self._is_full:
                self._paths = dict.fromkeys(reversed(list(paths))) | self._paths
                self._bound()

    def take_behind(self) -> bool:
        """Whether changes may have been missed since this was last asked, so that a walk is due."""
        with self._lock:
            is_behind, self._is_behind, self._is_full = self._is_behind, False, False
        return is_behind

    def close(self) -> None:
        """End the thread."""
        self._is_closed.set()
        thread = self._thread
        if thread is not None and thread.is_alive():
            thread.join(_JOIN_S)

    def statistics(self) -> WatchStatistics:
        """Return what is watched now, and what was heard so far."""
        with self._lock:
            return WatchStatistics(
                self._is_up,
                len(self._folders),
                self._left_out,
                len(self._paths),
                self._heard,
                self._overflows,
                self._notice,
            )

    def _run(self) -> None:
        notice = ""
        try:
            watch = self._load() if self._load else None
            if watch is None:
                notice = "watchfiles is not installed"
                return
            with self._ledger.borrow(ACCOUNT, (self._max_paths + self._max_folders) * _PATH_BYTES):
                self._listen(watch)
        except NoRoom:
            _log.debug("no room to watch the workspace; a later walk tries again")
        except Exception as error:  # the boundary: whatever ends the watching, searches go on without it
            notice = f"{type(error).__name__}: watching has ended"
            _log.warning("the workspace is not watched any more: %s", type(error).__name__)
        finally:
            self._notice = notice
            self._forget_thread()

    def _forget_thread(self) -> None:
        with self._lock:
            self._thread, self._next, self._folders, self._followed = None, None, frozenset(), 0
            self._paths, self._is_up = {}, False

    def _listen(self, watch: Watch) -> None:
        failures = 0
        self._is_renewed()
        while not self._is_closed.is_set():
            places = self._places()
            if not places:
                raise FileNotFoundError(self._root)
            try:
                with closing(self._batches(watch, places)) as batches:
                    for changes in batches:
                        failures = 0
                        self._hear(changes)
                        if self._next is not None and self._is_renewed():
                            break
                    else:
                        return  # closed, or ended by itself: a later walk starts it again
            except FileNotFoundError:
                failures += 1
                if failures == _MAX_STARTS:
                    raise

    def _batches(self, watch: Watch, places: Sequence[str]) -> Generator[Changes, None, None]:
        self._is_up = False
        return watch(
            *places,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=self._is_closed,
            rust_timeout=_TIMEOUT_MS,
            yield_on_timeout=True,
            debug=False,
            raise_interrupt=False,
            force_polling=False,
            recursive=self._has_trees,
            ignore_permission_denied=True,
        )

    def _is_renewed(self) -> bool:
        """Take the folders of the walk over that was followed last; whether some of them are not watched yet."""
        with self._lock:
            walk, self._next = self._next, None
        if walk is None or self._has_trees:
            return False
        newest = newest_by_folder(walk)
        folders = plan_folders(newest, min(self._max_folders, _kernel_share()))
        is_new = not folders <= self._folders
        if is_new:
            with self._lock:
                self._folders, self._left_out = folders, len(newest.keys() - folders)
        return is_new

    def _places(self) -> list[str]:
        """Return what to watch, of what there still is."""
        wanted = [self._root] if self._has_trees else [os.path.join(self._root, folder) for folder in self._folders]
        return [place for place in wanted if os.path.isdir(place)]

    def _hear(self, changes: Changes) -> None:
        paths: list[str] = []
        is_behind = False
        # Once they are too many they are not even named until a walk is made.
        for kind, path in () if self._is_full else changes:
            if not path.startswith(self._root):
                continue
            rel = path[len(self._root) :].replace(os.sep, "/").strip("/")
            # What comes, goes or moves with a folder is told by no event of its own.
            is_behind |= kind != _MODIFIED and (rel in self._folders or os.path.isdir(path))
            paths.append(rel)
        with self._lock:
            self._heard += len(changes)
            # Nobody has heard what changed between the walk and now.
            self._is_behind |= is_behind or not self._is_up
            self._is_up = True
            for rel in paths:
                self._paths.pop(rel, None)
                self._paths[rel] = None
            self._bound()

    def _bound(self) -> None:
        """Leave changes to a walk that are too many. Under the lock."""
        if len(self._paths) > self._max_paths:
            self._paths = {}
            self._is_behind = self._is_full = True
            self._overflows += 1


def _kernel_share() -> int:
    """Return how many folders may be watched: other programs of the user need watches, too."""
    try:
        return int(_KERNEL_LIMIT.read_text()) // 4
    except (OSError, ValueError):
        return MAX_FOLDERS
