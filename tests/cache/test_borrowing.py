"""Buffers of running calls in the ledger."""

import sys
import threading
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.borrowing import ACCOUNT, LONE_SHARE, Borrowing, Loan, text_bytes
from penstock.cache.errors import NoRoom
from penstock.cache.ledger import Ledger


@given(st.text(max_size=4000))
def test_the_estimate_covers_the_text_and_its_lines(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    lines = text.split("\n")
    # Beyond the estimate: the list's own header, the last line's header and the wide strings' longer ones.
    taken = sys.getsizeof(text) - sys.getsizeof("") + sum(len(line) * _width(text) + 49 + 8 for line in lines)
    assert text_bytes(data) + 49 + 8 + 32 >= taken


def _width(text: str) -> int:
    widest = max(map(ord, text), default=0)
    return 1 if widest < 0x80 else 2 if widest < 0x10000 else 4


def test_what_a_call_holds_is_charged_and_given_back_at_its_end() -> None:
    ledger = Ledger(1000)
    with Borrowing(ledger) as borrowing:
        borrowing.take(100)
        borrowing.take(150)
        borrowing.take(0)
        assert (ledger.account_bytes(ACCOUNT), borrowing.held_bytes) == (250, 250)
    assert (ledger.account_bytes(ACCOUNT), repr(borrowing)) == (0, "<Borrowing 0 bytes>")
    borrowing.give_back()
    assert ledger.used_bytes == 0


def test_a_lone_call_gets_through_whatever_the_size() -> None:
    ledger = Ledger(1000)
    with Borrowing(ledger) as borrowing:
        borrowing.take(5000)
        assert borrowing.held_bytes == int(1000 * LONE_SHARE)
        with pytest.raises(NoRoom):
            borrowing.take(900)
    assert ledger.used_bytes == 0


def test_a_first_buffer_waits_for_another_call_to_end() -> None:
    ledger = Ledger(1000)
    first, entered = Borrowing(ledger), threading.Event()
    ledger.charge("content", 700)
    first.take(250)

    def second() -> None:
        entered.set()
        with Borrowing(ledger) as borrowing:
            borrowing.take(250)

    thread = threading.Thread(target=second)
    thread.start()
    assert entered.wait(5)
    first.give_back()
    thread.join(5)
    assert not thread.is_alive()
    assert ledger.account_bytes(ACCOUNT) == 0


def test_a_call_that_already_holds_something_does_not_wait() -> None:
    ledger = Ledger(1000)
    ledger.charge("content", 900)
    with Borrowing(ledger, wait_s=3600) as borrowing:
        borrowing.take(50)
        with pytest.raises(NoRoom):
            borrowing.take(200)


def test_the_buffers_make_room_in_the_caches() -> None:
    ledger = Ledger(1000)
    ledger.charge("content", 1000)

    def reclaim(nbytes: int) -> int:
        ledger.release("content", nbytes)
        return nbytes

    ledger.add_reclaimer(reclaim)
    with Borrowing(ledger) as borrowing:
        borrowing.take(200)
    assert ledger.used_bytes == 800


def test_without_a_ledger_nothing_is_counted() -> None:
    with Borrowing() as borrowing:
        borrowing.take(1 << 40)
        assert borrowing.held_bytes == 0


@given(st.lists(st.integers(0, 5000), max_size=30), st.integers(1, 700))
def test_a_loan_is_charged_in_steps_ahead_of_what_grows_and_given_back(sizes: list[int], step: int) -> None:
    ledger = Ledger(10_000)
    with Loan(ledger, "walks", step_bytes=step) as loan:
        for largest, size in zip(accumulate(sizes, max), sizes, strict=True):
            loan.cover(size)
            assert largest <= ledger.account_bytes("walks") < largest + step
    assert ledger.used_bytes == 0


def test_what_grows_beyond_the_budget_is_refused_before_it_does() -> None:
    ledger = Ledger(1000)
    with Loan(ledger, "walks", step_bytes=100) as loan:
        loan.cover(900)
        with pytest.raises(NoRoom):
            loan.cover(1001)
        assert "900 bytes" in repr(loan)
    assert ledger.used_bytes == 0
