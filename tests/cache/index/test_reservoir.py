import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.index.reservoir import IDLE_TTL_S, MAX_SESSIONS, WARMUP, WINDOW, ReservoirLimits, SessionReservoir


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_constants_are_the_seeds() -> None:
    limits = ReservoirLimits()
    assert (WINDOW, WARMUP, IDLE_TTL_S, MAX_SESSIONS, limits.sweep_every_s) == (128, 12, 3600.0, 1280, 450.0)


@given(st.lists(st.floats(0, 1), min_size=WARMUP, max_size=300))
def test_the_median_is_that_of_the_last_window(samples: list[float]) -> None:
    reservoir = SessionReservoir()
    for sample in samples:
        reservoir.observe("a", sample)
    assert reservoir.median("a") == statistics.median(samples[-WINDOW:])


def test_there_is_no_median_while_a_session_warms_up() -> None:
    reservoir = SessionReservoir()
    for _ in range(WARMUP - 1):
        reservoir.observe("a", 0.5)
    assert reservoir.median("a") is None
    assert reservoir.is_warming_up("a")
    assert reservoir.median("unknown") is None
    reservoir.observe("a", 0.5)
    assert reservoir.median("a") == 0.5


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_at_the_door(value: float) -> None:
    """Seed 003 sorted NaN as equal to everything."""
    reservoir = SessionReservoir()
    with pytest.raises(ValueError, match="finite"):
        reservoir.observe("a", value)
    assert len(reservoir) == 0


def test_the_cap_holds_after_every_insert() -> None:
    """Seed 003 held it only at sweeps."""
    reservoir = SessionReservoir(ReservoirLimits(max_sessions=3))
    for session in "abcad":
        reservoir.observe(session, 0.1)
        assert len(reservoir) <= 3
    assert reservoir.statistics().displaced == 1
    for _ in range(WARMUP):
        reservoir.observe("a", 0.3)
    assert reservoir.median("a") == 0.3


def test_idle_sessions_go_with_the_sweep_that_an_observation_makes() -> None:
    clock = Clock()
    reservoir = SessionReservoir(clock=clock)
    reservoir.observe("old", 0.1)
    clock.now = IDLE_TTL_S
    reservoir.observe("new", 0.1)
    assert len(reservoir) == 2
    clock.now = IDLE_TTL_S * 9 / 8
    reservoir.observe("new", 0.1)
    assert (len(reservoir), reservoir.statistics().expired) == (1, 1)


def test_a_sweep_reports_what_it_dropped() -> None:
    clock = Clock()
    reservoir = SessionReservoir(clock=clock)
    reservoir.observe("a", 0.1)
    assert reservoir.sweep().expired == 0
    clock.now = 2 * IDLE_TTL_S
    report = reservoir.sweep()
    assert (report.expired, report.active) == (1, 0)


@pytest.mark.parametrize("field", ["window", "warmup", "idle_ttl_s", "max_sessions"])
def test_limits_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        ReservoirLimits(**{field: 0})  # pyright: ignore[reportArgumentType]


def test_a_warmup_longer_than_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="warmup"):
        ReservoirLimits(window=4, warmup=5)


def test_its_statistics_tell_sessions_that_are_calibrated_and_sweeps() -> None:
    clock = Clock()
    reservoir = SessionReservoir(ReservoirLimits(window=4, warmup=2, idle_ttl_s=80), clock=clock)
    for session, entropy in (("a", 0.5), ("a", 0.6), ("b", 0.7)):
        reservoir.observe(session, entropy)
    found = reservoir.statistics()
    assert (found.sessions, found.calibrated, found.observations, found.sweeps) == (2, 1, 3, 0)
    clock.now += 100
    reservoir.observe("c", 0.1)
    found = reservoir.statistics()
    assert (found.sessions, found.calibrated, found.observations, found.sweeps, found.expired) == (1, 0, 4, 1, 2)
