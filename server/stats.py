"""`penstock stats --watch`: the memory pressure of running servers, live in a terminal.

A server publishes a snapshot to `<data>/stats/<pid>.json` (`StatsPublisher`), a watcher reads it. A file rather than a
socket: nothing listens, and a server that hangs still shows its last state and how old it is.
"""

import contextlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import anyio
import anyio.to_thread

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

logger = logging.getLogger(__name__)

MB: Final = 1 << 20
FORMAT: Final = 1
PUBLISH_S: Final = 2.0
"""One write of about 4 KB, 0.2 ms: a ten-thousandth of a core."""
TREND_SAMPLES: Final = 60
MAX_FILE_BYTES: Final = 1 << 20
STYLES: Final = {"NORMAL": "green", "SOFT": "yellow", "MEDIUM": "dark_orange", "HARD": "red", "CRITICAL": "bold white on red"}
TREND: Final = "▁▂▃▄▅▆▇█"


def stats_dir(data_dir: Path) -> Path:
    """Return the folder in which servers leave their snapshots."""
    return data_dir / "stats"


class StatsPublisher:
    """Writes this process's snapshot, whole or not at all. Failures are logged once and end nothing."""

    def __init__(
        self, data_dir: Path, collect: Callable[[], Mapping[str, Any]], *, root: str = "", pid: int | None = None
    ) -> None:
        self._path: Final = stats_dir(data_dir) / f"{pid or os.getpid()}.json"
        self._collect: Final = collect
        self._root: Final = root
        self._started_s: Final = time.monotonic()
        self._is_failing = False

    async def run(self, interval_s: float = PUBLISH_S) -> None:
        """Publish for ever; cancelling it removes the file."""
        try:
            while True:
                try:
                    await anyio.to_thread.run_sync(self.publish, abandon_on_cancel=True)
                except Exception:  # boundary: a process at its memory limit cannot start threads; it may later
                    self._note_failure()
                await anyio.sleep(interval_s)
        finally:
            self.close()

    def publish(self) -> bool:
        """Write the snapshot now; return whether that worked."""
        try:
            head = {
                "format": FORMAT,
                "pid": int(self._path.stem),
                "root": self._root,
                "written_at": time.time(),
                "uptime_s": round(time.monotonic() - self._started_s, 1),
            }
            self._write(json.dumps({**head, **self._collect()}).encode())
        except Exception:  # boundary: statistics must not cost a server its life
            self._note_failure()
            return False
        self._is_failing = False
        return True

    def close(self) -> None:
        """Remove the snapshot: the server is gone."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _note_failure(self) -> None:
        """Log the first failure of a burst."""
        if not self._is_failing:
            self._is_failing = True
            logger.warning("statistics cannot be published", exc_info=True)

    def _write(self, data: bytes) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_suffix(".tmp")
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        draft.replace(self._path)


def read_snapshots(data_dir: Path) -> list[dict[str, Any]]:
    """Return the snapshots of the servers that are alive, by process id; unreadable files are skipped."""
    import psutil

    snapshots: list[dict[str, Any]] = []
    with contextlib.suppress(OSError):
        for path in sorted(stats_dir(data_dir).glob("*.json")):
            snapshot = _load(path)
            if snapshot is not None and psutil.pid_exists(int(snapshot["pid"])):
                snapshots.append(snapshot)
    return snapshots


def watch(
    data_dir: Path,
    *,
    interval_s: float = 1.0,
    rounds: int | None = None,
    console: "Console | None" = None,
    sleep: Callable[[float], object] = time.sleep,
) -> int:
    """Show every running server until interrupted, or for so many rounds; return the exit code."""
    from rich.console import Console
    from rich.live import Live

    screen = console or Console()
    trends: dict[int, deque[float]] = {}
    with contextlib.suppress(KeyboardInterrupt), Live(console=screen, auto_refresh=False, transient=False) as live:
        shown = 0
        while rounds is None or shown < rounds:
            snapshots = read_snapshots(data_dir)
            for snapshot in snapshots:
                trend = trends.setdefault(int(snapshot["pid"]), deque(maxlen=TREND_SAMPLES))
                trend.append(float(_part(snapshot, "pressure").get("p", 0.0)))
            live.update(render(snapshots, trends, now=time.time()), refresh=True)
            shown += 1
            if rounds is None or shown < rounds:
                sleep(interval_s)
    return 0


def render(snapshots: Iterable[Mapping[str, Any]], trends: Mapping[int, Iterable[float]], *, now: float) -> "RenderableType":
    """Return one panel a server: level, bars, trend, and what left last."""
    from rich.console import Group
    from rich.text import Text

    panels = [_panel(snapshot, trends.get(int(snapshot["pid"]), ()), now) for snapshot in snapshots]
    return Group(*panels) if panels else Text("No running server. Start one with: penstock serve")


def trend_of(values: Iterable[float]) -> str:
    """Return the values, 0 to 1, as a row of blocks."""
    return "".join(TREND[min(len(TREND) - 1, max(0, int(value * len(TREND))))] for value in values)


def _panel(snapshot: Mapping[str, Any], trend: Iterable[float], now: float) -> "RenderableType":
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    pressure, evictions = _part(snapshot, "pressure"), _part(snapshot, "evictions")
    level = str(pressure.get("level", "?"))
    head = Text.assemble(
        (f" {level} ", STYLES.get(level, "")),
        f"  p {float(pressure.get('p', 0)):.2f} by {pressure.get('driver') or 'nothing'} {pressure.get('detail', '')}",
        f"\n{trend_of(trend)}",
    )
    seen = ", ".join(str(name) for name in pressure.get("seen", ()))
    foot = Text(
        f"levels seen: {seen} · {pressure.get('changes', 0)} changes · {evictions.get('rounds', 0)} eviction rounds, "
        f"{_mb(evictions.get('freed_bytes', 0))} freed · {pressure.get('refusals', 0)} refused",
        style="dim",
    )
    age = max(0.0, now - float(snapshot.get("written_at", now)))
    title = f"penstock {snapshot['pid']} · {snapshot.get('root') or '?'}"
    body = Group(head, _bars(snapshot), _rounds(evictions.get("last", ())[-5:]), foot)
    return Panel(body, title=Text(title), subtitle=f"{age:.0f} s ago", title_align="left", subtitle_align="right")


def _bars(snapshot: Mapping[str, Any]) -> "RenderableType":
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    ledger, memory = _part(snapshot, "ledger"), _part(snapshot, "memory")
    table = Table.grid(padding=(0, 1))
    table.add_column(width=7)
    table.add_column(width=32)
    table.add_column(overflow="fold")
    used, budget = int(ledger.get("used_bytes", 0)), max(1, int(ledger.get("budget_bytes", 1)))
    table.add_row("ledger", ProgressBar(total=budget, completed=min(used, budget), width=30), f"{_mb(used)} of {_mb(budget)}")
    ratio = float(memory.get("rss_ratio", 0.0))
    numbers = f"{_mb(memory.get('rss_bytes', 0))} of {_mb(memory.get('limit_bytes', 0))}"
    about = f"baseline {_mb(memory.get('baseline_bytes', 0))}, limited by {memory.get('effective_source', '?')}"
    table.add_row("RSS", ProgressBar(total=1.0, completed=min(ratio, 1.0), width=30), f"{numbers} ({about})")
    accounts = ", ".join(f"{name} {_mb(size)}" for name, size in dict(ledger.get("accounts", {})).items() if size)
    table.add_row("", "", accounts or "nothing cached")
    return table


def _rounds(rounds: Iterable[Mapping[str, Any]]) -> "RenderableType":
    from rich.table import Table

    table = Table(box=None, header_style="bold", padding=(0, 1))
    for name in ("ago", "level", "action", "freed", "RSS", "p"):
        table.add_column(name, no_wrap=True)
    for each in rounds:
        table.add_row(
            f"{float(each['ago_s']):.0f} s",
            str(each["level"]),
            str(each["action"]) + (" (escalated)" if each.get("is_escalated") else ""),
            _mb(each["freed_bytes"]),
            f"{int(each['rss_delta_bytes']) / 1e6:+.1f} MB",
            f"{float(each['p_before']):.2f} → {float(each['p_after']):.2f}",
        )
    return table


def _mb(nbytes: object) -> str:
    return f"{int(cast('int', nbytes)) / MB:,.1f} MB"


def _part(snapshot: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = snapshot.get(name)
    return cast("Mapping[str, Any]", part) if isinstance(part, dict) else {}


def _load(path: Path) -> dict[str, Any] | None:
    """Return a snapshot, or None if the file is not one of this format."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        snapshot: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(snapshot, dict):
        return None
    fields = cast("dict[str, Any]", snapshot)
    return fields if fields.get("format") == FORMAT and isinstance(fields.get("pid"), int) else None
