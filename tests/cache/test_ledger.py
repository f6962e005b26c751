import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.errors import NoRoom
from penstock.cache.ledger import Ledger


def test_a_charge_that_does_not_fit_is_refused_and_counted() -> None:
    ledger = Ledger(100)
    ledger.charge("content", 60)
    with pytest.raises(NoRoom):
        ledger.charge("content", 41)
    assert ledger.statistics().refusals == 1
    assert ledger.used_bytes == 60


def test_reclaimers_are_asked_for_the_shortage_in_order() -> None:
    ledger = Ledger(100)
    ledger.charge("content", 90)
    asked: list[int] = []

    def reclaim(nbytes: int) -> int:
        asked.append(nbytes)
        ledger.release("content", 30)
        return 30

    ledger.add_reclaimer(reclaim)
    ledger.charge("outputs", 40)
    assert asked == [30]
    assert ledger.used_bytes == 100


def test_more_than_the_budget_is_refused_without_reclaiming() -> None:
    ledger = Ledger(100)
    ledger.add_reclaimer(lambda nbytes: pytest.fail("nothing can make room for this"))
    with pytest.raises(NoRoom):
        ledger.charge("content", 101)


def test_a_borrower_waits_for_another_to_finish() -> None:
    ledger = Ledger(100)
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with ledger.borrow("buffers", 80):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    threading.Timer(0.0, leave.set).start()
    with ledger.borrow("buffers", 70):
        assert ledger.used_bytes == 70
    thread.join(10)
    assert ledger.used_bytes == 0


def test_a_borrower_that_waits_in_vain_is_refused() -> None:
    ledger = Ledger(100)
    ledger.charge("content", 50)
    with pytest.raises(NoRoom), ledger.borrow("buffers", 60, wait_s=0.01):
        pytest.fail("there is no room")


def test_releasing_more_than_is_held_is_an_error() -> None:
    ledger = Ledger(100)
    ledger.charge("content", 10)
    with pytest.raises(ValueError, match="holds 10"):
        ledger.release("content", 11)
    with pytest.raises(ValueError, match="holds 0"):
        ledger.release("outputs", 1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-80, 80))))
def test_the_ledger_is_the_sum_of_its_accounts_and_never_above_its_budget(steps: list[tuple[str, int]]) -> None:
    ledger = Ledger(100)
    held: dict[str, int] = {}
    for account, amount in steps:
        if amount >= 0:
            if ledger.try_charge(account, amount):
                held[account] = held.get(account, 0) + amount
        elif held.get(account, 0) >= -amount:
            ledger.release(account, -amount)
            held[account] += amount
        statistics = ledger.statistics()
        assert statistics.used_bytes == sum(held.values()) <= 100
        assert {name: size for name, size in statistics.accounts.items() if size} == {k: v for k, v in held.items() if v}
        assert statistics.peak_bytes >= statistics.used_bytes
