"""What eviction rounds leave behind: explanations, and patience with rounds that gain nothing. Pure."""

from dataclasses import dataclass
from typing import Final

from .homeostasis import Action
from .levels import PressureLevel
from .reading import Driver

MIN_GAIN: Final = 0.02
"""A round that frees less than this share of what was used gained nothing."""
FRUITLESS_ROUNDS: Final = 2
MIN_BACKOFF_S: Final = 1.0
MAX_BACKOFF_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why things left: one round, for `status`."""

    at_s: float
    """Monotonic seconds."""
    level: PressureLevel
    action: Action
    is_escalated: bool
    driver: Driver
    what: str
    freed_bytes: int
    rss_delta_bytes: int
    """RSS after less RSS before: negative when memory went back to the system."""
    p_before: float
    p_after: float
    retained_bytes: int
    """Bytes excused as retained by the allocator."""
    helped: bool


@dataclass(frozen=True, slots=True)
class OrchestratorStatistics:
    """Counters since the start."""

    rounds: int
    skipped: int
    """Calls that found another round running or came too early."""
    failures: int
    freed_bytes: int
    retained_bytes: int
    backoff_s: float
    """Seconds to wait after the last round; 0 while rounds gain something."""
    explanations: tuple[Explanation, ...]


class Patience:
    """Spaces out rounds that gain nothing: 1, 2, 4 … 60 s. The owner serialises calls."""

    def __init__(self) -> None:
        self._fruitless = 0
        self._level = PressureLevel.NORMAL
        self._due_s = float("-inf")
        self._backoff_s = 0.0

    @property
    def backoff_s(self) -> float:
        """The present wait between rounds; 0 if there is none."""
        return self._backoff_s

    def is_due(self, level: PressureLevel, now_s: float) -> bool:
        """Whether a round may start: the wait is over, or pressure is higher than it was in the last round."""
        return now_s >= self._due_s or level > self._level

    def note(self, level: PressureLevel, used_before: int, used_after: int, now_s: float) -> bool:
        """Take note of a round; return whether the last rounds, two at least, all gained nothing."""
        self._level = level
        if used_before > 0 and used_before - used_after >= MIN_GAIN * used_before:
            self.reset()
            return False
        self._fruitless += 1
        if self._fruitless < FRUITLESS_ROUNDS:
            return False
        doublings = min(self._fruitless - FRUITLESS_ROUNDS, 10)
        self._backoff_s = min(MAX_BACKOFF_S, MIN_BACKOFF_S * 2**doublings)
        self._due_s = now_s + self._backoff_s
        return True

    def reset(self) -> None:
        """Forget fruitless rounds."""
        self._fruitless = 0
        self._level = PressureLevel.NORMAL
        self._due_s = float("-inf")
        self._backoff_s = 0.0
