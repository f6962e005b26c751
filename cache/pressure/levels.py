"""Pressure levels. Pure: the clock's reading is an argument, nothing is measured here.

A level is entered at once when p reaches its mark and left, one level at a time, after p has stayed more than .10
below the mark for 10 s. The gap and the hold come from the kernel's reclaim watermarks: without them one cache refill
flips the level with every sample. On top, a level falls only if even the worst signal afterwards keeps to six changes
in any 60 s; a plain fall from CRITICAL therefore takes 10 to 80 s, rising is never delayed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class PressureLevel(IntEnum):
    """How near the process is to its memory limits; comparable as an int."""

    NORMAL = 0
    SOFT = 1
    MEDIUM = 2
    HARD = 3
    CRITICAL = 4


ENTER_RATIO: Final[Mapping[PressureLevel, float]] = {
    PressureLevel.NORMAL: 0.0,
    PressureLevel.SOFT: 0.70,
    PressureLevel.MEDIUM: 0.80,
    PressureLevel.HARD: 0.90,
    PressureLevel.CRITICAL: 0.95,
}
"""The pressure p at which each level begins."""

LEAVE_GAP: Final = 0.10
HOLD_S: Final = 10.0
WINDOW_S: Final = 60.0
MAX_CHANGES: Final = 6
"""Level changes in any `WINDOW_S`, whatever the signal does."""


def level_of(p: float) -> PressureLevel:
    """Return the level that `p` alone stands for, without hysteresis.

    Raises:
        ValueError: If `p` is negative or not a number.
    """
    if math.isnan(p) or p < 0:
        raise ValueError(f"p must be a number >= 0, got {p}")
    reached = PressureLevel.NORMAL
    for level, enter in ENTER_RATIO.items():
        if p >= enter:
            reached = level
    return reached


def leave_ratio(level: PressureLevel) -> float:
    """Return the mark below which `level` can be left; 0 for NORMAL, which is never left downwards."""
    return max(0.0, ENTER_RATIO[level] - LEAVE_GAP)


@dataclass(frozen=True, slots=True)
class LevelState:
    """The published level and what its next change depends on."""

    level: PressureLevel = PressureLevel.NORMAL
    calm_since_s: float | None = None
    """When p was first seen below the leave mark, without a break since."""
    changed_at_s: tuple[float, ...] = ()
    """Times of the changes of the last `WINDOW_S`, oldest first."""


def advance(state: LevelState, p: float, now_s: float) -> LevelState:
    """Return the state after seeing `p` at `now_s` (monotonic seconds).

    Raises:
        ValueError: If `p` is negative or not a number.
    """
    reached = level_of(p)
    changes = tuple(at for at in state.changed_at_s if now_s - at < WINDOW_S)
    if reached > state.level:
        return LevelState(reached, None, (*changes, now_s))
    if state.level is PressureLevel.NORMAL or p >= leave_ratio(state.level):
        return LevelState(state.level, None, changes)
    calm_since = now_s if state.calm_since_s is None else state.calm_since_s
    lower = PressureLevel(state.level - 1)
    # From `lower` the signal can climb one level per sample, so each level above it may cost one more change.
    climbs = PressureLevel.CRITICAL - lower
    if now_s - calm_since < HOLD_S or len(changes) + 1 + climbs > MAX_CHANGES:
        return LevelState(state.level, calm_since, changes)
    return LevelState(lower, now_s if p < leave_ratio(lower) else None, (*changes, now_s))
