"""Taking, clearing and restoring what a session holds: the planners applied to the rows. Inside a caller's write transaction.

Reading the state, planning and writing happen in one BEGIN IMMEDIATE transaction, so no other process can come between.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import CorruptPayload
from .bridge import clear_bridge
from .clearing import ClearPlan, ClearPolicy, ClearReason, plan_clear
from .entries import Entry
from .entry_rows import read_entries, replace_entries
from .session_rows import SessionRow, mark_cleared
from .snapshot_rows import SnapshotRow, chain_length, insert_snapshot, list_snapshots, load_snapshot, prune_snapshots
from .snapshots import SnapshotPolicy, SnapshotReason, is_wanted, plan_snapshot

if TYPE_CHECKING:
    from apsw import Connection


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a clear did (seed 004: CacheClearResult)."""

    session_id: str
    plan: ClearPlan
    reason: ClearReason
    snapshot: SnapshotRow | None
    bridge: str


def take_snapshot(
    con: "Connection", row: SessionRow, policy: SnapshotPolicy, reason: SnapshotReason, *, now_s: float
) -> SnapshotRow:
    """Store what the session holds now as one more link of its chain, and prune the chain.

    A damaged predecessor is not built upon: the new snapshot is full then.
    """
    entries = read_entries(con, row.rid)
    last = next(reversed(list_snapshots(con, row.rid)), None)
    previous: Mapping[str, Entry] | None = None
    chain = 0
    if last is not None:
        try:
            previous = load_snapshot(con, last)
            chain = chain_length(con, last)
        except CorruptPayload:
            previous = None
    body = plan_snapshot(entries, previous, policy, chain=chain + 1)
    parent = last.id if last is not None else None
    snapshot = insert_snapshot(
        con, body, rid=row.rid, parent=parent, reason=reason, now_s=now_s, seq=row.last_seq, size=len(entries)
    )
    # Pruning waits until damaged links have left by themselves; what can be restored stays restorable.
    with suppress(CorruptPayload):
        prune_snapshots(con, row.rid, keep=policy.max_snapshots)
    return snapshot


def clear_session(
    con: "Connection",
    row: SessionRow,
    reason: ClearReason,
    *,
    clearing: ClearPolicy,
    snapshots: SnapshotPolicy,
    keep: Collection[str],
    now_s: float,
) -> Cleared:
    """Snapshot what the session holds if the strategy wants that, then keep what matters."""
    plan = plan_clear(read_entries(con, row.rid).values(), clearing, keep=keep)
    snapshot = None
    if is_wanted(snapshots, SnapshotReason.CLEAR):
        snapshot = take_snapshot(con, row, snapshots, SnapshotReason.CLEAR, now_s=now_s)
    replace_entries(con, row.rid, (scored.entry for scored in plan.kept))
    mark_cleared(con, row.rid, now_s=now_s)
    bridge = clear_bridge(plan, reason, snapshot=snapshot.label if snapshot else "")
    return Cleared(row.id, plan, reason, snapshot, bridge)


def restore_into(
    con: "Connection", row: SessionRow, entries: Mapping[str, Entry], policy: SnapshotPolicy, *, now_s: float
) -> None:
    """Let the session hold exactly `entries`; what it held is snapshotted first, unless it held nothing else."""
    held = read_entries(con, row.rid)
    if held and held != entries and is_wanted(policy, SnapshotReason.RESTORE):
        take_snapshot(con, row, policy, SnapshotReason.RESTORE, now_s=now_s)
    replace_entries(con, row.rid, entries.values())
