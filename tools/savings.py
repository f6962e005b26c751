"""What the server saved, net of what it cost: definitions, instructions, facts lines, searches, restores. May be negative.

A saving is claimed only where something was left out on purpose: a lossy view, a stub, a diff. Exact text saves nothing; what is
fetched again later counts against what was saved before.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from .answer import Answer, JsonValue

CLAIMING = frozenset({"unchanged", "diff"})
PLAIN_READ_TOKENS = 25_000
"""What a plain read would have cost at the most: assistants' own tools cut there, so more was never going to be sent."""


@dataclass(frozen=True, slots=True)
class ToolCosts:
    """One tool's calls so far, in tokens."""

    calls: int = 0
    sent: int = 0
    left_out: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Savings:
    """The account of one session, in tokens."""

    fixed: int
    """Tool definitions and instructions, paid once per session at least."""
    tools: Mapping[str, ToolCosts] = field(default_factory=dict[str, ToolCosts])

    @property
    def sent(self) -> int:
        """Tokens of all answers."""
        return sum(costs.sent for costs in self.tools.values())

    @property
    def left_out(self) -> int:
        """Tokens of what lossy views, stubs, diffs and compressed outputs did not send."""
        return sum(costs.left_out for costs in self.tools.values())

    @property
    def overhead(self) -> int:
        """What was paid for the service itself: the fixed part, and every restore and status answer."""
        return self.fixed + sum(costs.sent for name, costs in self.tools.items() if name in ("restore", "status", "evict"))

    @property
    def net(self) -> int:
        """Tokens saved after all costs; below zero when the server cost more than it saved."""
        return self.left_out - self.overhead


class SavingsBook:
    """Adds up. Thread-safe."""

    def __init__(self, fixed: int) -> None:
        self._fixed = fixed
        self._lock = threading.Lock()
        self._tools: dict[str, ToolCosts] = {}

    def add(self, tool: str, answer: Answer, sent: int) -> None:
        """Count one answer of `sent` tokens."""
        left_out = sum(_left_out(part) for part in answer.parts)
        with self._lock:
            old = self._tools.get(tool, ToolCosts())
            self._tools[tool] = ToolCosts(old.calls + 1, old.sent + sent, old.left_out + left_out, old.errors + answer.is_error)

    def add_error(self, tool: str) -> None:
        """Count a refused call."""
        with self._lock:
            old = self._tools.get(tool, ToolCosts())
            self._tools[tool] = ToolCosts(old.calls + 1, old.sent, old.left_out, old.errors + 1)

    def savings(self) -> Savings:
        """Return the account at this moment."""
        with self._lock:
            return Savings(self._fixed, dict(sorted(self._tools.items())))


def _left_out(part: Mapping[str, JsonValue]) -> int:
    raw, tokens = part.get("raw_tokens", 0), part.get("tokens", 0)
    is_claimed = part.get("lossy") is True or part.get("view") in CLAIMING
    return max(0, min(raw, PLAIN_READ_TOKENS) - tokens) if is_claimed and isinstance(raw, int) and isinstance(tokens, int) else 0
