"""`penstock hook EVENT`: a client reports that its model may have lost text; the receipts die. Prints nothing to stdout."""

import os
import sys
from pathlib import Path

from ..cache.epoch import EPOCH_FILE, ClientEvent, EpochFile
from ..cache.errors import PenstockError
from .config import load_config
from .roots import find_root
from .stores import store_dir


def run_hook(event: str, root: str | None) -> int:
    """Raise the epoch of the workspace, or of all if it cannot be told; 1 on failure, never 2, which clients take as a veto."""
    try:
        for store in _stores(load_config().data_dir, root):
            EpochFile(store / EPOCH_FILE).bump(ClientEvent(event))
    except (PenstockError, OSError) as error:
        sys.stderr.write(f"penstock hook: {error}\n")
        return 1
    return 0


def _stores(data_dir: Path, root: str | None) -> list[Path]:
    """Return the store of the workspace; when in doubt, every store: events only take permission away."""
    try:
        config = load_config(flags={"root": root})
        return [store_dir(config, find_root(config, os.environ, Path.cwd(), Path(os.path.expanduser("~"))))]
    except PenstockError:
        return [folder for folder in data_dir.iterdir() if folder.is_dir()] if data_dir.is_dir() else []
