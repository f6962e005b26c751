"""The byte ledger: every cache charges what it keeps, and reserves before it allocates.

The ledger is the control of memory; reading the process's RSS is only the safety net (`cache/pressure`). A charge that
does not fit asks the registered reclaimers for room, and is refused when they cannot give enough.
All methods may be called from any thread; no lock is held while a reclaimer runs.
"""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from .errors import NoRoom

BORROW_WAIT_S: Final = 10.0
"""A call's buffers live for milliseconds; ten seconds of waiting mean that the budget is too small for what is asked at once."""
OBSERVED_SHARE: Final = 50
"""Charges of a fiftieth of the budget or more are shown to observers: 5 MB of 256 MB."""
WAIT_STEP_S: Final = 0.25
"""Reclaimers are asked again this often: what could not be evicted a moment ago may be evictable now."""
Reclaimer = Callable[[int], int]
"""Frees at least the asked number of bytes if it can, and returns how many it freed."""


@dataclass(frozen=True, slots=True)
class LedgerStatistics:
    """The ledger at one moment, in bytes."""

    budget_bytes: int
    used_bytes: int
    peak_bytes: int
    accounts: Mapping[str, int]
    refusals: int
    """Reservations that found no room even after reclaiming."""


class Ledger:
    """A budget of bytes, shared by named accounts. Never above its budget."""

    def __init__(self, budget_bytes: int) -> None:
        if budget_bytes <= 0:
            raise ValueError(f"budget_bytes must be > 0, got {budget_bytes}")
        self.budget_bytes: Final = budget_bytes
        self._lock = threading.Lock()
        self._released = threading.Condition(self._lock)
        self._accounts: dict[str, int] = {}
        self._used = 0
        self._peak = 0
        self._refusals = 0
        self._reclaimers: list[Reclaimer] = []
        self._observers: list[Callable[[], object]] = []

    def __repr__(self) -> str:
        return f"<Ledger {self._used}/{self.budget_bytes} bytes>"

    @property
    def used_bytes(self) -> int:
        """Bytes charged by all accounts together."""
        return self._used

    @property
    def free_bytes(self) -> int:
        """Bytes that can still be charged without reclaiming."""
        return self.budget_bytes - self._used

    def account_bytes(self, account: str) -> int:
        """Bytes charged by one account."""
        return self._accounts.get(account, 0)

    def add_reclaimer(self, reclaimer: Reclaimer) -> None:
        """Ask `reclaimer` for room when a charge does not fit; reclaimers are asked in this order."""
        self._reclaimers.append(reclaimer)

    def add_observer(self, observe: Callable[[], object]) -> None:
        """Call `observe` after every large charge, so that what is held for a moment only is seen too. It must be quick."""
        self._observers.append(observe)

    def try_charge(self, account: str, nbytes: int) -> bool:
        """Charge `nbytes` if they fit right now; never reclaims."""
        if nbytes < 0:
            raise ValueError(f"nbytes must be >= 0, got {nbytes}")
        with self._lock:
            if self._used + nbytes > self.budget_bytes:
                return False
            self._used += nbytes
            self._peak = max(self._peak, self._used)
            self._accounts[account] = self._accounts.get(account, 0) + nbytes
            return True

    def charge(self, account: str, nbytes: int, *, wait_s: float = 0.0) -> None:
        """Charge `nbytes`, reclaiming room if need be, and waiting up to `wait_s` for others. Call it before the allocation.

        Raises:
            NoRoom: There is no room, the reclaimers could not make enough, and nobody released enough in time.
        """
        if self.try_charge(account, nbytes):
            self._observe(nbytes)
            return
        if nbytes <= self.budget_bytes:
            end = time.monotonic() + wait_s
            while True:
                if self._reclaim_and_charge(account, nbytes):
                    self._observe(nbytes)
                    return
                if not self._wait_for_release(nbytes, end - time.monotonic()):
                    break
        with self._lock:
            self._refusals += 1
        raise NoRoom(
            f"{nbytes:,} bytes do not fit into the memory budget ({self._used:,} of {self.budget_bytes:,} bytes in use)",
            why="the budget bounds this server whatever the workspace holds",
            next_call="ask for a smaller part (lines=, budget=), or call evict to make room",
        )

    def _observe(self, nbytes: int) -> None:
        if nbytes * OBSERVED_SHARE >= self.budget_bytes:
            for observe in self._observers:
                observe()

    def _reclaim_and_charge(self, account: str, nbytes: int) -> bool:
        for reclaim in list(self._reclaimers):
            shortage = nbytes - self.free_bytes
            if shortage > 0:
                reclaim(shortage)
            if self.try_charge(account, nbytes):
                return True
        return self.try_charge(account, nbytes)

    def _wait_for_release(self, nbytes: int, seconds: float) -> bool:
        """Wait until something is released; False when the time is over."""
        if seconds <= 0:
            return False
        with self._released:
            if self._used + nbytes <= self.budget_bytes:
                return True
            return self._released.wait(min(seconds, WAIT_STEP_S)) or seconds > WAIT_STEP_S

    def release(self, account: str, nbytes: int) -> None:
        """Give back `nbytes` of an earlier charge.

        Raises:
            ValueError: The account holds fewer bytes than that.
        """
        with self._lock:
            held = self._accounts.get(account, 0)
            if not 0 <= nbytes <= held:
                raise ValueError(f"release of {nbytes} bytes from {account!r}, which holds {held}")
            self._accounts[account] = held - nbytes
            self._used -= nbytes
            self._released.notify_all()

    @contextmanager
    def borrow(self, account: str, nbytes: int, *, wait_s: float = BORROW_WAIT_S) -> Generator[None]:
        """Charge `nbytes` for the time of a `with` block: buffers, decoded text, parse trees.

        Borrowers come and go within a call, so one that finds no room waits for another to finish.

        Raises:
            NoRoom: As `charge`.
        """
        self.charge(account, nbytes, wait_s=wait_s)
        try:
            yield
        finally:
            self.release(account, nbytes)

    def statistics(self) -> LedgerStatistics:
        """Return the ledger at this moment."""
        with self._lock:
            accounts = dict(sorted(self._accounts.items()))
            return LedgerStatistics(self.budget_bytes, self._used, self._peak, accounts, self._refusals)
