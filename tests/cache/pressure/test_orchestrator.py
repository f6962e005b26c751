"""The orchestrator over small real caches and the real ledger."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from penstock.cache.pressure.homeostasis import TARGET_RATIO, Action
from penstock.cache.pressure.levels import PressureLevel
from penstock.cache.pressure.limits import MB
from penstock.cache.pressure.orchestrator import KEPT_EXPLANATIONS, RECYCLE_INTERVAL_S

if TYPE_CHECKING:
    from penstock.cache.pressure.rounds import Explanation

    from .conftest import Rig

NORMAL, SOFT, MEDIUM, HARD, CRITICAL = PressureLevel


def fill(rig: Rig, *, megabytes: int, protected: bool = False, pinned: bool = False, prefix: str = "f") -> None:
    for number in range(megabytes):
        rig.evictor.store(f"{prefix}{number}", MB, is_protected=protected, is_pinned=pinned)


def answer(rig: Rig, level: PressureLevel) -> Explanation:
    explanation = rig.orchestrator.on_pressure(level)
    assert explanation is not None
    return explanation


def test_normal_pressure_does_nothing(rig: Rig) -> None:
    fill(rig, megabytes=50)
    assert rig.orchestrator.on_pressure(NORMAL) is None
    assert rig.evictor.calls == []


def test_soft_pressure_with_an_empty_cache_harms_nothing(rig: Rig) -> None:
    assert answer(rig, SOFT).freed_bytes == 0


def test_soft_trims_outputs_and_keeps_the_files(rig: Rig) -> None:
    fill(rig, megabytes=60)
    rig.evictor.add_output("f0", 12 * MB)
    explanation = answer(rig, rig.gauge.read().level)
    assert explanation.action is Action.TRIM_OUTPUTS
    assert explanation.freed_bytes == 12 * MB
    assert explanation.helped
    assert len(rig.evictor.entries) == 60


def test_medium_evicts_probationary_entries_only_down_to_the_target(rig: Rig) -> None:
    """Fault of the seed: the target was ignored and every probationary entry went."""
    fill(rig, megabytes=20, protected=True, prefix="p")
    fill(rig, megabytes=65)
    answer(rig, MEDIUM)
    assert rig.ledger.used_bytes == int(TARGET_RATIO * 100) * MB
    assert sum(entry.is_protected for entry in rig.evictor.entries.values()) == 20


def test_hard_unloads_the_index_before_protected_entries_suffer(rig: Rig) -> None:
    rig.index.load(40 * MB)
    fill(rig, megabytes=52, protected=True)
    explanation = answer(rig, HARD)
    assert explanation.action is Action.UNLOAD_INDICES
    assert (rig.index.unloads, len(rig.evictor.entries)) == (1, 52)


def test_an_index_in_the_ledger_leaves_the_caches_the_rest_of_the_target(rig: Rig) -> None:
    rig.index.load(30 * MB)
    fill(rig, megabytes=55)
    answer(rig, MEDIUM)
    assert rig.ledger.used_bytes <= TARGET_RATIO * 100 * MB
    assert rig.index.unloads == 0


def test_soft_lets_go_of_an_indexs_pages_and_says_what_that_gave(rig: Rig) -> None:
    """A searched index of many segments can be most of RSS; its pages come back for the asking."""
    rig.index.mapped_bytes = 300 * MB
    rig.set_rss_ratio(0.75)
    rig.index.on_release = lambda: rig.set_rss_ratio(0.25)
    explanation = answer(rig, SOFT)
    assert (explanation.action, explanation.helped, rig.index.unloads) == (Action.TRIM_OUTPUTS, True, 0)
    assert "released index pages 268,435,456 bytes" in explanation.what


def test_critical_drops_everything_but_pins_and_spools_all_of_it(rig: Rig) -> None:
    fill(rig, megabytes=10, pinned=True, prefix="pin")
    fill(rig, megabytes=80, protected=True)
    rig.index.load(5 * MB)
    explanation = answer(rig, CRITICAL)
    assert explanation.action is Action.EMERGENCY_DROP
    assert explanation.freed_bytes == 85 * MB
    assert len(rig.evictor.spooled) == 80
    assert all(entry.is_pinned for entry in rig.evictor.entries.values())


def test_what_was_evicted_lowers_p_and_is_reported(rig: Rig) -> None:
    rig.probe.follow = rig.ledger
    fill(rig, megabytes=97)
    explanation = answer(rig, CRITICAL)
    assert (explanation.p_before, explanation.p_after) == (0.97, 0.0)
    assert explanation.rss_delta_bytes == -97 * MB
    assert explanation.helped
    statistics = rig.orchestrator.statistics()
    assert statistics.explanations == (explanation,)
    assert (statistics.rounds, statistics.freed_bytes) == (1, 97 * MB)
    assert "1 rounds" in repr(rig.orchestrator)


def test_removing_something_without_lowering_p_is_no_help_and_escalates(rig: Rig) -> None:
    """Fault of the seed: "reduced" meant that something was removed."""
    fill(rig, megabytes=30)
    rig.evictor.add_output("f0", MB)
    rig.set_rss_ratio(0.75)
    first = answer(rig, SOFT)
    assert (first.freed_bytes, first.helped) == (MB, False)
    assert answer(rig, SOFT).action is Action.TRIM_OUTPUTS
    rig.clock.advance(1)
    third = answer(rig, SOFT)
    assert (third.action, third.is_escalated) == (Action.EVICT_PROBATIONARY, True)


def test_a_fall_of_p_that_nothing_freed_is_no_help(rig: Rig) -> None:
    """A neighbour that leaves meanwhile must not make an empty round look useful."""
    rig.set_rss_ratio(0.75)
    rig.evictor.before_drop = lambda: rig.set_rss_ratio(0.72)
    explanation = answer(rig, SOFT)
    assert explanation.p_after < explanation.p_before
    assert (explanation.freed_bytes, explanation.helped) == (0, False)


def test_steps_that_are_not_needed_any_more_are_not_taken(rig: Rig) -> None:
    fill(rig, megabytes=60)
    rig.evictor.add_output("f0", 25 * MB)
    explanation = answer(rig, MEDIUM)
    assert explanation.action is Action.EVICT_PROBATIONARY
    assert rig.evictor.calls == ["trim_outputs", f"evict_probationary {int(TARGET_RATIO * 100 * MB)}"]
    rig.evictor.calls.clear()
    rig.evictor.clear()
    fill(rig, megabytes=20)
    rig.evictor.calls.clear()
    rig.evictor.add_output("f0", 65 * MB)
    assert answer(rig, MEDIUM).freed_bytes == 65 * MB
    assert rig.evictor.calls == ["trim_outputs"], "the target was met without an eviction"
    assert len(rig.evictor.entries) == 20


def test_recovery_ends_the_escalation(rig: Rig) -> None:
    rig.set_rss_ratio(0.75)
    escalated: list[bool] = []
    for _ in range(3):
        escalated.append(answer(rig, SOFT).is_escalated)
        rig.clock.advance(61)
    assert escalated == [False, False, True]
    rig.orchestrator.on_pressure(NORMAL)
    assert not answer(rig, SOFT).is_escalated


def test_an_alarm_from_outside_excuses_nothing(rig: Rig) -> None:
    """That the machine is short of memory says nothing about this process's heap."""
    rig.set_rss_ratio(0.5)
    rig.probe.set(available_bytes=MB)
    answer(rig, CRITICAL)
    answer(rig, CRITICAL)
    assert rig.orchestrator.statistics().retained_bytes == 0


