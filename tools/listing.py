"""Lines of a list, as many as an answer holds. Pure but for the token counter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ..cache.tokens import TokenCounter
from ..cache.workspace.names import printable
from .call import Call
from .paging import Room


@dataclass(frozen=True, slots=True)
class Listing:
    """What fitted, and how many items did not."""

    lines: tuple[str, ...]
    items: int
    left_out: int


def fit_items(items: Sequence[Sequence[str]], call: Call, budget: int, counter: TokenCounter) -> Listing:
    """Take whole items, each of one or more lines, while they fit `budget` tokens and what the client shows.

    The first item is always taken, cut to its first line if need be, so that paging by a larger budget makes sense.
    """
    room = Room.of(call.limit)
    tokens = min(budget, call.limit.tokens)
    lines: list[str] = []
    for at, item in enumerate(items):
        call.deadline.check()
        text = "\n".join(item) + "\n"
        cost = counter.count(text).tokens
        if cost > tokens or not room.take(text, len(item)):
            if at:
                return Listing(tuple(lines), at, len(items) - at)
            lines.append(item[0])
            return Listing(tuple(lines), 1, len(items) - 1)
        tokens -= cost
        lines.extend(item)
    return Listing(tuple(lines), len(items), 0)


def shown(text: str, limit: int = 400) -> str:
    """Return `text` on one line, harmless, and no longer than `limit` characters."""
    line = printable(" ".join(text[: 4 * limit].split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def shown_time(seconds: float) -> str:
    """Return wall-clock seconds as `2026-11-21 09:30Z`; "" for none."""
    if not 0 < seconds < 1e11:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%MZ")
