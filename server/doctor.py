"""`penstock doctor`: what this machine has, the limits that follow, and whether each part works here."""

import json
import os
import platform
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
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
        ("walk", lambda: _walk(config, root)),
        ("data folder", lambda: _data_folder(config)),
        ("memory limits", lambda: _memory(config)),
        ("tokenizer", _tokenizer),
        ("index worker", _worker),
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


def _memory(config: Config) -> str:
    from ..cache.ledger import Ledger
    from ..cache.pressure.gauge import PressureGauge
    from ..cache.pressure.probe import SystemProbe

    gauge = PressureGauge(Ledger(config.memory.ledger_bytes), SystemProbe(), growth_bytes=config.memory.rss_mb * MB)
    found = gauge.statistics()
    return (
        f"baseline {found.limit.baseline_bytes / MB:,.0f} MB, ledger {config.memory.ledger_mb:,} MB, RSS limit"
        f" {found.limit.limit_bytes / MB:,.0f} MB ({found.limit.reason}), machine allows"
        f" {found.effective_limit.limit_bytes / MB:,.0f} MB ({found.effective_limit.source})"
    )


def _tokenizer() -> str:
    from .vocabulary import vocabulary

    start = time.perf_counter()
    tokens = vocabulary().count("hello world").tokens
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


def _sqlite() -> str:
    import apsw

    return f"{apsw.sqlite_lib_version()} (apsw); the interpreter's own is {sqlite3.sqlite_version}"