def test_rss_pressure_takes_its_excess_from_the_caches(rig: Rig) -> None:
    rig.probe.follow = rig.ledger
    fill(rig, megabytes=60)
    rig.probe.set(rss_bytes=100 * MB + round(0.8 * 512 * MB) - 40 * MB)
    reading = rig.gauge.read()
    assert reading.level is MEDIUM
    answer(rig, MEDIUM)
    assert rig.ledger.used_bytes == 0, "all of the ledger is less than RSS's excess"


def test_a_round_that_is_running_is_not_waited_for(rig: Rig) -> None:
    """Fault of the seed: a contended cache counted as a full one and led to an emergency drop."""
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert leave.wait(10)

    fill(rig, megabytes=85)
    rig.evictor.before_drop = hold
    thread = threading.Thread(target=rig.orchestrator.on_pressure, args=(MEDIUM,))
    thread.start()
    assert entered.wait(10)
    assert rig.orchestrator.on_pressure(CRITICAL) is None
    assert rig.orchestrator.on_pressure(NORMAL) is None
    rig.evictor.store("meanwhile", MB)  # calls go on while a round runs
    leave.set()
    thread.join(10)
    assert not any(call == "clear" for call in rig.evictor.calls)
    assert rig.orchestrator.statistics().skipped == 1


def test_memory_that_the_allocator_keeps_is_recognised_excused_and_not_chased(rig: Rig) -> None:
    rig.set_rss_ratio(0.97)
    first, second = answer(rig, CRITICAL), answer(rig, CRITICAL)
    assert (first.retained_bytes, second.retained_bytes) == (0, 0)
    statistics = rig.orchestrator.statistics()
    assert statistics.retained_bytes == 256 * MB
    assert rig.gauge.read().p < 0.5
    assert rig.orchestrator.on_pressure(CRITICAL) is None, "backed off"
    assert statistics.backoff_s == 1.0


