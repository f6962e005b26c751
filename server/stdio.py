"""`penstock serve`: the server over stdio."""

import gc
import logging
import sys
from pathlib import Path

import anyio

from .app import EngineSource, create_app
from .config import Config
from .runtime import Exit, serve_stdio


def serve(config: Config, root: Path, *, read_fd: int, write_fd: int) -> int:
    """Serve until the client leaves; the process ends inside."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="penstock: %(levelname)s %(message)s")
    source = EngineSource(config, root)
    app = create_app(source)
    gc.enable()
    leave = Exit(source.close)
    anyio.run(serve_stdio, app, read_fd, write_fd, leave)
    return 0
