"""Snapshot planning: when to take one, what it holds, how a chain is put together and pruned. Pure: no clock, no I/O.

A snapshot is full, or a delta against the snapshot before it in the same session. `materialise` over the chain from the
nearest full one gives back the exact entry set. `plan_prune` never breaks a chain: a kept delta whose parent leaves is
rewritten as a full snapshot first. Strategies after seed 004:

NONE         none by itself; an explicit save still takes a full one
FULL         everything, every n events and before each clear
INCREMENTAL  what changed since the last one, every n events and before each clear; full again after `max_chain` deltas
ADAPTIVE     as INCREMENTAL, but as soon as what changed since the last one scores `min_importance_threshold`
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .entries import Entry, by_key

DEFAULT_EVERY: Final = 25
DEFAULT_MAX_SNAPSHOTS: Final = 20
DEFAULT_MAX_CHAIN: Final = 16
"""Restoring reads at most so many small rows; a full snapshot of 1,000 entries takes about 100 KB."""


class SnapshotStrategy(Enum):
    """How snapshots are taken (seed 004)."""

    NONE = "none"
    FULL = "full"
    INCREMENTAL = "incremental"
    ADAPTIVE = "adaptive"


class SnapshotReason(Enum):
    """What a snapshot was taken for."""

    INTERVAL = "interval"
    SAVE = "save"
    CLEAR = "clear"
    HANDOFF = "handoff"
    RESTORE = "restore"
    SHUTDOWN = "shutdown"


ASKED_FOR: Final = frozenset({SnapshotReason.SAVE, SnapshotReason.HANDOFF})
"""Taken whatever the strategy says."""


@dataclass(frozen=True, slots=True)
class SnapshotPolicy:
    """Strategy and its numbers."""

    strategy: SnapshotStrategy = SnapshotStrategy.INCREMENTAL
    every_events: int = DEFAULT_EVERY
    max_snapshots: int = DEFAULT_MAX_SNAPSHOTS
    """Kept per session besides those that carry a name."""
    max_chain: int = DEFAULT_MAX_CHAIN
    min_importance_threshold: float = 0.6
    """ADAPTIVE: a fresh goal, decision or failure scores above it, a file read once does not."""

    def __post_init__(self) -> None:
        if self.every_events < 1 or self.max_snapshots < 1 or self.max_chain < 0:
            raise ValueError("every_events and max_snapshots must be >= 1, max_chain >= 0")
        if not 0 <= self.min_importance_threshold <= 1:
            raise ValueError(f"min_importance_threshold must be in [0, 1], got {self.min_importance_threshold}")


@dataclass(frozen=True, slots=True)
class SnapshotBody:
    """What one snapshot stores: everything, or the difference to its parent."""

    is_full: bool
    put: tuple[Entry, ...]
    removed: tuple[str, ...] = ()
    """Keys that the parent's set has and this one's has not."""


@dataclass(frozen=True, slots=True)
class SnapshotHead:
    """A stored snapshot as pruning sees it."""

    id: int
    parent: int | None
    is_full: bool
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """First rewrite `rebase` as full snapshots, then delete `delete`."""

    rebase: tuple[int, ...]
    delete: tuple[int, ...]


def snapshot_due(policy: SnapshotPolicy, *, events_since: int, best_changed_score: float) -> bool:
    """Return whether the strategy wants a snapshot now, between clears."""
    if policy.strategy is SnapshotStrategy.NONE or events_since < 1:
        return False
    if policy.strategy is SnapshotStrategy.ADAPTIVE:
        return best_changed_score >= policy.min_importance_threshold
    return events_since >= policy.every_events


def is_wanted(policy: SnapshotPolicy, reason: SnapshotReason) -> bool:
    """Return whether a snapshot for `reason` is taken under this strategy."""
    return reason in ASKED_FOR or policy.strategy is not SnapshotStrategy.NONE


def plan_snapshot(
    entries: Mapping[str, Entry], previous: Mapping[str, Entry] | None, policy: SnapshotPolicy, *, chain: int
) -> SnapshotBody:
    """Return what to store for `entries`, given the set that the last snapshot holds and its chain's length in deltas."""
    takes_deltas = policy.strategy in (SnapshotStrategy.INCREMENTAL, SnapshotStrategy.ADAPTIVE)
    if previous is None or not takes_deltas or chain >= policy.max_chain:
        return SnapshotBody(True, tuple(by_key(entries.values()).values()))
    changed = tuple(entry for key, entry in by_key(entries.values()).items() if previous.get(key) != entry)
    removed = tuple(sorted(previous.keys() - entries.keys()))
    if len(changed) + len(removed) > len(entries):
        return SnapshotBody(True, tuple(by_key(entries.values()).values()))
    return SnapshotBody(False, changed, removed)


def materialise(chain: Sequence[SnapshotBody]) -> Mapping[str, Entry]:
    """Return the entry set at the end of `chain`, which begins with a full snapshot.

    Raises:
        ValueError: The chain is empty or begins with a delta: it is broken.
    """
    if not chain or not chain[0].is_full:
        raise ValueError("a snapshot chain must begin with a full snapshot")
    entries: dict[str, Entry] = {}
    for body in chain:
        if body.is_full:
            entries = {}
        for key in body.removed:
            entries.pop(key, None)
        entries.update((entry.key, entry) for entry in body.put)
    return by_key(entries.values())


def chain_of(heads: Mapping[int, SnapshotHead], snapshot_id: int) -> list[int]:
    """Return the ids from the nearest full snapshot to `snapshot_id`.

    Raises:
        ValueError: A parent is missing, or the parents run in a circle.
    """
    chain: list[int] = []
    at: int | None = snapshot_id
    while at is not None:
        head = heads.get(at)
        if head is None or len(chain) > len(heads):
            raise ValueError(f"the chain of snapshot {snapshot_id} is broken at {at}")
        chain.append(at)
        if head.is_full:
            return chain[::-1]
        at = head.parent
    raise ValueError(f"the chain of snapshot {snapshot_id} has no full snapshot")


def plan_prune(heads: Iterable[SnapshotHead], *, keep: int) -> PrunePlan:
    """Keep the newest `keep` snapshots and every named one; what is kept restores as before.

    Raises:
        ValueError: `keep` is negative.
    """
    if keep < 0:
        raise ValueError(f"keep must be >= 0, got {keep}")
    known = sorted(heads, key=lambda head: head.id)
    newest = {head.id for head in known[max(0, len(known) - keep) :]}
    kept = [head for head in known if head.is_named or head.id in newest]
    kept_ids = {head.id for head in kept}
    rebase = tuple(head.id for head in kept if not head.is_full and head.parent not in kept_ids)
    return PrunePlan(rebase, tuple(head.id for head in known if head.id not in kept_ids))