def test_rounds_without_a_trim_say_nothing_about_the_allocator(rig: Rig) -> None:
    rig.set_rss_ratio(0.92)
    rounds = 0
    for _ in range(29):
        rounds += rig.orchestrator.on_pressure(HARD) is not None
        rig.clock.advance(1)
    assert (rig.trims, rounds) == (1, 6), "rounds that free nothing come at 0, 1, 2, 4, 8, 16 s"
    assert rig.orchestrator.statistics().retained_bytes == 0
    rig.clock.advance(31)
    answer(rig, HARD)
    assert rig.orchestrator.statistics().retained_bytes > 0


def test_untrimmed_rounds_that_free_much_are_not_held_back(rig: Rig) -> None:
    rig.set_rss_ratio(0.92)
    for number in range(5):
        rig.clock.advance(1)
        fill(rig, megabytes=20, prefix=f"{number}-")
        assert answer(rig, HARD).freed_bytes == 20 * MB


def test_a_heap_left_over_from_an_explicit_eviction_is_given_back(rig: Rig) -> None:
    rig.probe.set(rss_bytes=150 * MB)
    rig.orchestrator.on_pressure(NORMAL)
    assert rig.trims == 0, "50 MB are what running calls use"
    rig.probe.set(rss_bytes=190 * MB)
    rig.orchestrator.on_pressure(NORMAL)
    assert rig.trims == 1
    rig.clock.advance(100)
    rig.orchestrator.on_pressure(NORMAL)
    assert rig.trims == 1, "what a trim leaves behind is not worth another"
    rig.probe.set(rss_bytes=230 * MB)
    rig.orchestrator.on_pressure(NORMAL)
    assert rig.trims == 2


def test_pins_that_fill_the_ledger_are_kept_and_not_chased(rig: Rig) -> None:
    fill(rig, megabytes=97, pinned=True)
    answer(rig, CRITICAL)
    answer(rig, CRITICAL)
    done = 0
    for _ in range(120):
        rig.clock.advance(1)
        done += rig.orchestrator.on_pressure(CRITICAL) is not None
    assert done <= 7, "1, 2, 4, … 60 s"
    assert len(rig.evictor.entries) == 97
    assert rig.orchestrator.statistics().retained_bytes == 0, "pins are not the allocator's fault"


def test_recovery_ends_the_backing_off(rig: Rig) -> None:
    fill(rig, megabytes=97, pinned=True)
    for _ in range(2):
        answer(rig, CRITICAL)
    assert rig.orchestrator.on_pressure(CRITICAL) is None
    rig.orchestrator.on_pressure(NORMAL)
    assert rig.orchestrator.on_pressure(CRITICAL) is not None


def test_a_failing_store_keeps_its_items_and_the_rest_goes_on(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    fill(rig, megabytes=70)
    rig.index.load(25 * MB)
    rig.evictor.failure = OSError("disk full")
    explanation = answer(rig, CRITICAL)
    assert explanation.what.startswith("dropped caches failed, unloaded index")
    assert (len(rig.evictor.entries), rig.index.resident_bytes) == (70, 0)
    answer(rig, CRITICAL)
    assert rig.orchestrator.statistics().failures == 2
    assert len(caplog.records) == 1, "one warning a burst"
    rig.evictor.failure = None
    answer(rig, CRITICAL)
    rig.evictor.failure = OSError("disk full again")
    answer(rig, CRITICAL)
    assert len(caplog.records) == 2, "armed again by a success"


def test_workers_are_recycled_at_hard_at_most_once_a_minute(rig: Rig) -> None:
    answer(rig, MEDIUM)
    assert rig.recycled == 0
    answer(rig, HARD)
    answer(rig, CRITICAL)
    assert rig.recycled == 1
    rig.clock.advance(RECYCLE_INTERVAL_S)
    rig.recycle_failure = RuntimeError("stuck")
    assert "recycled" not in answer(rig, CRITICAL).what
    assert (rig.recycled, rig.orchestrator.statistics().failures) == (2, 1)


def test_only_the_last_explanations_are_kept(rig: Rig) -> None:
    for _ in range(KEPT_EXPLANATIONS + 5):
        rig.clock.advance(61)
        answer(rig, SOFT)
    statistics = rig.orchestrator.statistics()
    assert (len(statistics.explanations), statistics.rounds) == (KEPT_EXPLANATIONS, KEPT_EXPLANATIONS + 5)
