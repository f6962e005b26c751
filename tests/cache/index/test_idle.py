import threading
from collections.abc import Iterator

import pytest

from penstock.cache.index.idle import IdleTask


class Bench:
    """A task over a clock that is set by hand; each run counts and says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ran = threading.Semaphore(0)
        self.looked = threading.Semaphore(0)
        self.task = IdleTask(self.ran.release, 0.01, clock=self.clock)

    def clock(self) -> float:
        self.looked.release()
        return self.now


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.task.close()


def test_it_is_done_once_after_a_burst_and_again_after_the_next(bench: Bench) -> None:
    for _ in range(50):
        bench.task.touch()
    assert not bench.ran.acquire(blocking=False), "the clock stands still: nobody has been idle"
    bench.now = 1.0
    assert bench.ran.acquire(timeout=5)
    bench.task.touch()
    bench.now = 2.0
    assert bench.ran.acquire(timeout=5)
    assert not bench.ran.acquire(blocking=False)


def test_whoever_asks_again_puts_it_off(bench: Bench) -> None:
    bench.task.touch()
    bench.now = 0.005
    bench.task.touch()
    bench.now = 0.0125  # more than the delay after the first, less after the second
    for _ in range(4):
        assert bench.looked.acquire(timeout=5)
    assert not bench.ran.acquire(blocking=False)
    bench.now = 0.016
    assert bench.ran.acquire(timeout=5)


def test_nothing_is_done_after_the_end(bench: Bench) -> None:
    bench.task.touch()
    bench.task.close()
    bench.now = 1.0
    bench.task.touch()
    assert not bench.ran.acquire(timeout=0.05)
    assert bench.task.runs == 0
