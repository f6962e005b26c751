"""What `penstock run` opens to compress an output: the workspace's spool and the token counter, nothing of the index."""

import os
from pathlib import Path

from ..cache.errors import PenstockError
from ..cache.handles import HandleTable
from ..cache.payloads import PayloadStore
from ..cache.spool_sqlite import SqliteSpool
from .config import Config, load_config
from .roots import find_root
from .run import RunParts
from .run_history import RunHistory
from .stores import store_dir
from .vocabulary import vocabulary


def open_run_parts(config: Config, root: Path) -> RunParts:
    """Open the spool that the workspace's server uses, so that its `restore` knows the handles printed here."""
    store = store_dir(config, root)
    disk = SqliteSpool(store, max_bytes=config.spool.max_bytes, expiry_s=config.spool.expiry_s)
    counter = vocabulary()
    return RunParts(
        PayloadStore(HandleTable(), disk), counter, RunHistory(store / "runs.json"), config.answers.default_budget, disk.close
    )


def open_parts_here() -> RunParts:
    """Open the parts of the workspace around the current folder; a folder that is no project has a spool of its own.

    Raises:
        ConfigError: A setting is wrong.
    """
    config = load_config()
    here = Path.cwd()
    try:
        root = find_root(config, os.environ, here, Path(os.path.expanduser("~")))
    except PenstockError:
        root = here.resolve()
    return open_run_parts(config, root)
