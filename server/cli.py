"""The command line: parses, resolves the settings, and calls one function per command. Imports stay inside the commands."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..cache.epoch import ClientEvent
from ..cache.errors import PenstockError

if TYPE_CHECKING:
    from .config import Config


EVENTS = tuple(event.value for event in ClientEvent)


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of all commands, with the flags of `command` whole."""
    parser = argparse.ArgumentParser(prog="penstock", description="An MCP context server for coding assistants.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve MCP over stdio (what a client starts)")
    _add_workspace(serve)
    serve.add_argument("--http", metavar="HOST:PORT", help="serve streamable HTTP on a loopback address instead of stdio")
    serve.add_argument("--plain-start", action="store_true", help=argparse.SUPPRESS)
    serve.add_argument("--http-open", action="store_true", help="no bearer token (tests on this machine only)")

    demo = commands.add_parser("demo", help="run the main job on a folder through a real stdio client")
    demo.add_argument("folder", nargs="?", default=".", metavar="DIR")
    demo.add_argument("--json", action="store_true", help="print the result as JSON")

    bench = commands.add_parser("bench", help="what views, searches and filters cost on a folder of yours")
    bench.add_argument("folder", nargs="?", default=".", metavar="DIR")
    bench.add_argument("--json", action="store_true", help="print JSON lines, one a figure")

    doctor = commands.add_parser("doctor", help="check this machine and show the limits that hold")
    _add_workspace(doctor)
    doctor.add_argument("--json", action="store_true")

    restore = commands.add_parser("restore", help="write the exact bytes behind a handle to stdout")
    restore.add_argument("handle")
    _add_workspace(restore)

    facts = commands.add_parser("facts", help="export or import what was remembered of a workspace, as JSON Lines")
    directions = facts.add_subparsers(dest="direction", required=True, metavar="export|import")
    exporting = directions.add_parser("export", help="write every fact, ended ones too, oldest first")
    exporting.add_argument("file", nargs="?", default="-", metavar="FILE", help="default: standard output")
    _add_workspace(exporting)
    importing = directions.add_parser(
        "import", help="add exported facts; lines that are broken or hold a secret are named and left out"
    )
    importing.add_argument("file", metavar="FILE", help="- for standard input")
    importing.add_argument("--json", action="store_true", help="print the result as JSON")
    _add_workspace(importing)

    config = commands.add_parser("config", help="show every setting and where it comes from")
    config.add_argument("--path", action="store_true", help="print the path of the user's file only")
    config.add_argument("--json", action="store_true")

    stats = commands.add_parser("stats", help="the running servers: pressure, memory, what was evicted")
    stats.add_argument("--watch", action="store_true", help="live, until interrupted")
    stats.add_argument("--json", action="store_true")

    hook = commands.add_parser("hook", help="report a client's event, after which no receipt proves anything (for client hooks)")
    hook.add_argument("event", choices=EVENTS, metavar="EVENT", help=", ".join(EVENTS))
    hook.add_argument("--root", metavar="DIR")

    run = commands.add_parser("run", help="run a command, print its output compressed, keep the original")
    run.add_argument("--budget", type=int, metavar="N", help="tokens to print at most (default: answers.default_budget)")
    run.add_argument("--kind", metavar="K", help="what the output is; default: detected")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- CMD …")

    install = commands.add_parser("install", help="register with a client; shows the change first")
    uninstall = commands.add_parser("uninstall", help="take the registration out again, without a trace")
    if command in ("install", "uninstall"):
        # The clients' catalogue costs other commands start-up time.
        from .clients.command import add_install_flags, add_uninstall_flags

        add_install_flags(install)
        add_uninstall_flags(uninstall)
    return parser


