"""The board: what is published, and when a look at the ledger alone is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.pressure.board import CALM_SAMPLES, KEPT_CHANGES, LevelBoard, band_of
from penstock.cache.pressure.levels import PressureLevel, level_of
from penstock.cache.pressure.limits import plan_rss_limit
from penstock.cache.pressure.reading import Driver, PressureReading

if TYPE_CHECKING:
    from .conftest import FakeClock

BUDGET = 1_000_003


def reading(ledger_bytes: int) -> PressureReading:
    return PressureReading(
        p=ledger_bytes / BUDGET,
        driver=Driver.LEDGER,
        ledger_bytes=ledger_bytes,
        budget_bytes=BUDGET,
        rss_bytes=0,
        retained_bytes=0,
        limit=plan_rss_limit(0, 1 << 32),
    )


@given(st.integers(0, BUDGET), st.integers(0, BUDGET))
def test_inside_the_band_the_level_cannot_have_changed_by_more_than_a_byte(before: int, after: int) -> None:
    low, high = band_of(reading(before))
    assert low <= before < high
    if low < after < high - 1:
        assert level_of(after / BUDGET) == level_of(min(max(before, low + 1), high - 2) / BUDGET)


def test_calm_takes_several_quiet_samples_in_a_row(clock: FakeClock) -> None:
    board = LevelBoard(clock)
    assert CALM_SAMPLES == 5
    for _ in range(CALM_SAMPLES - 1):
        board.publish(reading(0))
    assert not board.is_calm
    board.publish(reading(0))
    assert board.is_calm
    board.publish(reading(int(0.65 * BUDGET)))
    assert not board.is_calm
    assert board.level is PressureLevel.NORMAL


def test_the_history_is_bounded(clock: FakeClock) -> None:
    board = LevelBoard(clock)
    for _ in range(KEPT_CHANGES):
        clock.advance(100)
        board.publish(reading(BUDGET))
        for _ in range(8):
            clock.advance(100)
            board.publish(reading(0))
    statistics = board.statistics()
    assert len(statistics.history) == KEPT_CHANGES
    assert statistics.changes > KEPT_CHANGES
