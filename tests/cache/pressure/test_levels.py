"""Levels and hysteresis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.pressure.levels import (
    ENTER_RATIO,
    HOLD_S,
    MAX_CHANGES,
    WINDOW_S,
    LevelState,
    PressureLevel,
    advance,
    leave_ratio,
    level_of,
)

steps = st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.01, 20.0)), max_size=200)


def run(signal: list[tuple[float, float]], start: LevelState | None = None) -> list[tuple[float, PressureLevel]]:
    """Feed (p, seconds since the last sample) and return (time, level) of every change."""
    state, now, changes = start or LevelState(), 0.0, list[tuple[float, PressureLevel]]()
    for p, gap in signal:
        now += gap
        after = advance(state, p, now)
        if after.level is not state.level:
            changes.append((now, after.level))
        state = after
    return changes


@pytest.mark.parametrize(
    ("p", "level"),
    [(0, 0), (0.699, 0), (0.70, 1), (0.799, 1), (0.80, 2), (0.899, 2), (0.90, 3), (0.949, 3), (0.95, 4), (1.0, 4), (9.0, 4)],
)
def test_each_mark_begins_its_level(p: float, level: int) -> None:
    assert level_of(p) == level


@pytest.mark.parametrize("p", [float("nan"), -0.1])
def test_a_p_that_is_no_ratio_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="p must be"):
        advance(LevelState(), p, 0.0)


@given(steps, st.floats(0.0, 2.0))
def test_a_rise_is_published_at_once(signal: list[tuple[float, float]], p: float) -> None:
    state, now = LevelState(), 0.0
    for value, gap in signal:
        now += gap
        state = advance(state, value, now)
    assert advance(state, p, now).level >= level_of(p)


@given(steps)
def test_every_fall_is_by_one_level_and_not_within_the_hold(signal: list[tuple[float, float]]) -> None:
    level, last_s = PressureLevel.NORMAL, float("-inf")
    for at, after in run(signal):
        if after < level:
            assert after == level - 1
            assert at - last_s >= HOLD_S
        level, last_s = after, at


@given(steps)
def test_any_signal_changes_the_level_at_most_six_times_a_minute(signal: list[tuple[float, float]]) -> None:
    times = [at for at, _ in run(signal)]
    for first in times:
        assert sum(first <= at < first + WINDOW_S for at in times) <= MAX_CHANGES


@given(st.sampled_from(list(PressureLevel)), st.lists(st.floats(0.0, 0.0999), min_size=1, max_size=120))
def test_noise_smaller_than_the_gap_never_lowers_a_level(level: PressureLevel, noise: list[float]) -> None:
    """A signal that wavers between the leave mark and just under the enter mark of the level above."""
    start = LevelState(level)
    signal = [(leave_ratio(level) + (ENTER_RATIO[level] - leave_ratio(level)) * 10 * value, 1.0) for value in noise]
    assert run(signal, start) == []


def test_a_sharp_relief_brings_the_level_down_step_by_step() -> None:
    changes = run([(1.0, 1.0), *[(0.1, 1.0)] * 100])
    assert [level for _, level in changes] == [4, 3, 2, 1, 0]
    assert [round(at) for at, _ in changes] == [1, 12, 22, 61, 82]


def test_one_sample_above_the_leave_mark_restarts_the_hold() -> None:
    start = LevelState(PressureLevel.SOFT)
    assert run([*[(0.5, 1.0)] * 8, (0.65, 1.0), *[(0.5, 1.0)] * 9], start) == []
    assert run([*[(0.5, 1.0)] * 11], start) == [(11.0, PressureLevel.NORMAL)]