def _add_workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", metavar="DIR", help="the workspace (default: CLAUDE_PROJECT_DIR, else the VCS root of the current folder)"
    )
    parser.add_argument("--data-dir", metavar="DIR", help="where the spool and the index live (default: the user's data folder)")
    parser.add_argument("--ledger-mb", type=int, metavar="MB", help="memory budget of the caches")
    parser.add_argument("--rss-mb", type=int, metavar="MB", help="resident memory allowed above the start-up baseline")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = build_parser(next(iter(arguments), "")).parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except PenstockError as error:
        sys.stderr.write(f"penstock: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


def _serve(options: argparse.Namespace) -> int:
    gc.disable()  # no cycles worth finding while importing; 50 ms less (measured)
    if options.http:
        from .http import serve_http

        return serve_http(*_workspace(options), address=options.http, is_open=options.http_open)
    from .wire import claim_stdio

    read_fd, write_fd = claim_stdio()
    from .roots import NoWorkspace
    from .stdio import serve

    config, root, missing_root = _settings(options), None, None
    try:
        root = _root_of(config)
    except NoWorkspace as error:
        missing_root = error  # the first call asks for one, and fails with this if nobody names it
    return serve(config, root, missing_root=missing_root, read_fd=read_fd, write_fd=write_fd, is_plain=options.plain_start)


def _demo(options: argparse.Namespace) -> int:
    from .demo import run_demo

    return run_demo(Path(options.folder), as_json=options.json)


def _bench(options: argparse.Namespace) -> int:
    from .bench import run_bench

    return run_bench(Path(options.folder), as_json=options.json)


def _doctor(options: argparse.Namespace) -> int:
    from .doctor import run_doctor

    return run_doctor(*_workspace(options), as_json=options.json)


def _restore(options: argparse.Namespace) -> int:
    from .restore import run_restore

    return run_restore(*_workspace(options), handle=options.handle)


def _facts(options: argparse.Namespace) -> int:
    from .facts import run_export, run_import

    if options.direction == "export":
        return run_export(*_workspace(options), file=options.file)
    return run_import(*_workspace(options), file=options.file, as_json=options.json)


def _config(options: argparse.Namespace) -> int:
    from .settings import show_config

    return show_config(path_only=options.path, as_json=options.json)


def _run(options: argparse.Namespace) -> int:
    from .run import RunParts, run

    def open_parts() -> RunParts:
        from .run_parts import open_parts_here  # after the command has ended: it must not wait for our imports

        return open_parts_here()

    argv: list[str] = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    return run(argv, open_parts=open_parts, budget=options.budget, kind=options.kind)


def _stats(options: argparse.Namespace) -> int:
    import json

    from .config import load_config
    from .stats import read_snapshots, watch

    data_dir = load_config().data_dir
    if options.json:
        sys.stdout.write(json.dumps(read_snapshots(data_dir), indent=2) + "\n")
        return 0
    return watch(data_dir, rounds=None if options.watch else 1)


def _hook(options: argparse.Namespace) -> int:
    from .hook import run_hook

    return run_hook(options.event, options.root)


def _install(options: argparse.Namespace) -> int:
    from .clients.command import run_install
    from .config import load_config

    return run_install(options, load_config().data_dir)


def _uninstall(options: argparse.Namespace) -> int:
    from .clients.command import run_uninstall
    from .config import load_config

    return run_uninstall(options, load_config().data_dir)


def _workspace(options: argparse.Namespace) -> "tuple[Config, Path]":
    """Return (config, root) as flags, environment and files say."""
    config = _settings(options)
    return config, _root_of(config)


def _settings(options: argparse.Namespace) -> "Config":
    from .config import load_config

    flags = {
        "root": options.root,
        "data_dir": options.data_dir,
        "memory.ledger_mb": options.ledger_mb,
        "memory.rss_mb": options.rss_mb,
    }
    return load_config(flags=flags)


def _root_of(config: "Config") -> Path:
    from .roots import find_root

    return find_root(config, os.environ, Path.cwd(), Path(os.path.expanduser("~")))


COMMANDS = {
    "serve": _serve,
    "demo": _demo,
    "bench": _bench,
    "doctor": _doctor,
    "restore": _restore,
    "facts": _facts,
    "config": _config,
    "run": _run,
    "stats": _stats,
    "hook": _hook,
    "install": _install,
    "uninstall": _uninstall,
}
