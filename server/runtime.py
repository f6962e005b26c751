"""The life of the server process: serve over stdio until the client leaves, then end at once.

The process ends on end of file, SIGTERM, SIGINT, the parent's death, a broken pipe, or a client that stopped reading; always
through `os._exit`, because interpreter shutdown would wait for worker threads (measured: as long as the slowest call).
"""

import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import anyio

from .wire import WRITE_DEADLINE_S

if TYPE_CHECKING:
    from mcp.server import MCPServer

    from .front import Front

PARENT_POLL_S: Final = 5.0
CLEANUP_S: Final = 1.0
logger = logging.getLogger(__name__)


class Exit:
    """Ends the process once, after at most `CLEANUP_S` of cleanup; any thread may call it."""

    def __init__(self, cleanup: Callable[[], None]) -> None:
        self._cleanup = cleanup
        self._begun = False

    def __call__(self, code: int) -> None:
        """Flush what can be flushed in time, then leave without waiting for threads."""
        if self._begun:
            return
        self._begun = True
        import threading

        thread = threading.Thread(target=self._cleanup, name="cleanup", daemon=True)
        thread.start()
        thread.join(CLEANUP_S)
        sys.stderr.flush()
        os._exit(code)


class BoundedWriter:
    """The file object that the SDK writes to: async, with a deadline on every line."""

    def __init__(self, writer: "Front", on_stuck: Callable[[], None], on_written: Callable[[str], None]) -> None:
        self._writer = writer
        self._on_stuck = on_stuck
        self._on_written = on_written

    async def write(self, text: str) -> int:
        """Write one message; a client that does not read for `WRITE_DEADLINE_S` ends the server."""
        if self._writer.takes_now(text):  # a thread for it would cost more than the write
            self._writer.write(text)
            self._on_written(text)
            return len(text)
        with anyio.move_on_after(WRITE_DEADLINE_S) as scope:
            await anyio.to_thread.run_sync(self._writer.write, text, abandon_on_cancel=True)
        if scope.cancelled_caught:
            logger.error("the client has not read for %s s; leaving", WRITE_DEADLINE_S)
            self._on_stuck()
        self._on_written(text)
        return len(text)

    async def flush(self) -> None:
        """Do nothing: `write` has flushed."""


async def watch_signals(leave: Exit) -> None:
    """Leave on SIGTERM and SIGINT (POSIX; elsewhere the default action ends the process)."""
    if sys.platform == "win32":
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            leave(128 + number)


async def watch_parent(leave: Exit, parent: int) -> None:
    """Leave when `parent`, the process that started us, is gone: a sibling may still hold our stdin open."""
    while True:
        await anyio.sleep(PARENT_POLL_S)
        if os.getppid() != parent:
            logger.info("the client process is gone; leaving")
            leave(0)


async def serve_stdio(app: "MCPServer[Any]", front: "Front", leave: Exit, parent: int, on_written: Callable[[str], None]) -> None:
    """Serve `app` behind `front` until end of file, then leave; `on_written` is told every message that went out."""
    from mcp.server.stdio import stdio_server

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch_signals, leave)
        tasks.start_soon(watch_parent, leave, parent)
        stdout = BoundedWriter(front, lambda: leave(1), on_written)
        # It iterates over the one and uses write and flush of the other.
        async with stdio_server(front, stdout) as (read_stream, write_stream):  # pyright: ignore[reportArgumentType]
            # MCPServer.run_stdio_async would claim fd 0 and 1 itself and read lines without a bound.
            server = app._lowlevel_server  # pyright: ignore[reportPrivateUsage]
            await server.run(read_stream, write_stream, server.create_initialization_options())
        leave(0)
