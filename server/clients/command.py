"""`penstock install` and `penstock uninstall` as commands: their flags, the user's machine, the question at the end."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from .catalogue import SERVER_NAME, Machine, client_keys
from .installer import Dialogue, Installer
from .planning import InstallOptions
from .records import RecordStore


def add_install_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `penstock install`."""
    _add_common_flags(parser)
    parser.add_argument("--root", metavar="DIR", default="", help="the folder to work in, where the client does not say it")
    parser.add_argument(
        "--hooks", action="store_true", help="also let the client's hooks revoke receipts (compact, clear, resume)"
    )


def add_uninstall_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `penstock uninstall`."""
    _add_common_flags(parser)


def run_install(options: argparse.Namespace, data_dir: Path) -> int:
    """Add the server to a client's configuration; returns the exit code."""
    root = str(Path(options.root).expanduser().resolve()) if options.root and "${" not in options.root else str(options.root)
    wanted = InstallOptions(_own_command(is_project=options.project), root, options.project, options.hooks)
    return _installer(data_dir).install(options.client, wanted, yes=options.yes)


def run_uninstall(options: argparse.Namespace, data_dir: Path) -> int:
    """Take the server out of a client's configuration; returns the exit code."""
    return _installer(data_dir).uninstall(options.client, is_project=options.project, yes=options.yes)


def _add_common_flags(parser: argparse.ArgumentParser) -> None:
    known = ", ".join(client_keys())
    parser.add_argument("client", metavar="CLIENT", help=f"{known}; for any other the entry to paste is printed")
    parser.add_argument("--project", action="store_true", help="the configuration of the current project instead of the user's")
    parser.add_argument("--yes", action="store_true", help="write without asking")


def _installer(data_dir: Path) -> Installer:
    machine = Machine(Path(os.path.expanduser("~")), Path.cwd(), sys.platform, dict(os.environ))
    return Installer(machine, RecordStore(data_dir), Dialogue(_say, _confirm))


def _own_command(*, is_project: bool) -> str:
    """The program's absolute path: desktop programs do not have the shell's PATH. A shared file names just the program."""
    if is_project:
        return SERVER_NAME
    own = Path(sys.argv[0])
    if own.stem == SERVER_NAME and own.is_file():
        return str(own.absolute())
    return shutil.which(SERVER_NAME) or SERVER_NAME


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _confirm(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    _say(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
