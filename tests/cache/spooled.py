"""Things to put into a spool."""

import hashlib
from pathlib import Path

from penstock.cache.handles import Handle, HandleKind, Residency, handle_id
from penstock.cache.spool import SpoolStore


def handle_for(data: bytes, *, source: str = "s", tokens: int = 3, id_: str = "", is_pinned: bool = False) -> Handle:
    sha256 = hashlib.sha256(data).hexdigest()
    return Handle(
        id_ or handle_id(sha256), HandleKind.TOOL_RESULT, Residency.resident(), tokens, source, sha256, is_pinned=is_pinned
    )


def put(spool: SpoolStore, data: bytes) -> Handle:
    return spool.put(handle_for(data), data)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
