"""The index cache: what the rest of the server sees of the index. Heavy parts are imported at the first search."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..deadline import UNBOUNDED, Deadline
from ..errors import PenstockError
from ..ledger import Ledger
from ..pressure.allocator import find_malloc_trim
from ..worker import Worker
from ..workspace.files import Workspace
from ..workspace.text import decode
from .glob import path_filter
from .idle import IdleTask
from .neighbour import FileOutline, Neighbours, Ties
from .phrases import CANDIDATES, phrases_first
from .query import parse_query
from .values import DEFAULT_LIMITS, Coverage, IndexLimits, IndexStatistics, Prefer, SearchResult
from .watch import LoadWatch

if TYPE_CHECKING:
    from .engine import Fresh, IndexEngine

_IDLE_S: Final = 0.25
"""So long after the last search its scratch is given back: an assistant reads an answer for longer than that."""
_MAX_TIES: Final = 6
"""Files of one kind of neighbours that are looked at on disk and named."""
_MAX_LOOKS: Final = 3
"""A changed hit may let others in, which are looked at in turn; with writers at work that need not end."""
Progress = Callable[[int, int, str], None]
LiveDocument = tuple[str, int, int, Mapping[str, int]]
"""(path, first line, last line, token -> count)."""


def no_pressure() -> int:
    """Return NORMAL: for callers without a memory guard."""
    return 0


def no_progress(done: int, total: int, message: str) -> None:
    """Take no notice."""


class IndexCache:
    """Search over one workspace. Thread-safe; one per server process, any number per index directory."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        ledger: Ledger,
        data_dir: Path,
        worker: Worker,
        definitions: str,
        limits: IndexLimits = DEFAULT_LIMITS,
        pressure: Callable[[], int] = no_pressure,
        load_watch: LoadWatch | None = None,
    ) -> None:
        """`load_watch` is called once walking turns out to be dear: `watch.load_watch` where the settings allow it."""
        self.workspace: Final = workspace
        self._ledger = ledger
        self._data_dir = data_dir
        self._worker = worker
        self._definitions = definitions
        self.limits: Final = limits
        self._pressure = pressure
        self._load_watch = load_watch
        self._lock = threading.Lock()
        self._engine: IndexEngine | None = None
        self._searches = 0
        # What a search allocates is free after it, but glibc keeps the pages: 1 MB in each server, and more in large workspaces.
        self._idle = IdleTask(find_malloc_trim() or no_pressure, _IDLE_S)

    def __repr__(self) -> str:
        return f"<IndexCache {self.resident_bytes} bytes resident>"

    def search(
        self,
        query: str,
        *,
        k: int = 10,
        path_glob: str | None = None,
        prefer: Prefer = Prefer.SOURCE,
        deadline: Deadline | None = None,
        progress: Progress = no_progress,
    ) -> SearchResult:
        """Rank the chunks of the workspace as it is now.

        Raises:
            InvalidArgument: The query holds nothing to search for.
            UnderPressure: Nothing is indexed yet and memory is critical.
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        try:
            return self._searched(query, k, path_filter(path_glob or ""), prefer, deadline or Deadline(UNBOUNDED), progress)
        finally:
            self._idle.touch()

    def _searched(
        self,
        query: str,
        k: int,
        accepts: Callable[[str], bool] | None,
        prefer: Prefer,
        deadline: Deadline,
        progress: Progress,
    ) -> SearchResult:
        from .searching import search

        parsed = parse_query(query)
        fresh = self.engine.refresh(deadline, progress, parsed.weights)
        self._searches += 1
        wanted = max(k, CANDIDATES) if parsed.phrases else k
        result = search(fresh.state, parsed, fresh.coverage, k=wanted, accepts=accepts, prefer=prefer)
        fresh.state.release_pages(self.limits.kept_map_bytes)
        for _ in range(_MAX_LOOKS if fresh.coverage.age_s or not fresh.coverage.is_complete else 0):
            # The walk is older than this call, or not all that it found is indexed: hits are compared with the disk now.
            state, unsure = self.engine.spot.look([hit.path for hit in result.hits], deadline)
            if state is fresh.state and not unsure:
                break
            fresh = replace(fresh, state=state)
            result = search(fresh.state, parsed, fresh.coverage, k=wanted, accepts=accepts, prefer=prefer)
            result = replace(result, hits=[hit for hit in result.hits if hit.path not in unsure])
        if not parsed.phrases:
            return result

        def text_of(path: str) -> str:
            deadline.check()
            try:
                return decode(self.workspace.read(path, deadline=deadline).data).text
            except PenstockError:
                return ""  # gone or refused since it was indexed: it holds nothing then

        return replace(result, hits=phrases_first(result.hits, parsed.phrases, text_of)[:k])

    def refresh(self, deadline: Deadline | None = None, progress: Progress = no_progress) -> Coverage:
        """Bring the index in step with the disk and say how much of it is indexed."""
        return self._refreshed(deadline or Deadline(UNBOUNDED), progress).coverage

    def _refreshed(self, deadline: Deadline, progress: Progress) -> "Fresh":
        return self.engine.refresh(deadline, progress)

    def neighbours(self, file: FileOutline, deadline: Deadline) -> Neighbours | None:
        """Return the files that a file is tied to, as last indexed; None if no index is loaded.

        Cheap: nothing is built, walked or mapped for it. The files named are on disk as they were indexed, others are left out.

        Raises:
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        state = None if self._engine is None else self._engine.holder.state
        if state is None or not state.n_docs:
            return None
        from .neighbours import neighbours_of
        from .sources import Sources
        from .version import VersionCheck

        version = VersionCheck(self.workspace, state, deadline)

        def standing(ties: Ties) -> Ties:
            first = tuple(one for one in ties.files[:_MAX_TIES] if version.is_current(one.path))
            return replace(ties, files=first, more=max(0, len(ties.files) - _MAX_TIES))

        found = neighbours_of(Sources.of(state), file, deadline.check)
        ways = (found.imports, found.imported_by, found.called_by)
        return Neighbours(*map(standing, ways), is_whole=self.engine.coverage.is_complete)

    def live_documents(self) -> list[LiveDocument]:
        """Return every live document in the order in which `bm25` scores them: for tests and checks."""
        from .documents import documents_of

        state = self.engine.holder.state
        return [] if state is None else list(documents_of(state))

    def bm25(self, tokens: Sequence[str]) -> list[float]:
        """Return BM25Okapi's score of every live document for a tokenised query, repeats counted."""
        from .searching import raw_scores

        state = self.engine.holder.state
        return [] if state is None else raw_scores(state, tokens)

    def unload(self) -> int:
        """Drop maps, delta and tables and return their bytes; the next search maps and re-reads what is needed."""
        return 0 if self._engine is None else self._engine.unload()

    def release_pages(self) -> None:
        """Let go of the mapped pages but not of the maps: a gentle `unload`, which costs the next search milliseconds."""
        state = None if self._engine is None else self._engine.holder.state
        if state is not None:
            state.release_pages()

    def close(self) -> None:
        """Stop a running build and drop everything."""
        self._idle.close()
        if self._engine is not None:
            self._engine.close()

    @property
    def mapped_bytes(self) -> int:
        """Bytes of mapped files: page cache that the system takes back by itself; not charged to the ledger."""
        state = None if self._engine is None else self._engine.holder.state
        return 0 if state is None else state.mapped_bytes

    @property
    def resident_bytes(self) -> int:
        """Mapped bytes and charged heap together: what `unload` gives back at most."""
        state = None if self._engine is None else self._engine.holder.state
        return 0 if state is None else state.resident_bytes

    def statistics(self) -> IndexStatistics:
        """Return the index at this moment."""
        return self.engine.statistics(self._searches)

    @property
    def engine(self) -> "IndexEngine":
        """The engine, made at its first use."""
        engine = self._engine
        if engine is None:
            from .engine import IndexEngine

            with self._lock:
                if self._engine is None:
                    self._engine = IndexEngine(
                        self.workspace,
                        self._ledger,
                        self._data_dir,
                        self._worker,
                        self._definitions,
                        limits=self.limits,
                        pressure=self._pressure,
                        load_watch=self._load_watch,
                    )
                engine = self._engine
        return engine
