"""`penstock doctor`: what this machine has, the limits that follow, and whether each part works here."""

import json
import os
import platform
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..cache.errors import PenstockError
from .config import Config

MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    is_ok: bool
    found: str


def run_doctor(config: Config, root: Path, *, as_json: bool) -> int:
    """Run every check and print the results; 1 if one failed."""
    checks = [_run(name, check) for name, check in _checks(config, root)]
    if as_json:
        sys.stdout.write(json.dumps({"ok": all(c.is_ok for c in checks), "checks": [asdict(c) for c in checks]}, indent=2) + "\n")
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, header_style="bold")
        for column in ("", "check", "found"):
            table.add_column(column, overflow="fold")
        for check in checks:
            table.add_row("[green]ok[/green]" if check.is_ok else "[red]FAIL[/red]", check.name, check.found)
        Console().print(table)
    return 0 if all(check.is_ok for check in checks) else 1


def _run(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except (PenstockError, OSError, ImportError, ValueError) as error:
        return Check(name, False, str(error))


def _checks(config: Config, root: Path) -> list[tuple[str, Callable[[], str]]]:
    return [
        ("python", lambda: f"{platform.python_version()} on {platform.system()} {platform.release()}, {os.cpu_count()} cores"),
        ("workspace", lambda: str(root)),
        ("confinement", lambda: _confinement(root)),
        ("memory limits", lambda: _memory(config, root)),
        ("machine memory", _pressure),
        ("walk", lambda: _walk(config, root)),
        ("data folder", lambda: _data_folder(config)),
        ("spool", lambda: _spool(config, root)),
        ("tokenizer", _tokenizer),
        ("index worker", _worker),
        ("ranking", _ranking),
        ("watch", lambda: _watch(config)),
        ("sqlite", _sqlite),
        ("git", lambda: shutil.which("git") or "not found; ignore files are read by Penstock itself"),
    ]


def _confinement(root: Path) -> str:
    from ..cache.workspace.jail import Jail

    jail = Jail([root])
    return str(jail)


def _walk(config: Config, root: Path) -> str:
    from ..cache.deadline import UNBOUNDED, Deadline
    from .engine import open_workspace

    start = time.perf_counter()
    found = open_workspace(config, root).walk("", deadline=Deadline(UNBOUNDED))
    elapsed = (time.perf_counter() - start) * 1000
    size = sum(file.stat.size for file in found.files)
    rest = "" if found.is_complete else f" (of at least {found.seen:,})"
    return f"{len(found.files):,} files{rest}, {size / MB:,.1f} MB, by {found.source}, in {elapsed:,.0f} ms"


def _data_folder(config: Config) -> str:
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    probe = config.data_dir / f".probe-{os.getpid()}"
    probe.write_bytes(b"")
    probe.unlink()
    free = shutil.disk_usage(config.data_dir).free
    return f"{config.data_dir}, {free / 2**30:,.1f} GB free; cap {config.spool.max_mb:,} MB a workspace"


def _spool(config: Config, root: Path) -> str:
    """Check the structure of the workspace's spool and the hash of everything in it."""
    from ..cache.spool_file import FILE_NAME
    from ..cache.spool_sqlite import SqliteSpool
    from .stores import store_dir

    folder = store_dir(config, root)
    if not (folder / FILE_NAME).exists():
        return "nothing kept yet for this workspace"
    spool = SqliteSpool(folder, max_bytes=config.spool.max_bytes, expiry_s=config.spool.expiry_s)
    try:
        start = time.perf_counter()
        bad = spool.verify()
        found = spool.statistics()
    finally:
        spool.close()
    notices = "".join(f"; {notice}" for notice in found.notices)
    if bad:
        raise ValueError(f"{bad:,} damaged, set aside or removed; {found.items:,} payloads are sound{notices}")
    elapsed = (time.perf_counter() - start) * 1000
    return f"{found.items:,} payloads, {found.used_bytes / MB:,.1f} MB, all sound, checked in {elapsed:,.0f} ms{notices}"


def _memory(config: Config, root: Path) -> str:
    """Measure what a started, empty server occupies: one is built here, on a data folder that is thrown away."""
    from tempfile import TemporaryDirectory

    from . import app as app  # its imports are part of what a server occupies
    from .engine import Engine

    with TemporaryDirectory(prefix="penstock-doctor-") as folder:
        engine = Engine(replace(config, data_dir=Path(folder)), root)
        try:
            limit, workers = engine.gauge.statistics().limit, engine.worker.limits
        finally:
            engine.close()
    return (
        f"baseline {limit.baseline_bytes / MB:,.0f} MB, ledger {config.memory.ledger_mb:,} MB, RSS limit"
        f" {limit.limit_bytes / MB:,.0f} MB ({limit.reason}), {workers.max_children} workers of at most"
        f" {workers.memory_bytes / MB:,.0f} MB"
    )


def _pressure() -> str:
    """Say what the probe can read here, and how much room there is now."""
    from ..cache.pressure.allocator import find_malloc_trim
    from ..cache.pressure.probe import SystemProbe

    probe = SystemProbe()
    limit, sample = probe.effective_limit(), probe.sample()
    limits = ", ".join(f"{name} {nbytes / MB:,.0f} MB" for name, nbytes in limit.candidates.items())
    room = "unknown" if sample.available_bytes is None else f"{sample.available_bytes / MB:,.0f} MB by {sample.available_source}"
    stalls = "readable" if sample.stall_us is not None else "not readable"
    trim = "can" if find_malloc_trim() else "cannot"
    return (
        f"{limit.limit_bytes / MB:,.0f} MB by {limit.source} (of {limits}); room now {room}; stalls (PSI) {stalls};"
        f" freed memory {trim} be given back"
    )


def _tokenizer() -> str:
    from .vocabulary import new_vocabulary

    start = time.perf_counter()
    tokens = new_vocabulary().count("hello world").tokens
    if tokens != 2:
        raise ValueError(f"o200k counts {tokens} tokens in 'hello world', not 2")
    return f"o200k, loaded in {(time.perf_counter() - start) * 1000:,.0f} ms, offline"


def _worker() -> str:
    from ..cache.worker import Worker

    worker = Worker()
    try:
        start = time.perf_counter()
        found = worker.call("penstock.tools.languages:definitions", "x.py", b"def f():\n    return 1\n", timeout_s=20.0)
        return f"started and parsed in {(time.perf_counter() - start) * 1000:,.0f} ms: {found}"
    finally:
        worker.close()


def _ranking() -> str:
    from ..cache.index.compiled import IS_COMPILED

    return "compiled" if IS_COMPILED else "in numpy: installed without a C compiler, same answers, .1 ms more for a short query"


def _watch(config: Config) -> str:
    """Say whether large workspaces are listened to between two walks."""
    from importlib.metadata import version

    from ..cache.index.watch import load_watch

    if not config.index.watch:
        return "switched off ([index] watch)"
    if load_watch() is None:
        return "watchfiles is not installed (the extra `watch`): searches of very large workspaces rely on walks alone"
    return f"watchfiles {version('watchfiles')}, for workspaces whose walks take over a second"


def _sqlite() -> str:
    import apsw

    return f"{apsw.sqlite_lib_version()} (apsw); the interpreter's own is {sqlite3.sqlite_version}"
