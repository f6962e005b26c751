"""`penstock serve`: the server over stdio."""

import gc
import os
from pathlib import Path

from ..cache.errors import PenstockError
from .config import Config
from .front import Front, load_answers
from .wire import WireReader, WireWriter, oversized_error


def serve(
    config: Config,
    root: Path | None,
    *,
    missing_root: PenstockError | None = None,
    read_fd: int,
    write_fd: int,
    is_plain: bool = False,
) -> int:
    """Serve until the client leaves; the process ends inside. `is_plain` leaves every answer to the SDK (for tests)."""
    parent = os.getppid()
    writer = WireWriter(open(write_fd, "wb", closefd=False), lambda: os._exit(0))  # noqa: SIM115 -- lives as long as the process
    raw = open(read_fd, "rb", closefd=False)  # noqa: SIM115
    reader = WireReader(raw, lambda request_id: writer.write(oversized_error(request_id)))
    front = Front(reader, writer, load_answers(), is_open=not is_plain)
    front.start()
    return _serve_behind(front, config, root, parent, missing_root)


def _serve_behind(front: Front, config: Config, root: Path | None, parent: int, missing_root: PenstockError | None) -> int:
    """Import what start-up does not need, and serve."""
    import logging
    import sys

    import anyio

    from .app import EngineSource, create_app
    from .runtime import Exit, serve_stdio
    from .unsent import UnsentAnswers

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="penstock: %(levelname)s %(message)s")
    source = EngineSource(config, root, missing_root)
    source.unsent = unsent = UnsentAnswers()
    app = create_app(source)
    gc.freeze()  # modules live as long as the process: walking them takes 80 ms of every full collection
    gc.enable()
    anyio.run(serve_stdio, app, front, Exit(source.close), parent, unsent.written)
    return 0
