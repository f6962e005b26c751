"""What a tool is told about the call it serves, besides its arguments."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..cache.deadline import UNBOUNDED, Deadline

Progress = Callable[[int, int, str], None]
"""(done, total, message); total 0 = unknown. May be called from any thread, often; the edge throttles."""


AskModel = Callable[[str], str]
"""Asks the client's model and waits for its words; "" when it does not answer. From a worker thread only."""


def no_progress(done: int, total: int, message: str) -> None:
    """Take no notice: the client did not ask for progress."""


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
