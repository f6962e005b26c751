"""The stats file and its view in the terminal."""

import io
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from rich.console import Console

from penstock.cache.ledger import Ledger
from penstock.cache.pressure.gauge import PressureGauge
from penstock.cache.pressure.guard import MemoryGuard
from penstock.cache.pressure.orchestrator import EvictionOrchestrator
from penstock.cache.pressure.probe import SystemProbe
from penstock.cache.pressure.snapshot import pressure_snapshot
from penstock.server.stats import StatsPublisher, read_snapshots, render, stats_dir, trend_of, watch


class NoCache:
    """An evictor and an index that hold nothing."""

    resident_bytes = mapped_bytes = 0

    def trim_outputs(self) -> int:
        return 0

    def evict_probationary(self, target_bytes: int) -> int:
        return 0

    def evict_to_budget(self, target_bytes: int) -> int:
        return 0

    def clear(self) -> int:
        return 0

    def release_pages(self) -> None:
        return None

    def unload(self) -> int:
        return 0


def real_snapshot() -> Mapping[str, Any]:
    """Take a snapshot of a real guard after one real round."""
    ledger = Ledger(1000)
    gauge = PressureGauge(ledger, SystemProbe())
    orchestrator = EvictionOrchestrator(NoCache(), NoCache(), gauge)
    guard = MemoryGuard(gauge, relief=orchestrator.on_pressure)
    ledger.charge("content", 960)
    guard.after_call()
    return pressure_snapshot(guard, gauge, orchestrator, now_s=0.0)


def shown(renderable: Any) -> str:
    screen = Console(file=io.StringIO(), width=140, force_terminal=False)
    screen.print(renderable)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_a_published_snapshot_is_read_back_whole(tmp_path: Path) -> None:
    snapshot = real_snapshot()
    assert StatsPublisher(tmp_path, lambda: snapshot, root="/w").publish()
    (read,) = read_snapshots(tmp_path)
    assert {name: read[name] for name in snapshot} == json.loads(json.dumps(snapshot))
    assert (read["pid"], read["root"]) == (os.getpid(), "/w")


def test_the_file_is_private_and_goes_with_the_server(tmp_path: Path) -> None:
    publisher = StatsPublisher(tmp_path, dict)
    publisher.publish()
    (path,) = stats_dir(tmp_path).iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    publisher.close()
    publisher.close()
    assert not list(stats_dir(tmp_path).iterdir())


def test_a_link_left_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    publisher = StatsPublisher(tmp_path, dict, pid=7)
    target = tmp_path / "target"
    target.write_text("mine")
    stats_dir(tmp_path).mkdir()
    (stats_dir(tmp_path) / "7.tmp").symlink_to(target)
    assert publisher.publish()
    assert target.read_text() == "mine"


def test_a_folder_that_cannot_be_written_costs_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "stats").write_text("in the way")
    publisher = StatsPublisher(tmp_path, dict)
    assert not publisher.publish()
    assert not publisher.publish()
    assert len(caplog.records) == 1


def test_publishing_goes_on_until_it_is_cancelled(tmp_path: Path) -> None:
    async def main() -> None:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(StatsPublisher(tmp_path, dict).run)
                while not read_snapshots(tmp_path):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()

    anyio.run(main)
    assert read_snapshots(tmp_path) == []


def test_files_of_dead_servers_and_junk_are_skipped(tmp_path: Path) -> None:
    StatsPublisher(tmp_path, dict, pid=(1 << 22) + 1).publish()
    folder = stats_dir(tmp_path)
    (folder / "1.json").write_text("{")
    (folder / "2.json").write_text("[]")
    (folder / "3.json").write_text('{"format": 99, "pid": 1}')
    assert read_snapshots(tmp_path) == []
    assert read_snapshots(tmp_path / "absent") == []


def test_the_view_shows_level_bars_and_what_left(tmp_path: Path) -> None:
    snapshot = {"pid": 5, "root": "/w", "written_at": 100.0, **real_snapshot()}
    text = shown(render([snapshot], {5: [0.0, 0.5, 1.0]}, now=103.0))
    for part in ("CRITICAL", "p 0.96 by ledger", "EMERGENCY_DROP", "ledger", "RSS", "content", "3 s ago", "▁▅█"):
        assert part in text


def test_a_snapshot_from_before_the_first_sample_can_be_shown() -> None:
    assert "penstock 5" in shown(render([{"pid": 5}], {}, now=0.0))


def test_watching_without_a_server_says_how_to_start_one(tmp_path: Path) -> None:
    screen = Console(file=io.StringIO(), width=100)
    pauses: list[float] = []
    assert watch(tmp_path, rounds=2, console=screen, sleep=pauses.append) == 0
    assert isinstance(screen.file, io.StringIO)
    assert "penstock serve" in screen.file.getvalue()
    assert pauses == [1.0]


def test_watching_ends_quietly_when_interrupted(tmp_path: Path) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    StatsPublisher(tmp_path, real_snapshot).publish()
    assert watch(tmp_path, console=Console(file=io.StringIO()), sleep=interrupt) == 0


def test_a_trend_stays_within_its_blocks() -> None:
    assert trend_of([-1.0, 0.0, 0.99, 7.0]) == "▁▁██"


def test_a_process_that_can_start_no_threads_keeps_its_publisher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The guard's task stands beside the publisher's: if one ended with an error, both would be over."""
    publisher = StatsPublisher(tmp_path, dict, pid=os.getpid())
    scopes: list[anyio.CancelScope] = []
    attempts = 0

    async def fail(*_: object, **__: object) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 3:
            scopes[0].cancel()
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(anyio.to_thread, "run_sync", fail)

    async def main() -> None:
        with anyio.move_on_after(10) as scope:
            scopes.append(scope)
            await publisher.run(0.001)

    anyio.run(main)
    assert (attempts, len(caplog.records)) == (3, 1)
