"""What `penstock run` opens to compress an output: the workspace's spool and the token counter, nothing of the index."""

from pathlib import Path

from ..cache.handles import HandleTable
from ..cache.payloads import PayloadStore
from ..cache.spool_sqlite import SqliteSpool
from .config import Config
from .engine import store_dir, vocabulary
from .run import RunParts


def open_run_parts(config: Config, root: Path) -> RunParts:
    """Open the spool that the workspace's server uses, so that its `restore` knows the handles printed here."""
    disk = SqliteSpool(store_dir(config, root), max_bytes=config.spool.max_bytes, expiry_s=config.spool.expiry_s)
    return RunParts(PayloadStore(HandleTable(), disk), vocabulary(), config.answers.default_budget, disk.close)
