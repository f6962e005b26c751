"""Where the data of one workspace lives, below the user's data folder."""

import hashlib
from pathlib import Path

from .config import Config


def store_dir(config: Config, root: Path) -> Path:
    """Return the folder of one workspace's spool, index and archive."""
    return config.data_dir / hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:16]
