"""The guard: sampling, publishing, admission, and staying alive."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest

from penstock.cache.errors import UnderPressure
from penstock.cache.pressure.board import CALM_SAMPLES
from penstock.cache.pressure.guard import (
    BIG_RESERVATION_BYTES,
    MemoryGuard,
    PollIntervals,
)
from penstock.cache.pressure.levels import PressureLevel
from penstock.cache.pressure.limits import GIVE_BACK_BYTES, MB

if TYPE_CHECKING:
    from penstock.cache.pressure.reading import PressureReading

    from .conftest import Rig

NORMAL, SOFT, MEDIUM, HARD, CRITICAL = PressureLevel


def test_the_level_follows_p_up_at_once_and_down_with_hysteresis(rig: Rig) -> None:
    rig.set_rss_ratio(0.85)
    rig.guard.sample()
    assert rig.guard.level is MEDIUM
    rig.set_rss_ratio(0.2)
    rig.guard.sample()
    assert rig.guard.level is MEDIUM
    rig.clock.advance(10)
    rig.guard.sample()
    assert rig.guard.level is SOFT
    statistics = rig.guard.statistics()
    assert [(change.level, round(change.p, 2)) for change in statistics.history] == [(MEDIUM, 0.85), (SOFT, 0.2)]
    assert (statistics.changes, statistics.samples) == (2, 3)
    assert statistics.seen == (NORMAL, SOFT, MEDIUM)
    assert "SOFT" in repr(rig.guard)


def test_polling_is_fast_under_pressure_and_slow_when_calm(rig: Rig) -> None:
    assert rig.guard.poll_s == 5.0
    for _ in range(CALM_SAMPLES):
        rig.guard.sample()
    assert rig.guard.poll_s == 15.0
    rig.set_rss_ratio(0.65)
    rig.guard.sample()
    assert rig.guard.poll_s == 5.0, "near the mark is not calm"
    rig.set_rss_ratio(0.71)
    rig.guard.sample()
    assert rig.guard.poll_s == 1.0


def test_an_interval_that_would_spin_is_refused() -> None:
    with pytest.raises(ValueError, match="pressure_s"):
        PollIntervals(pressure_s=0)


def test_after_a_call_nothing_is_measured_until_the_ledger_crosses_a_mark(rig: Rig) -> None:
    rig.guard.sample()
    for number in range(69):
        rig.evictor.store(f"f{number}", MB)
        rig.guard.after_call()
    assert rig.guard.statistics().samples == 1
    rig.evictor.store("one more", MB)
    rig.guard.after_call()
    assert rig.guard.statistics().seen == (NORMAL, SOFT)


def test_without_a_running_task_a_crossed_mark_is_answered_in_the_call(rig: Rig) -> None:
    rig.guard.sample()
    for number in range(83):
        rig.evictor.store(f"f{number}", MB)
    rig.guard.after_call()
    assert rig.ledger.used_bytes <= 58 * MB
    assert rig.guard.level is MEDIUM, "the published level falls only after the hold"
    rig.guard.after_call()
    assert rig.orchestrator.statistics().rounds == 1, "a level that lingers needs no action"


def test_every_level_is_seen_when_the_ledger_fills_by_pins(rig: Rig) -> None:
    rig.guard.sample()
    for number in range(97):
        rig.evictor.store(f"f{number}", MB, is_pinned=True)
        rig.guard.after_call()
    assert rig.guard.statistics().seen == (NORMAL, SOFT, MEDIUM, HARD, CRITICAL)


def test_unexplained_memory_is_reported_without_pressure(rig: Rig) -> None:
    rig.guard.sample()
    rig.evictor.store("a", 72 * MB)
    rig.guard.after_call()
    rig.evictor.clear()
    rig.probe.set(rss_bytes=200 * MB)
    rig.clock.advance(60)
    rig.guard.after_call()
    assert rig.trims == 2
    assert rig.orchestrator.statistics().rounds == 1


def test_a_small_reservation_costs_one_comparison(rig: Rig) -> None:
    rig.set_rss_ratio(0.99)
    assert rig.guard.check_now(BIG_RESERVATION_BYTES) is NORMAL
    assert rig.guard.statistics().samples == 0


def test_a_big_reservation_makes_room_before_it_is_made(rig: Rig) -> None:
    rig.probe.follow = rig.ledger
    rig.index.load(40 * MB)
    rig.probe.set(rss_bytes=100 * MB + round(0.86 * 512 * MB) - 40 * MB)
    assert rig.guard.check_now(30 * MB) < HARD
    assert rig.index.unloads == 1
    assert "clear" not in rig.evictor.calls, "a reservation alone never drops everything"


def test_a_reservation_beyond_all_limits_still_drops_nothing_that_is_kept(rig: Rig) -> None:
    rig.probe.follow = rig.ledger
    rig.evictor.store("kept", 10 * MB, is_protected=True)
    assert rig.guard.check_now(2000 * MB) is CRITICAL
    assert "clear" not in rig.evictor.calls


def test_a_big_reservation_with_room_for_it_changes_nothing(rig: Rig) -> None:
    assert rig.guard.check_now(100 * MB) is NORMAL
    assert rig.evictor.calls == []


def test_heavy_work_is_refused_at_critical_and_told_what_to_do_instead(rig: Rig) -> None:
    rig.guard.admit("building the index", 100 * MB)
    rig.probe.set(available_bytes=MB)
    rig.guard.sample()
    with pytest.raises(UnderPressure) as caught:
        rig.guard.admit("building the index", 100 * MB)
    assert 'view="lines"' in caught.value.next_call
    assert "little memory available" in caught.value.why
    with pytest.raises(UnderPressure) as caught:
        rig.guard.admit("compressing", 2 * MB, instead="pass a part of it")
    assert caught.value.next_call == "pass a part of it"
    rig.guard.admit("compressing", 1000)
    assert rig.guard.statistics().refusals == 2


def test_a_failing_relief_is_survived_and_logged_once_per_burst(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    def fail(level: PressureLevel) -> None:
        raise RuntimeError(level.name)

    guard = MemoryGuard(rig.gauge, relief=fail, clock=rig.clock)
    rig.evictor.store("a", 72 * MB)
    guard.after_call()
    rig.evictor.store("b", 10 * MB)
    guard.after_call()
    assert guard.level is MEDIUM
    assert guard.statistics().failures == 2
    assert sum("guard failed (relief)" in record.message for record in caplog.records) == 1


def test_a_gauge_that_breaks_does_not_stop_the_guard(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(rig.gauge, "read_quickly", fail)
    rig.evictor.store("a", 72 * MB)
    rig.guard.after_call()
    assert rig.guard.statistics().failures == 1


def test_a_failure_is_logged_again_after_a_success(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fails = {"gauge": True, "relief": False}
    read = rig.gauge.read_quickly

    def read_or_fail() -> PressureReading:
        if fails["gauge"]:
            raise RuntimeError("gauge")
        return read()

    def relieve(level: PressureLevel) -> None:
        if fails["relief"]:
            raise RuntimeError("relief")

    monkeypatch.setattr(rig.gauge, "read_quickly", read_or_fail)
    guard = MemoryGuard(rig.gauge, relief=relieve, clock=rig.clock)
    rig.evictor.store("a", 72 * MB)
    for name in ("gauge", "relief"):
        for is_failing in (True, True, False, True):
            fails[name] = is_failing
            guard._board.band = (0, 0)  # pyright: ignore[reportPrivateUsage] -- have the next call look
            guard.after_call()
        fails[name] = False
    messages = [record.message for record in caplog.records]
    assert [sum(f"({what})" in message for message in messages) for what in ("sample", "relief")] == [2, 2]
    assert guard.statistics().failures == 6


def test_the_task_has_an_unused_heap_given_back(rig: Rig) -> None:
    """No pressure, no mark crossed: the poll alone notices that RSS stands far above what is accounted for."""
    given_back = threading.Event()

    def relieve(level: PressureLevel) -> None:
        rig.orchestrator.on_pressure(level)
        given_back.set()

    guard = MemoryGuard(rig.gauge, relief=relieve, clock=rig.clock)
    guard.sample()
    rig.probe.set(rss_bytes=100 * MB + GIVE_BACK_BYTES)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(guard.run)
            await anyio.to_thread.run_sync(given_back.wait, 5)
            tasks.cancel_scope.cancel()

    anyio.run(main)
    assert (rig.trims, rig.orchestrator.statistics().rounds) == (1, 0)


def test_the_task_samples_at_once_and_relieves_off_the_event_loop(rig: Rig) -> None:
    threads: list[bool] = []
    rig.evictor.before_drop = lambda: threads.append(threading.current_thread() is threading.main_thread())
    rig.evictor.store("a", 85 * MB)

    async def main() -> None:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(rig.guard.run)
                while rig.orchestrator.statistics().rounds == 0:
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()

    anyio.run(main)
    assert threads
    assert not any(threads)


def test_a_call_that_crosses_a_mark_wakes_the_task(rig: Rig) -> None:
    """The poll is 5 s; relief must not wait for it."""

    async def main() -> None:
        with anyio.fail_after(4):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(rig.guard.run)
                while rig.guard.statistics().samples == 0:
                    await anyio.lowlevel.checkpoint()
                rig.evictor.store("a", 97 * MB)
                await anyio.to_thread.run_sync(rig.guard.after_call)
                while rig.evictor.entries:
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()

    anyio.run(main)
    assert rig.guard.level is CRITICAL


def test_a_guard_without_relief_still_publishes(rig: Rig) -> None:
    guard = MemoryGuard(rig.gauge, clock=rig.clock)
    rig.evictor.store("a", 97 * MB)
    guard.after_call()
    assert guard.level is CRITICAL
    assert guard.statistics().failures == 0


def test_a_mark_crossed_where_the_task_cannot_be_woken_is_answered_there(rig: Rig) -> None:
    """The event loop's own thread cannot wait for itself; nor is there a loop once the task has ended."""

    async def main() -> None:
        with anyio.fail_after(4):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(rig.guard.run)
                while rig.guard.statistics().samples == 0:
                    await anyio.lowlevel.checkpoint()
                rig.evictor.store("a", 97 * MB)
                rig.guard.after_call()
                assert rig.evictor.entries == {}
                tasks.cancel_scope.cancel()

    anyio.run(main)


