"""The engine: every part of the server behind the wire, built once and handed to the tools by constructor."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..cache.borrowing import Borrowing
from ..cache.content import ContentAccessor
from ..cache.deadline import Deadline
from ..cache.epoch import EPOCH_FILE, EpochFile
from ..cache.errors import PenstockError, StoreUnavailable
from ..cache.evictor import Evictor
from ..cache.handles import HandleKind, HandleTable
from ..cache.index.cache import IndexCache
from ..cache.index.reservoir import SessionReservoir
from ..cache.index.values import IndexLimits
from ..cache.index.watch import load_watch
from ..cache.ledger import Ledger
from ..cache.payloads import PayloadStore
from ..cache.pressure.allocator import bound_heap, keep_modules
from ..cache.pressure.gauge import PressureGauge
from ..cache.pressure.guard import MemoryGuard, PollIntervals
from ..cache.pressure.levels import PressureLevel
from ..cache.pressure.limits import plan_worker_bytes
from ..cache.pressure.orchestrator import EvictionOrchestrator
from ..cache.pressure.probe import SystemProbe
from ..cache.pressure.snapshot import pressure_snapshot
from ..cache.receipts import ReceiptBook
from ..cache.session import SessionCache
from ..cache.spool import MemorySpool
from ..cache.spool_fallback import FallbackSpool
from ..cache.spool_sqlite import SqliteSpool
from ..cache.worker import Worker, WorkerLimits
from ..cache.workspace.files import Workspace
from ..cache.workspace.secrets import SecretRule
from ..cache.workspace.values import WorkspaceLimits
from ..tools.answer import Answer
from ..tools.arguments import Arguments
from ..tools.call import Call
from ..tools.compress import CompressTool
from ..tools.deliver import Delivery
from ..tools.directory import DirectoryLister
from ..tools.evict import EvictTool
from ..tools.filetext import TokenMemo
from ..tools.fitting import fitted
from ..tools.read import ReadTool
from ..tools.render import ViewMaker
from ..tools.restore import RestoreTool
from ..tools.savings import SavingsBook
from ..tools.search import SearchTool
from ..tools.source import SourceReader
from ..tools.status import StatusTool
from .config import Config
from .conversation import Conversation
from .prompts import PromptSources
from .snapshot import Snapshot
from .stores import store_dir
from .toolset import prompt_head
from .vocabulary import vocabulary

MB: Final = 1 << 20
SEARCH_MODULES: Final = "search modules"
DEFINITIONS: Final = "penstock.tools.languages:structure"
logger = logging.getLogger(__name__)


def _import_search() -> None:
    """Import what the first search needs: numpy and the index."""
    from importlib import import_module

    for name in ("numpy", "penstock.cache.index.engine", "penstock.cache.index.builder", "penstock.cache.index.searching"):
        import_module(name)
    keep_modules()


def open_workspace(config: Config, root: Path, ledger: Ledger | None = None) -> Workspace:
    """Return the workspace as the settings bound it."""
    limits = WorkspaceLimits(max_file_bytes=config.workspace.max_file_bytes, max_walk_files=config.workspace.max_files)
    secrets = SecretRule(allowed=config.workspace.allow_secrets)
    return Workspace([root], ledger=ledger or Ledger(config.memory.ledger_bytes), limits=limits, secrets=secrets)


class Engine:
    """Builds the parts, runs the tools, keeps the account."""

    def __init__(self, config: Config, root: Path) -> None:
        bound_heap()
        store = store_dir(config, root)
        self.ledger = Ledger(config.memory.ledger_bytes)
        self.gauge = PressureGauge(self.ledger, SystemProbe(), growth_bytes=config.memory.rss_mb * MB)
        self.counter = vocabulary()
        self.memo = TokenMemo(self.counter)
        self.workspace = open_workspace(config, root, self.ledger)
        self.session = SessionCache(self.ledger, is_passing=lambda: self.guard.level is PressureLevel.CRITICAL)
        self.contents = ContentAccessor(self.workspace, self.session)
        self._disk = SqliteSpool(store, max_bytes=config.spool.max_bytes, expiry_s=config.spool.expiry_s)
        self._is_closing = False
        self.spool = FallbackSpool(self._disk, MemorySpool(self.ledger, max_bytes=self.ledger.budget_bytes // 4))
        self.payloads = PayloadStore(HandleTable(), self.spool, session=self.session, workspace=self.workspace)
        self.receipts = ReceiptBook(epoch=EpochFile(store / EPOCH_FILE))
        self.evictor = Evictor(self.session, self.payloads, self.ledger, receipts=self.receipts, counter=self.counter)
        self.ledger.add_reclaimer(self.evictor.reclaim)
        self.worker = Worker(self._worker_limits(config.memory.index_worker_mb * MB))
        self.index = IndexCache(
            self.workspace,
            ledger=self.ledger,
            data_dir=store / "index",
            worker=self.worker,
            definitions=DEFINITIONS,
            limits=IndexLimits(build_wait_s=config.index.wait_s),
            pressure=lambda: int(self.guard.level),
            load_watch=load_watch if config.index.watch else None,
        )
        self.orchestrator = EvictionOrchestrator(self.evictor, self.index, self.gauge, recycle=self.worker.trim)
        polls = PollIntervals(config.guard.poll_s, config.guard.pressure_poll_s, config.guard.calm_poll_s)
        self.guard = MemoryGuard(self.gauge, relief=self.orchestrator.on_pressure, polls=polls)
        self.ledger.add_observer(self.guard.after_call)
        self.reservoir = SessionReservoir()
        self.savings = SavingsBook(self._fixed_tokens())
        self.conversation = Conversation(self, store)
        self._tools = self._build_tools(config)
        self.conversation.start()
        keep_modules()
        # Counting the definitions has loaded the vocabulary: from here on memory grows by what is cached.
        self.gauge.measure_baseline()

    def _build_tools(self, config: Config) -> Mapping[str, Callable[..., Answer]]:
        budget = config.answers.default_budget
        delivery = Delivery(self.payloads, self.receipts, self.memo)
        views = ViewMaker(self.session, self.worker, self.memo, self.index.neighbours)
        directories = DirectoryLister(self.workspace, self.memo)
        sources = SourceReader(self.workspace, self.contents, self.payloads)
        read = ReadTool(
            self.workspace,
            self.contents,
            views,
            delivery,
            directories,
            auto_full_tokens=config.answers.auto_full_tokens,
            default_budget=budget,
        )
        search = SearchTool(
            self.index, self._read_bytes, self.counter, reservoir=self.reservoir, providers=self.conversation.providers()
        )
        return {
            "read": read.run,
            "search": self._with_modules(search.run),
            "compress": CompressTool(sources, self.payloads, self.counter, default_budget=budget).run,
            "evict": EvictTool(self.workspace, self.payloads, self.evictor).run,
            "restore": RestoreTool(self.payloads, delivery).run,
            "session": self.conversation.session.run,
            "memory": self.conversation.memory.run,
            "status": StatusTool(Snapshot(self), self.savings.savings).run,
        }

    def _worker_limits(self, wanted_bytes: int) -> WorkerLimits:
        """Return the bounds of the children: what the settings say, or less where the machine or the container has less."""
        wanted, found = WorkerLimits(), self.gauge.statistics()
        nbytes = plan_worker_bytes(wanted_bytes, found.limit, found.effective_limit, wanted.max_children)
        return replace(wanted, memory_bytes=nbytes)

    def _with_modules(self, search: Callable[..., Answer]) -> Callable[..., Answer]:
        """Return `search`, counting the modules that its first call imports as baseline: no eviction gives them back."""

        def run(call: Call, **arguments: Any) -> Answer:
            self.gauge.load_fixed(SEARCH_MODULES, _import_search)
            return search(call, **arguments)

        return run

    def run(self, name: str, call: Call, arguments: Arguments) -> Answer:
        """Run one tool and count what it cost.

        Raises:
            PenstockError: As the tool.
        """
        self.receipts.tick_call()
        try:
            with Borrowing(self.ledger) as buffers:
                fields = {field: getattr(arguments, field) for field in type(arguments).model_fields}
                answer = self._tools[name](replace(call, admit=self.guard.admit, buffers=buffers), **fields)
            answer = fitted(answer, call.limit, self.memo.tokens, self._keep_answer)
        except PenstockError as error:
            self.savings.add_error(name)
            self.conversation.record(name, arguments, None, 0, error)
            raise
        finally:
            self.guard.after_call()
        sent = self._sent_tokens(answer)
        self.savings.add(name, answer, sent)
        self.receipts.add_delivered(sent)
        self.conversation.record(name, arguments, answer, sent, None)
        return answer

    def tool(self, name: str) -> Callable[..., Answer]:
        """Return a tool's body, to be called with a `Call` and keyword arguments."""
        return self._tools[name]

    def sweep(self) -> None:
        """Remove what has expired from the spool, and check it after an unclean end; for a thread of its own.

        A store that cannot be changed is left for later.
        """
        try:
            self.spool.sweep()
            if self._disk.needs_check and (bad := self._disk.verify(should_stop=lambda: self._is_closing)):
                logger.warning("the spool was damaged; %d parts were set aside or removed", bad)
        except StoreUnavailable as error:
            logger.warning("the spool was not swept: %s", error)

    def prompt_sources(self) -> PromptSources:
        """Return what prompts and resources are made of."""
        return self.conversation.sources(self.tool)

    def pressure(self) -> Mapping[str, Any]:
        """Return the state of memory as plain data."""
        return pressure_snapshot(self.guard, self.gauge, self.orchestrator, now_s=time.monotonic())

    def close(self) -> None:
        """Flush the record, stop the children and let go of the files; what was kept stays on disk."""
        self._is_closing = True
        self.conversation.close()
        self.index.close()
        self.worker.close()
        self.spool.close()
        self.workspace.close()

    def _keep_answer(self, text: str) -> str:
        """Keep an answer that its client would have cut; return its handle."""
        tokens = self.counter.count(text).tokens
        data = text.encode("utf-8", "backslashreplace")
        return self.payloads.keep(data, kind=HandleKind.TOOL_RESULT, source="answer", tokens=tokens).id

    def _read_bytes(self, path: str, deadline: Deadline) -> bytes:
        return self.contents.fetch(path, deadline=deadline).data

    def _sent_tokens(self, answer: Answer) -> int:
        """Count an answer: bodies were counted when they were made, the lines around them are short."""
        if answer.frame is None:
            return self.counter.count(answer.text).tokens
        bodies = sum(tokens for part in answer.parts if isinstance(tokens := part.get("tokens"), int))
        return bodies + self.counter.count(answer.frame).tokens

    def _fixed_tokens(self) -> int:
        """Return what the definitions and the instructions cost the model, once per session."""
        return prompt_head(self.counter).stable_tokens
