"""`penstock restore HANDLE`: the exact bytes to stdout, without a server."""

import sys
from pathlib import Path

from .config import Config


def run_restore(config: Config, root: Path, *, handle: str) -> int:
    """Write the payload behind `handle` to stdout as it is.

    Raises:
        PenstockError: Unknown, expired or damaged.
    """
    from .engine import Engine

    engine = Engine(config, root)
    try:
        data = engine.payloads.load(handle).data
    finally:
        engine.close()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return 0
