"""What is done with a database file that cannot be used: put aside when damaged, copied into memory when the disk fails."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..spool_disk import SpoolDisk

if TYPE_CHECKING:
    import apsw

KEPT_CORRUPT: Final = 2
MEMORY_COPY_BYTES: Final = 16 * 1024 * 1024
"""A file up to this size is copied into memory when the disk fails; a larger one stays where it is, unseen until restart."""
_SUFFIXES: Final = ("", "-wal", "-shm")


def put_aside(disk: SpoolDisk, path: Path, *, known: tuple[int, int] | None, stamp: int) -> str:
    """Rename a damaged file with its logs to `<name>.corrupt-<stamp>`, keep the newest two, and return the new name.

    Returns "" when the file at `path` is not the `known` one any more: another process was first.

    Raises:
        OSError: The folder cannot be written, or another process holds the lock.
    """
    aside = f"{path.name}.corrupt-{stamp}"
    with disk.exclusive(path.with_name(path.name + ".lock")):
        if known is not None and disk.identity(path) != known:
            return ""
        for suffix in _SUFFIXES:
            if disk.identity(path.with_name(path.name + suffix)) is not None:
                disk.rename(path.with_name(path.name + suffix), path.with_name(aside + suffix))
        prefix = f"{path.name}.corrupt-"
        stamps = {
            name: name.removeprefix(prefix).partition("-")[0] for name in disk.names(path.parent) if name.startswith(prefix)
        }
        kept = sorted(set(stamps.values()))[-KEPT_CORRUPT:]
        for name, when in stamps.items():
            if when not in kept:
                disk.remove(path.with_name(name))
    return aside


def copy_into_memory(disk: SpoolDisk, path: Path, memory: "apsw.Connection") -> bool:
    """Copy a file of at most 16 MB into `memory` and return whether that was possible."""
    import apsw  # heavy: lazy by design

    try:
        if not 0 < path.stat().st_size <= MEMORY_COPY_BYTES:
            return False
        source = disk.connect(path)
    except (apsw.Error, OSError):
        return False
    try:
        with memory.backup("main", source, "main") as backup:
            backup.step()
    except apsw.Error:
        return False
    finally:
        source.close()
    return True


def reason_of(error: Exception) -> str:
    """Say in a few words what failed, without any path."""
    known = {"FullError": "the disk is full", "ReadOnlyError": "the data folder is read-only", "IOError": "the disk failed"}
    return known.get(type(error).__name__, "the data folder cannot be written")
