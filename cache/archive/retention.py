"""What maintenance removes: by last activity, never an active session, never one that was not cleared. Pure.

Seed 004 removed every session that had never been cleared. Here a session that was never cleared keeps its entries; under
the size cap the idle ones are cleared first (what matters stays), and only a cleared session can expire later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long things stay, in seconds, and how much room they may take, in bytes."""

    active_s: float = DAY_S
    """A session is active for so long after its last event (seed 004: 24 hours)."""
    event_expiry_s: float = 30 * DAY_S
    session_expiry_s: float = 30 * DAY_S
    named_expiry_s: float = 180 * DAY_S
    max_bytes: int = 128 * 1024 * 1024
    max_events: int = 200_000

    def __post_init__(self) -> None:
        if min(self.active_s, self.event_expiry_s, self.session_expiry_s, self.named_expiry_s) <= 0:
            raise ValueError("every age must be > 0")
        if self.max_bytes < 1024 * 1024 or self.max_events < 1:
            raise ValueError(f"max_bytes must be >= 1 MiB and max_events >= 1, got {self.max_bytes}, {self.max_events}")


@dataclass(frozen=True, slots=True)
class SessionAge:
    """A session as maintenance sees it."""

    id: str
    active_s: float
    """When its last event came, in seconds of wall time."""
    clears: int
    entries: int = 0
    is_named: bool = False
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class MaintenancePlan:
    """Sessions to remove, sessions to clear for room (least recently active first), and when events expire."""

    remove: tuple[str, ...]
    clear: tuple[str, ...]
    events_before_s: float


def is_active(session: SessionAge, policy: RetentionPolicy, *, now_s: float) -> bool:
    """Return whether the session is in use; a clock that was set back makes it so, never the opposite."""
    return session.is_current or now_s - session.active_s <= policy.active_s


def plan_maintenance(
    sessions: Iterable[SessionAge], policy: RetentionPolicy, *, now_s: float, used_bytes: int
) -> MaintenancePlan:
    """Return what to do now with a store of `used_bytes`."""
    remove: list[str] = []
    idle: list[SessionAge] = []
    for session in sessions:
        if is_active(session, policy, now_s=now_s):
            continue
        expiry = policy.named_expiry_s if session.is_named else policy.session_expiry_s
        if session.clears and now_s - session.active_s > expiry:
            remove.append(session.id)
        else:
            idle.append(session)
    crowded = used_bytes > policy.max_bytes
    idle.sort(key=lambda session: (session.active_s, session.id))
    clear = tuple(session.id for session in idle if crowded and session.entries > 0 and not session.clears)
    return MaintenancePlan(tuple(remove), clear, now_s - policy.event_expiry_s)


def plan_trim(sizes: Sequence[tuple[int, int]], *, excess: int) -> int:
    """Return the number of the newest event to delete so that at least `excess` bytes go, oldest first; 0 for none.

    `sizes` are (event number, bytes), oldest first. The newest tenth is never taken.
    """
    if excess <= 0 or not sizes:
        return 0
    freed = 0
    last = 0
    for seq, size in sizes[: max(1, len(sizes) - len(sizes) // 10)]:
        freed += size
        last = seq
        if freed >= excess:
            break
    return last
