"""What a tool is told about the call it serves, besides its arguments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..cache.borrowing import Borrowing
from ..cache.deadline import UNBOUNDED, Deadline

Progress = Callable[[int, int, str], None]
"""(done, total, message); total 0 = unknown. May be called from any thread, often; the edge throttles."""


AskModel = Callable[[str], str]
"""Asks the client's model and waits for its words; "" when it does not answer. From a worker thread only."""


def no_progress(done: int, total: int, message: str) -> None:
    """Take no notice: the client did not ask for progress."""


AskUser = Callable[[str, Sequence[str]], str]
"""(question, choices) -> the choice taken, "" for none. Waits; may raise, then nothing is stored. From a worker thread only."""


class Admit(Protocol):
    """Lets heavy work start, or says why it may not and what to do instead: `MemoryGuard.admit`. May raise UnderPressure."""

    def __call__(self, work: str, nbytes: int, *, instead: str = "") -> None:
        """Return if work on `nbytes` may start."""
        ...


def admit_all(work: str, nbytes: int, *, instead: str = "") -> None:
    """Let everything start: there is no guard."""


@dataclass(frozen=True, slots=True)
class AnswerLimit:
    """The largest answer the calling client shows, whole, to its model."""

    chars: int = 11_000
    bytes: int = 11_500
    tokens: int = 9_000
    json_chars: int = 0
    """Most characters of the text as a JSON string; 0 = the client does not count them."""
    lines: int = 0
    """Most lines; 0 = the client does not count them."""


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call: its deadline, the client's limits, and the way to report progress."""

    deadline: Deadline = field(default_factory=lambda: Deadline(UNBOUNDED))
    limit: AnswerLimit = field(default_factory=AnswerLimit)
    progress: Progress = no_progress
    client: str = ""
    ask_model: AskModel | None = None
    """Set when the client offers sampling and the user has enabled it."""
    ask_user: AskUser | None = None
    """Set when the person at the client can be asked to choose."""
    admit: Admit = admit_all
    """Asked by a tool before work on more than the lines of an answer."""
    buffers: Borrowing = field(default_factory=Borrowing)
    """Where a tool charges the text it is about to decode or to build; given back when the call ends."""
