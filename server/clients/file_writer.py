"""Configuration files on disk: read whole, replaced in one step, never half written.

A write goes to a new file beside the old one, is flushed, takes over the old one's mode (and owner where allowed), and
replaces it by renaming. It is refused when the file is no longer what was read, so that a client that rewrites its own
file at the same moment loses nothing. Links are followed: the file they name is replaced, the link stays.
"""

import contextlib
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .planning import MAX_FILE_BYTES
from .refusal import EditRefused

_PRIVATE_MODE: Final = 0o600
_SHARED_MODE: Final = 0o644


def read_file(path: Path) -> bytes | None:
    """The file's bytes; None where there is no file.

    Raises:
        EditRefused: Not a regular file, too large, or not readable.
    """
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise EditRefused(f"{path} is not a regular file", next_call="add the entry by hand")
        if found.st_size > MAX_FILE_BYTES:
            raise EditRefused(f"{path} is larger than a configuration file", next_call="add the entry by hand")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise EditRefused(
            f"{path} cannot be read", why=os.strerror(error.errno or 0), next_call="check its permissions"
        ) from error


def check_writable(path: Path) -> None:
    """Ask before anything is written whether it can be.

    Raises:
        EditRefused: The file is marked read-only, or its folder takes no files.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.stat().st_mode & stat.S_IWUSR:
        raise EditRefused(f"{path} is read-only", next_call="make it writable, or add the entry by hand")
    folder = next(parent for parent in target.parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise EditRefused(f"{folder} takes no files", next_call="check its permissions, or add the entry by hand")


def replace_file(path: Path, data: bytes | None, *, expected: bytes | None, is_shared: bool = False) -> tuple[Path, ...]:
    """Make the file hold `data` in one step, or remove it for None; returns the folders that had to be made.

    Raises:
        EditRefused: The file no longer holds `expected`, or the system refused; the file is as it was.
    """
    check_writable(path)
    if read_file(path) != expected:
        raise EditRefused(f"{path} was changed by another program just now", next_call="run the command again")
    target = Path(os.path.realpath(path))
    try:
        if data is None:
            target.unlink(missing_ok=True)
            return ()
        made = _make_folders(target.parent)
        _write(target, data, _SHARED_MODE if is_shared else _PRIVATE_MODE)
    except OSError as error:
        raise EditRefused(
            f"{path} cannot be written", why=os.strerror(error.errno or 0), next_call="check its permissions"
        ) from error
    return made


def remove_folders(folders: Sequence[Path]) -> None:
    """Remove those folders that are empty, the innermost first."""
    for folder in sorted(folders, key=lambda one: len(one.parts), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _make_folders(folder: Path) -> tuple[Path, ...]:
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(missing)


def _write(target: Path, data: bytes, new_mode: int) -> None:
    old = target.stat() if target.exists() else None
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_MODE)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, stat.S_IMODE(old.st_mode) if old else new_mode)
        if old is not None and hasattr(os, "chown"):
            with contextlib.suppress(OSError):
                os.chown(temporary, old.st_uid, old.st_gid)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
