"""Source files made from nothing, for tests of what stands behind the workspace."""

import hashlib

from penstock.cache.workspace.values import FileKey, FileStat, SourceFile


def source(rel: str, data: bytes, *, ino: int | None = None, mtime_ns: int = 1, is_changing: bool = False) -> SourceFile:
    """Return a file of device 1; without `ino`, one inode per name."""
    number = ino if ino is not None else int.from_bytes(hashlib.sha256(rel.encode()).digest()[:4], "big")
    stat = FileStat(1, number, len(data), mtime_ns, mtime_ns, 0o100644)
    return SourceFile(rel, FileKey(1, number, rel), stat, data, hashlib.sha256(data).hexdigest(), is_changing)
