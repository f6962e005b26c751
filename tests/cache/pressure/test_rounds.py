"""Patience with rounds that gain nothing."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.pressure.levels import PressureLevel
from penstock.cache.pressure.rounds import MAX_BACKOFF_S, Patience

HARD = PressureLevel.HARD


def test_two_fruitless_rounds_start_a_wait_that_doubles_to_a_minute() -> None:
    patience, now, waits = Patience(), 0.0, list[float]()
    assert not patience.note(HARD, 1000, 990, now)
    assert patience.is_due(HARD, now)
    for _ in range(8):
        assert patience.note(HARD, 1000, 990, now)
        waits.append(patience.backoff_s)
        assert not patience.is_due(HARD, now)
        now += patience.backoff_s
        assert patience.is_due(HARD, now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_gain_of_two_percent_ends_the_wait() -> None:
    patience = Patience()
    patience.note(HARD, 1000, 1000, 0.0)
    patience.note(HARD, 1000, 1000, 0.0)
    assert not patience.note(HARD, 1000, 980, 5.0)
    assert (patience.backoff_s, patience.is_due(HARD, 5.0)) == (0.0, True)


def test_a_higher_level_need_not_wait() -> None:
    patience = Patience()
    for _ in range(9):
        patience.note(HARD, 1000, 1000, 0.0)
    assert not patience.is_due(HARD, 1.0)
    assert patience.is_due(PressureLevel.CRITICAL, 1.0)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=60))
def test_no_wait_is_longer_than_a_minute(rounds: list[tuple[int, int]]) -> None:
    patience = Patience()
    for before, after in rounds:
        patience.note(HARD, before, after, 0.0)
        assert 0 <= patience.backoff_s <= MAX_BACKOFF_S
        assert patience.is_due(HARD, MAX_BACKOFF_S)
