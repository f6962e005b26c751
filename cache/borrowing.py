"""What one call holds while it runs: decoded text, lines, loaded payloads; charged before it is made, given back at the end.

The caches charge what stays. This charges what passes through, so that eight calls on large files wait for each other instead
of growing the process eightfold.
"""

import threading
from types import TracebackType
from typing import Final, Self

from .ledger import BORROW_WAIT_S, Ledger

ACCOUNT: Final = "calls"
LONE_SHARE: Final = 0.25
"""A call's first buffers count for at most this share of the budget: one file of any readable size always gets through."""
LOAN_STEP_BYTES: Final = 512 * 1024
LOAN_SHARE: Final = 1 / 64
"""A step of a loan is no more of the budget than this."""
STR_BYTES: Final = 57
"""A line as a Python string: 49 bytes of header and a pointer to it."""


def text_bytes(data: bytes) -> int:
    """Estimate the bytes that `data` takes as text, as a list of its lines, and packed on its way to the spool. Pure.

    A string has 1, 2 or 4 bytes a character, by its widest (PEP 393); the lines are a second copy with a header each.
    """
    # Lead bytes from 0xF0 on begin characters outside the basic plane, of 4 bytes each; below, 2 are enough.
    width = 1 if data.isascii() else 4 if data.translate(None, _BELOW_F0) else 2
    return (2 * width + 1) * len(data) + STR_BYTES * data.count(b"\n")


_BELOW_F0: Final = bytes(range(0xF0))


class Loan:
    """The account of one thing that grows to a size nobody knows beforehand: charged ahead of it, in steps. One thread."""

    def __init__(self, ledger: Ledger, account: str, *, step_bytes: int = LOAN_STEP_BYTES) -> None:
        self._ledger: Final = ledger
        self._account: Final = account
        self._step_bytes: Final = max(1, min(step_bytes, int(ledger.budget_bytes * LOAN_SHARE)))
        self._held = 0

    def __repr__(self) -> str:
        return f"<Loan {self._account} {self._held} bytes>"

    def cover(self, nbytes: int) -> None:
        """See to it that `nbytes` are charged. Call it before the thing grows to that size.

        Raises:
            NoRoom: There is no room, and none came while this holds nothing; what it holds already stays charged.
        """
        if nbytes <= self._held:
            return
        wanted = -(-nbytes // self._step_bytes) * self._step_bytes
        self._ledger.charge(self._account, wanted - self._held, wait_s=0.0 if self._held else BORROW_WAIT_S)
        self._held = wanted

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ledger.release(self._account, self._held)
        self._held = 0


class Borrowing:
    """The ledger's account of one call. Used by one thread at a time; `give_back` may come from any."""

    def __init__(self, ledger: Ledger | None = None, *, wait_s: float = BORROW_WAIT_S) -> None:
        self._ledger: Final = ledger
        self._wait_s: Final = wait_s
        self._lock: Final = threading.Lock()
        self._held = 0

    def __repr__(self) -> str:
        return f"<Borrowing {self._held} bytes>"

    @property
    def held_bytes(self) -> int:
        """Bytes charged and not yet given back."""
        return self._held

    def take(self, nbytes: int) -> None:
        """Charge `nbytes` more; without a ledger, nothing is counted. Call it before the allocation.

        Waits for other calls to end, but only while this one holds nothing: two that hold and wait could wait for each other.

        Raises:
            NoRoom: There is no room for it, and none came.
        """
        if self._ledger is None or nbytes <= 0:
            return
        is_first = self._held == 0
        if is_first:
            nbytes = min(nbytes, int(self._ledger.budget_bytes * LONE_SHARE))
        self._ledger.charge(ACCOUNT, nbytes, wait_s=self._wait_s if is_first else 0.0)
        with self._lock:
            self._held += nbytes

    def give_back(self) -> None:
        """Return everything that is held."""
        with self._lock:
            nbytes, self._held = self._held, 0
        if self._ledger is not None and nbytes:
            self._ledger.release(ACCOUNT, nbytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.give_back()
