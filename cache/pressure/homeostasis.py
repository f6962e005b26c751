"""Which action answers which pressure. Pure: no clock, no I/O; the orchestrator carries actions out.

Six actions in rising order of harm. Each level has a floor, the action it starts with, and a ceiling, up to which it
escalates when two rounds in a row did not help. The floor depends on p, and p includes RSS and the alarms, so a small
ledger does not excuse inaction when RSS is high. After "Homeostasis" in lean-ctx 3.7.1 (seed 000); changed: pressure is
measured in bytes of the process, not in tokens; targets bind; an action helped only if bytes were freed and p fell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from .levels import PressureLevel, leave_ratio
from .reading import PressureReading


class Action(IntEnum):
    """What to do about pressure, gentlest first."""

    NONE = 0
    TRIM_OUTPUTS = 1
    """Drop derived outputs: the compressed views kept beside each file."""
    EVICT_PROBATIONARY = 2
    """Evict what was read once, down to the target."""
    UNLOAD_INDICES = 3
    """Unmap the index; the next search maps it again."""
    EVICT_PROTECTED = 4
    """Evict what was read again, too, down to the target."""
    EMERGENCY_DROP = 5
    """Evict everything that is not pinned, and unload the index."""


@dataclass(frozen=True, slots=True)
class Rungs:
    """The part of the ladder that one level uses."""

    floor: Action
    ceiling: Action


LADDER: Final[Mapping[PressureLevel, Rungs]] = {
    PressureLevel.NORMAL: Rungs(Action.NONE, Action.NONE),
    PressureLevel.SOFT: Rungs(Action.TRIM_OUTPUTS, Action.EVICT_PROBATIONARY),
    PressureLevel.MEDIUM: Rungs(Action.EVICT_PROBATIONARY, Action.EVICT_PROTECTED),
    PressureLevel.HARD: Rungs(Action.UNLOAD_INDICES, Action.EVICT_PROTECTED),
    PressureLevel.CRITICAL: Rungs(Action.EMERGENCY_DROP, Action.EMERGENCY_DROP),
}

PATIENCE: Final = 2
"""Ineffective rounds before the next rung: the third round in a row is a stronger one."""
TARGET_RATIO: Final = leave_ratio(PressureLevel.SOFT) - 0.02
"""Share of the budget, and of the allowed RSS growth, to come down to: just below the mark at which SOFT is left."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The action for one round and the ledger bytes to come down to."""

    action: Action
    target_bytes: int
    """Ledger bytes that may be left after the round; 0 for EMERGENCY_DROP."""
    level: PressureLevel
    is_escalated: bool = False


@dataclass(frozen=True, slots=True)
class ControllerState:
    """What the controller remembers between rounds."""

    ineffective_rounds: int = 0


def target_of(reading: PressureReading) -> int:
    """Return the ledger bytes at which both the ledger and RSS are back below the SOFT leave mark.

    RSS can only be lowered through what the ledger holds, so its excess is taken off the charges.
    """
    by_ledger = int(TARGET_RATIO * reading.budget_bytes)
    by_rss = reading.ledger_bytes - reading.excess_bytes(TARGET_RATIO)
    return max(0, min(by_ledger, by_rss))


def decide(state: ControllerState, level: PressureLevel, reading: PressureReading) -> Decision:
    """Choose the action for `level`, or for the level that `reading` stands for if that is higher."""
    acting = max(level, reading.level)
    rungs = LADDER[acting]
    steps = state.ineffective_rounds // PATIENCE
    action = Action(min(rungs.floor + steps, rungs.ceiling))
    target = 0 if action is Action.EMERGENCY_DROP else target_of(reading)
    return Decision(action, target, acting, is_escalated=action > rungs.floor)


class HomeostasisController:
    """Decides round by round, remembering whether the last actions helped. Not thread-safe: one round at a time."""

    def __init__(self) -> None:
        self._state = ControllerState()

    def __repr__(self) -> str:
        return f"<HomeostasisController ineffective={self._state.ineffective_rounds}>"

    def evaluate(self, level: PressureLevel, reading: PressureReading) -> Decision:
        """Return the action for this round; at NORMAL forget what did not help."""
        if max(level, reading.level) is PressureLevel.NORMAL:
            self.recover()
        return decide(self._state, level, reading)

    def report(self, *, helped: bool) -> None:
        """Take note of the last action's outcome: ledger bytes were freed *and* p fell."""
        rounds = 0 if helped else self._state.ineffective_rounds + 1
        self._state = replace(self._state, ineffective_rounds=rounds)

    def recover(self) -> None:
        """Forget ineffective rounds: the pressure is over."""
        self._state = ControllerState()

    def statistics(self) -> ControllerState:
        """Return the state."""
        return self._state
