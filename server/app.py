"""The MCP server: static definitions, the lifespan, and the engine behind them."""

import gc
import logging
import os
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from mcp.server import MCPServer

from ..cache.errors import PenstockError
from .config import Config
from .dispatch import Dispatcher
from .prompts import register_prompts
from .rooting import LateRoot
from .roots import ROOT_FIX
from .stats import StatsPublisher
from .toolset import INSTRUCTIONS, TOOLS, build_tool
from .unsent import UnsentAnswers
from .version import VERSION

if TYPE_CHECKING:
    from .engine import Engine

logger = logging.getLogger(__name__)


class EngineSource:
    """Builds the engine once, on first use, from any thread: start-up does not wait for it."""

    def __init__(self, config: Config, root: Path | None, missing_root: PenstockError | None = None) -> None:
        self.config = config
        self.root = root
        """None until the first call has found one (`rooting`)."""
        self.missing_root = missing_root or PenstockError("there is no workspace", next_call=ROOT_FIX)
        """Raised by a call that needs the workspace and finds none."""
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self.unsent: UnsentAnswers | None = None
        """Charges answers until they are written; set by a transport that says when they are."""
        self.built = threading.Event()

    def engine(self) -> "Engine":
        """Return the engine, building it if this is the first call.

        Raises:
            PenstockError: There is no workspace yet.
        """
        if self._engine is None:
            with self._lock:
                if self._engine is None:
                    if self.root is None:
                        raise self.missing_root
                    from .engine import Engine  # its imports cost what start-up must not

                    self._engine = Engine(self.config, self.root)
                    self.built.set()
        return self._engine

    def close(self) -> None:
        """Flush and release what the engine holds, if it was ever built. Bounded; called at exit."""
        if self._engine is not None:
            self._engine.close()


def create_app(source: EngineSource, *, home: Path | None = None) -> MCPServer[EngineSource]:
    """Return the server for one workspace; `home` is never one. The engine itself is built by the first tool call."""
    calls = source.config.calls
    asks_model = source.config.session.ask_client_model
    late_root = LateRoot(source, home or Path(os.path.expanduser("~")))
    dispatcher = Dispatcher(
        source, late_root, threads=calls.threads, queue=calls.queue, deadline_s=calls.deadline_s, asks_model=asks_model
    )

    @asynccontextmanager
    async def lifespan(_: MCPServer[EngineSource]) -> AsyncGenerator[EngineSource]:
        # What start-up made lives as long as the process; the collector need not walk it again.
        gc.freeze()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_guard, source)
            tasks.start_soon(dispatcher.heartbeat.run)
            try:
                yield source
            finally:
                tasks.cancel_scope.cancel()

    app: MCPServer[EngineSource] = MCPServer(
        "penstock",
        instructions=INSTRUCTIONS,
        version=VERSION,
        tools=[build_tool(spec, dispatcher) for spec in TOOLS],
        lifespan=lifespan,
        log_level="WARNING",
        subscriptions=False,
    )
    register_prompts(app, lambda: source.engine().prompt_sources())
    return app


async def _sweep(engine: "Engine") -> None:
    """Remove what has expired from the spool; whatever goes wrong there, the guard beside it goes on."""
    try:
        await anyio.to_thread.run_sync(engine.sweep, abandon_on_cancel=True)
    except Exception:  # boundary: the store is a file, and threads cannot always be started
        logger.exception("the spool was not swept")


async def _guard(source: EngineSource) -> None:
    """Run the memory guard, and publish statistics, from the moment there is anything to guard."""
    while not source.built.is_set():  # noqa: ASYNC110 -- set from a plain thread
        await anyio.sleep(0.5)
    try:
        engine = source.engine()
        publisher = StatsPublisher(source.config.data_dir, engine.pressure, root=str(source.root))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(publisher.run)
            tasks.start_soon(engine.guard.run)
            await _sweep(engine)
    except Exception:  # the guard's own loop does not raise; if it ever does, serving goes on without it
        logger.exception("the memory guard stopped")
