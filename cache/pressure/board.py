"""Where the level is published: hysteresis over the readings, and the history of what it led to. Thread-safe, no I/O."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from ..deadline import Clock
from .levels import ENTER_RATIO, LevelState, PressureLevel, advance, leave_ratio
from .reading import Driver, PressureReading

CALM_SAMPLES: Final = 5
"""Samples in a row below the SOFT leave mark before the situation counts as calm."""
KEPT_CHANGES: Final = 200


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One change of the published level."""

    at_s: float
    """Monotonic seconds."""
    level: PressureLevel
    p: float
    driver: Driver


@dataclass(frozen=True, slots=True)
class BoardStatistics:
    """What was published since the start."""

    level: PressureLevel
    reading: PressureReading | None
    """The last reading; None before the first."""
    history: tuple[LevelChange, ...]
    """The last `KEPT_CHANGES` changes, oldest first."""
    changes: int
    seen: tuple[PressureLevel, ...]
    """Every level ever published, in rising order."""
    samples: int


class LevelBoard:
    """Turns readings into the published level."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._state = LevelState()
        self._history: deque[LevelChange] = deque(maxlen=KEPT_CHANGES)
        self._seen = {PressureLevel.NORMAL}
        self._changes = self._samples = self._calm_samples = 0
        self.level: PressureLevel = PressureLevel.NORMAL
        """The published level: one int, read without a lock."""
        self.reading: PressureReading | None = None
        self.band: tuple[int, int] = (0, 0)
        """Ledger bytes, from and below, within which the ledger alone cannot have changed the level."""

    @property
    def is_calm(self) -> bool:
        """Whether the last samples were all well below SOFT."""
        return self._calm_samples >= CALM_SAMPLES

    def publish(self, reading: PressureReading) -> PressureReading:
        """Run the hysteresis on one reading, publish the outcome, and hand the reading on."""
        with self._lock:
            now = self._clock()
            self._state = advance(self._state, reading.p, now)
            self.reading = reading
            self.band = band_of(reading)
            self._samples += 1
            self._calm_samples = self._calm_samples + 1 if reading.p < leave_ratio(PressureLevel.SOFT) else 0
            level = self._state.level
            if level is not self.level:
                self._changes += 1
                self._seen.add(level)
                self._history.append(LevelChange(now, level, reading.p, reading.driver))
                self.level = level
        return reading

    def statistics(self) -> BoardStatistics:
        """Return what was published."""
        with self._lock:
            return BoardStatistics(
                self.level, self.reading, tuple(self._history), self._changes, tuple(sorted(self._seen)), self._samples
            )


def band_of(reading: PressureReading) -> tuple[int, int]:
    """Return the marks, in ledger bytes, between which the ledger is."""
    marks = [0, *(int(ratio * reading.budget_bytes) for ratio in ENTER_RATIO.values() if ratio), 1 << 62]
    used = reading.ledger_bytes
    return max(mark for mark in marks if mark <= used), min(mark for mark in marks if mark > used)