def test_the_task_outlives_a_probe_that_fails(rig: Rig) -> None:
    rig.probe.failure = RuntimeError("no /proc")

    async def main() -> None:
        with anyio.fail_after(4):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(rig.guard.run)
                while rig.guard.statistics().samples == 0:
                    await anyio.lowlevel.checkpoint()
                rig.probe.failure = None
                rig.evictor.store("a", 97 * MB)
                await anyio.to_thread.run_sync(rig.guard.after_call)
                while rig.evictor.entries:
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()

    anyio.run(main)


def test_the_task_outlives_a_process_that_can_start_no_threads(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What CPython says at RLIMIT_AS or RLIMIT_NPROC: RuntimeError, can't start new thread."""

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        with anyio.fail_after(4):
            async with anyio.create_task_group() as tasks:
                with monkeypatch.context() as patch:
                    patch.setattr(anyio.to_thread, "run_sync", fail)
                    tasks.start_soon(rig.guard.run)
                    while rig.guard.statistics().failures == 0:
                        await anyio.lowlevel.checkpoint()
                rig.evictor.store("a", 97 * MB)
                await anyio.to_thread.run_sync(rig.guard.after_call)
                while rig.evictor.entries:
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()

    anyio.run(main)


def test_calls_go_on_while_a_round_is_spooling(rig: Rig) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert leave.wait(10)

    rig.evictor.before_drop = hold

    async def main() -> None:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(rig.guard.run)
                rig.evictor.store("a", 85 * MB)
                await anyio.to_thread.run_sync(entered.wait)
                rig.evictor.store("b", 12 * MB)
                await anyio.to_thread.run_sync(rig.guard.after_call)
                assert rig.guard.level is CRITICAL, "the guard keeps looking while a round runs"
                leave.set()
                while rig.orchestrator.statistics().rounds == 0:
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()

    anyio.run(main)
