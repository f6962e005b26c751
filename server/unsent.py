"""Answers that are made and not yet read by the client, charged to the ledger until they are on the wire.

A client may send requests faster than it reads answers; each answer then waits in memory. Past a share of the budget further
calls are refused, so that what waits is bounded by the budget and not by the client.
"""

import re
import sys
import threading
import time
from typing import Final

from ..cache.deadline import Clock
from ..cache.errors import Busy
from ..cache.ledger import Ledger

ACCOUNT: Final = "answers"
MAX_SHARE: Final = 0.25
"""Of the budget: answers are small, so this many unread ones mean a client that does not read."""
COPIES: Final = 3
"""The text, its JSON form, and that form's bytes."""
FORGET_S: Final = 120.0
"""An answer that was cancelled on its way out is never written; nothing stays unread for so long in a server that lives."""
_ANSWER_ID: Final = re.compile(r'\{"jsonrpc":"2\.0","id":(?:(-?\d+)|"((?:[^"\\]|\\.)*)"),')


class UnsentAnswers:
    """Charges answers by the id of their request. Thread-safe."""

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._waiting: dict[str, tuple[Ledger, int, float]] = {}

    def __repr__(self) -> str:
        return f"<UnsentAnswers {len(self._waiting)} waiting>"

    def hold(self, request_id: str, text: str, ledger: Ledger) -> None:
        """Charge an answer that is about to be sent.

        Raises:
            Busy: Too much waits already.
            NoRoom: The ledger has no room for it.
        """
        self._forget_old()
        nbytes = COPIES * sys.getsizeof(text)
        unread = ledger.account_bytes(ACCOUNT)
        if unread and unread + nbytes > ledger.budget_bytes * MAX_SHARE:
            raise Busy(
                f"{len(self._waiting)} answers wait for the client to read them",
                next_call="read the answers that are on their way, then repeat this call",
            )
        ledger.charge(ACCOUNT, nbytes)
        with self._lock:
            before = self._waiting.get(request_id)
            self._waiting[request_id] = (ledger, nbytes, self._clock())
        if before is not None:  # a client that uses an id twice
            before[0].release(ACCOUNT, before[1])

    def drop(self, request_id: str) -> None:
        """Release the answer of a request, if one is held: it is sent, or never will be."""
        with self._lock:
            held = self._waiting.pop(request_id, None)
        if held is not None:
            held[0].release(ACCOUNT, held[1])

    def written(self, message: str) -> None:
        """Take note of a message that went onto the wire."""
        found = _ANSWER_ID.match(message)
        if found is not None and self._waiting:
            self.drop(found[1] or found[2])

    def _forget_old(self) -> None:
        before_s = self._clock() - FORGET_S
        with self._lock:
            old = [request_id for request_id, (_, _, at_s) in self._waiting.items() if at_s < before_s]
        for request_id in old:
            self.drop(request_id)

    def statistics(self) -> int:
        """Return how many answers wait."""
        return len(self._waiting)
