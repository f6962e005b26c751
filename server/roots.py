"""Which folder is the workspace: `--root` or `PENSTOCK_ROOT` > `CLAUDE_PROJECT_DIR` > the VCS root above the current folder.

`/`, drive roots and the home folder are refused: a server there would read, index and offer everything the user owns.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .config import Config, ConfigError

ROOT_FIX: Final = 'start the server with the project\'s folder: "args": ["serve", "--root", "/path/to/project"]'
_VCS_MARKS: Final = (".git", ".hg", ".svn", ".jj")


class NoWorkspace(ConfigError):
    """Nobody named a workspace, and the current folder is none."""


def find_root(config: Config, env: Mapping[str, str], cwd: Path, home: Path) -> Path:
    """Return the workspace's real path.

    Raises:
        NoWorkspace: None is named, and the current folder cannot be one.
        ConfigError: The one that is named is not a folder, or it is `/` or the home folder; the message spells out the fix.
    """
    if config.root is not None:
        return checked_root(config.root.expanduser(), home, "--root")
    if named := env.get("CLAUDE_PROJECT_DIR"):
        return checked_root(Path(named), home, "CLAUDE_PROJECT_DIR")
    for folder in (cwd, *cwd.parents):
        if any((folder / mark).exists() for mark in _VCS_MARKS) and not _is_too_wide(folder.resolve(), home):
            return folder.resolve()
    try:
        return checked_root(cwd, home, "the current folder")
    except ConfigError as error:
        raise NoWorkspace(error.what, why=error.why, next_call=error.next_call) from error


def _is_too_wide(real: Path, home: Path) -> bool:
    return real == Path(real.anchor) or real == home.resolve() or real in home.resolve().parents


def checked_root(folder: Path, home: Path, where: str) -> Path:
    """Return the real path of a folder that may be a workspace; `where` says who named it.

    Raises:
        ConfigError: It is no folder, or `/` or the home folder.
    """
    try:
        real = folder.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ConfigError(f"{where} names no folder: {folder}", next_call=ROOT_FIX) from error
    if not real.is_dir():
        raise ConfigError(f"{where} is not a folder: {folder}", next_call=ROOT_FIX)
    if _is_too_wide(real, home):
        raise ConfigError(
            f"{where} is {real}, which is not a project",
            why="the file system root and the home folder are refused as a workspace",
            next_call=ROOT_FIX,
        )
    return real
