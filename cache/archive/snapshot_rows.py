"""Rows of snapshots: compressed bodies, each with a SHA-256 that is checked before use. Inside a caller's transaction."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import CorruptPayload
from .columns import SqlValue, float_of, int_of, pack_text, strings_of, text_of, unpack_text
from .entries import Entry, decode_entry, encode_entry, key_of_line
from .snapshot_lines import LineMemo, SnapshotLines
from .snapshots import SnapshotBody, SnapshotHead, SnapshotReason, chain_of, materialise, plan_prune

if TYPE_CHECKING:
    from apsw import Connection

_COLUMNS: Final = "id, session, parent, is_full, reason, at_s, seq, entries"


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One snapshot without its body."""

    id: int
    session: int
    parent: int | None
    is_full: bool
    reason: SnapshotReason
    at_s: float
    seq: int
    """The newest event of the session when it was taken."""
    entries: int
    """Entries in the set it stands for."""

    @property
    def label(self) -> str:
        """The id by which a client asks for it."""
        return f"snap-{self.id}"


def list_snapshots(con: "Connection", rid: int) -> list[SnapshotRow]:
    """Return a session's snapshots, oldest first."""
    rows = con.execute(f"SELECT {_COLUMNS} FROM snapshots WHERE session = ? ORDER BY id", (rid,))
    return [_row_of(row) for row in rows]


def find_snapshot(con: "Connection", snapshot_id: int) -> SnapshotRow | None:
    """Return one snapshot."""
    for row in con.execute(f"SELECT {_COLUMNS} FROM snapshots WHERE id = ?", (snapshot_id,)):
        return _row_of(row)
    return None


def insert_snapshot(
    con: "Connection",
    body: SnapshotBody,
    *,
    rid: int,
    parent: int | None,
    reason: SnapshotReason,
    now_s: float,
    seq: int,
    size: int,
) -> SnapshotRow:
    """Store a snapshot of `size` entries and return its row."""
    packed, sha256 = _packed(body)
    con.execute(
        """INSERT INTO snapshots(session, parent, is_full, reason, at_s, seq, entries, body, sha256)
           VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (rid, None if body.is_full else parent, int(body.is_full), reason.value, now_s, seq, size, packed, sha256),
    )
    con.execute("UPDATE sessions SET since_snapshot = 0 WHERE rid = ?", (rid,))
    return SnapshotRow(con.last_insert_rowid(), rid, None if body.is_full else parent, body.is_full, reason, now_s, seq, size)


def load_snapshot(con: "Connection", snapshot: SnapshotRow) -> Mapping[str, Entry]:
    """Return the exact entry set of a snapshot.

    Raises:
        CorruptPayload: A body of its chain is damaged or missing.
    """
    heads = {row.id: SnapshotHead(row.id, row.parent, row.is_full) for row in list_snapshots(con, snapshot.session)}
    try:
        return materialise([_body(con, id_) for id_ in chain_of(heads, snapshot.id)])
    except ValueError as error:
        raise CorruptPayload(
            f"snapshot {snapshot.label} is damaged",
            why="its bytes do not have the hash they were stored under",
            next_call="session action=list shows the others; search scope=session still finds the transcript",
        ) from error


def recent_lines(con: "Connection", rid: int, *, snapshots: int, memo: LineMemo) -> dict[str, str]:
    """Return the entries of a session's newest snapshots as they are stored, by key, each in its newest form, undecoded.

    A damaged snapshot is passed over.
    """
    rows = list_snapshots(con, rid)
    heads = {row.id: SnapshotHead(row.id, row.parent, row.is_full) for row in rows}
    bodies: dict[int, SnapshotLines] = {}
    found: dict[str, str] = {}
    for row in reversed(rows[-snapshots:]):
        try:
            chain = chain_of(heads, row.id)
            bodies |= {id_: _lines(con, id_, memo) for id_ in chain if id_ not in bodies}
        except ValueError:
            continue
        held: dict[str, str] = {}
        for id_ in chain:
            body = bodies[id_]
            for key in body.removed:
                held.pop(key, None)
            held.update(body.put)
        found = held | found
    return found


def chain_length(con: "Connection", snapshot: SnapshotRow) -> int:
    """Return how many deltas lie between a snapshot and its nearest full one."""
    heads = {row.id: SnapshotHead(row.id, row.parent, row.is_full) for row in list_snapshots(con, snapshot.session)}
    return len(chain_of(heads, snapshot.id)) - 1


def prune_snapshots(con: "Connection", rid: int, *, keep: int) -> int:
    """Delete all but the newest `keep` and the named ones, rebasing deltas first; returns how many went.

    Raises:
        CorruptPayload: A delta that stays hangs on a damaged one; nothing is deleted then.
    """
    rows = list_snapshots(con, rid)
    named = {int_of(row[0]) for row in con.execute("SELECT snapshot FROM names WHERE session = ?", (rid,))}
    plan = plan_prune((SnapshotHead(row.id, row.parent, row.is_full, row.id in named) for row in rows), keep=keep)
    by_id = {row.id: row for row in rows}
    for snapshot_id in plan.rebase:
        entries = load_snapshot(con, by_id[snapshot_id])
        packed, sha256 = _packed(SnapshotBody(True, tuple(entries.values())))
        con.execute(
            "UPDATE snapshots SET is_full = 1, parent = NULL, body = ?, sha256 = ? WHERE id = ?", (packed, sha256, snapshot_id)
        )
    con.executemany("DELETE FROM snapshots WHERE id = ?", [(snapshot_id,) for snapshot_id in plan.delete])
    return len(plan.delete)


def _packed(body: SnapshotBody) -> tuple[bytes, str]:
    lines = [json.dumps(body.removed), *(encode_entry(entry) for entry in body.put)]
    packed = pack_text("\n".join(lines))
    return packed, hashlib.sha256(packed).hexdigest()


def _body(con: "Connection", snapshot_id: int) -> SnapshotBody:
    lines = _lines(con, snapshot_id)
    return SnapshotBody(lines.is_full, tuple(decode_entry(line) for line in lines.put.values()), lines.removed)


def _lines(con: "Connection", snapshot_id: int, memo: LineMemo | None = None) -> SnapshotLines:
    """Return a verified body.

    Raises:
        ValueError: It is damaged or missing.
    """
    for (stored,) in con.execute("SELECT sha256 FROM snapshots WHERE id = ?", (snapshot_id,)) if memo else ():
        known = memo.get(snapshot_id, text_of(stored)) if memo else None
        if known is not None:
            return known
    for is_full, packed, sha256 in con.execute("SELECT is_full, body, sha256 FROM snapshots WHERE id = ?", (snapshot_id,)):
        if not isinstance(packed, bytes) or hashlib.sha256(packed).hexdigest() != sha256:
            raise ValueError(f"snapshot {snapshot_id} is damaged")
        removed, *entries = unpack_text(packed).split("\n")
        lines = SnapshotLines(bool(is_full), {key_of_line(line): line for line in entries}, strings_of(removed))
        if memo is not None:
            memo.put(snapshot_id, text_of(sha256), lines)
        return lines
    raise ValueError(f"snapshot {snapshot_id} is missing")


def _row_of(row: Sequence[SqlValue]) -> SnapshotRow:
    parent = None if row[2] is None else int_of(row[2])
    return SnapshotRow(
        int_of(row[0]),
        int_of(row[1]),
        parent,
        bool(int_of(row[3])),
        SnapshotReason(text_of(row[4])),
        float_of(row[5]),
        int_of(row[6]),
        int_of(row[7]),
    )
