"""Real pressure on a real server: up to the last level, nothing stale, nothing lost."""

from tests.soak.mixed_calls import run


def test_mixed_calls_on_a_corpus_far_above_the_budget() -> None:
    """The small form of `make soak`: 500 calls on 30 MB under 4 MB."""
    outcome = run(megabytes=30, calls=500, ledger_mb=4)
    assert outcome.errors == []
    assert outcome.stale == []
    assert outcome.lost == []
    assert outcome.restored > 50
    assert outcome.peak_bytes <= outcome.budget_bytes
    # Eight calls in flight can take so small a budget past a level between two samples; the ladder is the guard's own test.
    assert {"NORMAL", "CRITICAL"} <= outcome.levels
