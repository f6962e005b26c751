"""The gauge: what p is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.cache.pressure.gauge import LIMIT_TTL_S, MAX_FIXED_BYTES, PressureGauge
from penstock.cache.pressure.levels import PressureLevel
from penstock.cache.pressure.limits import MB, EffectiveLimit
from penstock.cache.pressure.reading import Driver

if TYPE_CHECKING:
    from .conftest import Rig


def test_an_empty_server_is_under_no_pressure(rig: Rig) -> None:
    reading = rig.gauge.read()
    assert (reading.p, reading.level) == (0.0, PressureLevel.NORMAL)
    assert reading.limit.limit_bytes == 612 * MB


def test_p_is_the_higher_of_the_ledgers_and_rsss_ratio(rig: Rig) -> None:
    rig.evictor.store("a", 80 * MB)
    rig.set_rss_ratio(0.5)
    reading = rig.gauge.read()
    assert (reading.p, reading.driver) == (0.8, Driver.LEDGER)
    rig.set_rss_ratio(0.92)
    reading = rig.gauge.read()
    assert reading.p == pytest.approx(0.92)
    assert (reading.driver, reading.level) == (Driver.RSS, PressureLevel.HARD)


def test_a_quick_reading_sees_rss_and_the_ledger(rig: Rig) -> None:
    rig.set_rss_ratio(0.75)
    assert rig.gauge.read_quickly().p == pytest.approx(0.75)


def test_fixed_costs_belong_to_the_baseline(rig: Rig) -> None:
    rig.probe.set(rss_bytes=150 * MB)
    rig.gauge.add_fixed("vocabulary", 40 * MB)
    rig.gauge.add_fixed("vocabulary", 50 * MB)
    assert rig.gauge.read().p == 0.0
    assert rig.gauge.statistics().limit.limit_bytes == 662 * MB
    with pytest.raises(ValueError, match="nbytes"):
        rig.gauge.add_fixed("x", -1)


def test_modules_that_are_imported_later_are_measured_once_and_belong_to_the_baseline(rig: Rig) -> None:
    loads = 0

    def load() -> None:
        nonlocal loads
        loads += 1
        rig.probe.set(rss_bytes=rig.probe.current.rss_bytes + 13 * MB)

    for _ in range(2):
        rig.gauge.load_fixed("modules", load)
    assert (loads, rig.gauge.statistics().fixed_bytes) == (1, {"modules": 13 * MB})
    assert rig.gauge.read().growth_bytes == 0
    rig.gauge.load_fixed("storm", lambda: rig.probe.set(rss_bytes=900 * MB))
    assert rig.gauge.statistics().fixed_bytes["storm"] == MAX_FIXED_BYTES, "what others allocate meanwhile is no baseline"
    rig.gauge.load_fixed("shrinking", lambda: rig.probe.set(rss_bytes=90 * MB))
    assert rig.gauge.statistics().fixed_bytes["shrinking"] == 0


def test_the_baseline_leaves_out_what_the_ledger_holds(rig: Rig) -> None:
    rig.evictor.store("a", 30 * MB)
    rig.probe.set(rss_bytes=140 * MB)
    assert rig.gauge.measure_baseline() == 110 * MB


def test_little_available_memory_is_critical_whatever_the_ledger_says(rig: Rig) -> None:
    rig.probe.set(available_bytes=100 * MB)
    reading = rig.gauge.read()
    assert (reading.level, reading.driver) == (PressureLevel.CRITICAL, Driver.SCARCE)
    assert "MemAvailable" in reading.detail
    rig.probe.set(available_bytes=300 * MB)
    assert rig.gauge.read().level is PressureLevel.NORMAL


def test_memory_stalls_of_150_ms_a_second_are_critical(rig: Rig) -> None:
    rig.gauge.read()
    rig.clock.advance(2)
    rig.probe.set(stall_us=310_000)
    assert rig.gauge.read().driver is Driver.STALL
    rig.clock.advance(0.5)
    assert rig.gauge.read().level is PressureLevel.CRITICAL, "a window that is too short changes nothing"
    rig.clock.advance(2)
    rig.probe.set(stall_us=320_000)
    assert rig.gauge.read().level is PressureLevel.NORMAL
    rig.probe.set(stall_us=None)
    assert rig.gauge.read().level is PressureLevel.NORMAL


def test_hitting_the_cgroups_limit_counts_only_when_file_cache_is_not_the_cause(rig: Rig) -> None:
    rig.gauge.read()
    rig.probe.set(throttles=5)
    assert rig.gauge.read().level is PressureLevel.NORMAL
    rig.probe.set(throttles=9, is_tight=True)
    assert rig.gauge.read().driver is Driver.THROTTLE
    assert rig.gauge.read().level is PressureLevel.NORMAL, "the counter stands still again"


def test_a_limit_that_changes_while_the_server_runs_is_noticed(rig: Rig) -> None:
    rig.probe.limit = EffectiveLimit(600 * MB, "cgroup")
    assert rig.gauge.read().limit.limit_bytes == 612 * MB
    rig.clock.advance(LIMIT_TTL_S)
    assert rig.gauge.read().limit.limit_bytes == 300 * MB
    assert rig.gauge.statistics().effective_limit.source == "cgroup"


def test_a_failing_probe_leaves_the_ledger_in_charge(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.probe.failure = OSError("gone")
    rig.evictor.store("a", 96 * MB)
    assert rig.gauge.read().level is PressureLevel.CRITICAL
    rig.gauge.read_quickly()
    assert [record.message for record in caplog.records] == [
        "memory cannot be measured; pressure follows the ledger until it can"
    ]
    rig.probe.failure = None
    rig.gauge.read()
    rig.probe.failure = RuntimeError("again")
    rig.gauge.read()
    assert len(caplog.records) == 2, "the warning is armed again after a success"
    assert rig.gauge.statistics().probe_failures == 3


def test_a_probe_that_never_works_still_gives_a_gauge(rig: Rig) -> None:
    rig.probe.failure = OSError("no /proc")
    gauge = PressureGauge(rig.ledger, rig.probe, clock=rig.clock)
    rig.evictor.store("a", 75 * MB)
    assert gauge.read().level is PressureLevel.SOFT
    assert gauge.statistics().effective_limit.source == "unknown"
    assert "budget" in repr(gauge)


def test_retained_memory_is_excused_up_to_half_of_the_growth_and_shrinks_by_itself(rig: Rig) -> None:
    rig.evictor.store("a", 20 * MB)
    rig.set_rss_ratio(0.97)
    rig.gauge.read()
    assert rig.gauge.excuse_retained() == 256 * MB
    assert rig.gauge.read().p == pytest.approx(0.47)
    rig.probe.set(rss_bytes=150 * MB)
    reading = rig.gauge.read()
    assert reading.retained_bytes == 30 * MB
    rig.probe.set(rss_bytes=100 * MB + round(0.97 * 512 * MB))
    assert rig.gauge.read().level is PressureLevel.HARD, "an excuse does not grow back"


def test_memory_filled_again_by_the_ledger_is_no_longer_excused(rig: Rig) -> None:
    rig.probe.set(rss_bytes=200 * MB)
    rig.gauge.read()
    assert rig.gauge.excuse_retained() == 100 * MB
    rig.evictor.store("a", 60 * MB)
    assert rig.gauge.read().retained_bytes == 40 * MB


def test_excess_is_counted_above_the_asked_ratio(rig: Rig) -> None:
    rig.set_rss_ratio(0.75)
    assert rig.gauge.read().excess_bytes(0.5) == 128 * MB
    assert rig.gauge.read().excess_bytes(0.9) == 0
