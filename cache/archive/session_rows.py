"""Rows of sessions and their names. Each function runs inside a transaction of the caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .columns import SqlValue, float_of, int_of, optional_float_of, optional_text_of, pack_text, text_of, unpack_text

if TYPE_CHECKING:
    from apsw import Connection

_MAX_LINEAGE: Final = 8
_COLUMNS: Final = (
    "rid, id, origin, pid, created_s, active_s, cleared_s, clears, events, since_clear, since_snapshot, tokens, last_seq"
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session's row."""

    rid: int
    id: str
    origin: str | None
    """The session that this one was restored from."""
    pid: int
    """The process that wrote last."""
    created_s: float
    active_s: float
    cleared_s: float | None
    clears: int
    events: int
    since_clear: int
    since_snapshot: int
    tokens: int
    last_seq: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NameRow:
    """A name, the session it was given to, and the snapshot it stands for."""

    name: str
    session: int
    snapshot: int
    note: str
    at_s: float


def ensure_session(con: "Connection", session_id: str, *, pid: int, now_s: float) -> SessionRow:
    """Return the session, made now if it is new."""
    known = find_session(con, session_id)
    if known is not None:
        return known
    con.execute("INSERT INTO sessions(id, pid, created_s, active_s) VALUES(?, ?, ?, ?)", (session_id, pid, now_s, now_s))
    row = find_session(con, session_id)
    assert row is not None
    return row


def find_session(con: "Connection", session_id: str) -> SessionRow | None:
    """Return the session with this id."""
    rows = _sessions(con, "WHERE id = ?", (session_id,))
    return rows[0] if rows else None


def session_of(con: "Connection", rid: int) -> SessionRow | None:
    """Return the session with this row id."""
    rows = _sessions(con, "WHERE rid = ?", (rid,))
    return rows[0] if rows else None


def list_sessions(con: "Connection") -> list[SessionRow]:
    """Return every session, most recently active first."""
    return _sessions(con, "ORDER BY active_s DESC, rid DESC", ())


def touch_session(con: "Connection", rid: int, *, pid: int, now_s: float, events: int, tokens: int, last_seq: int) -> None:
    """Note new events and the time of the last activity, which never goes back."""
    con.execute(
        """UPDATE sessions SET active_s = max(active_s, ?), pid = ?, events = events + ?, since_clear = since_clear + ?,
           since_snapshot = since_snapshot + ?, tokens = tokens + ?, last_seq = max(last_seq, ?) WHERE rid = ?""",
        (now_s, pid, events, events, events, tokens, last_seq, rid),
    )


def mark_cleared(con: "Connection", rid: int, *, now_s: float) -> None:
    """Note that the session was cleared now."""
    con.execute("UPDATE sessions SET cleared_s = ?, clears = clears + 1, since_clear = 0 WHERE rid = ?", (now_s, rid))


def set_origin(con: "Connection", rid: int, origin: str) -> None:
    """Note which session this one was restored from."""
    con.execute("UPDATE sessions SET origin = ? WHERE rid = ? AND id <> ?", (origin, rid, origin))


def lineage(con: "Connection", session_id: str) -> list[SessionRow]:
    """Return the session and those it was restored from, nearest first, each once."""
    found: dict[str, SessionRow] = {}
    at: str | None = session_id
    while at is not None and at not in found and len(found) < _MAX_LINEAGE:
        row = find_session(con, at)
        if row is None:
            break
        found[at] = row
        at = row.origin
    return list(found.values())


def read_outline(con: "Connection", rid: int) -> str:
    """Return the stored running outline, "" if there is none or it is damaged."""
    for (value,) in con.execute("SELECT outline FROM sessions WHERE rid = ?", (rid,)):
        try:
            return "" if value is None else unpack_text(value)
        except ValueError:
            return ""
    return ""


def write_outline(con: "Connection", rid: int, outline: str) -> None:
    """Replace the running outline."""
    con.execute("UPDATE sessions SET outline = ? WHERE rid = ?", (pack_text(outline), rid))


def read_written(con: "Connection", rid: int) -> tuple[str, int]:
    """Return the summary that a model wrote and the newest event it covers; ("", 0) without one."""
    for text, seq in con.execute("SELECT written, written_seq FROM sessions WHERE rid = ? AND written IS NOT NULL", (rid,)):
        try:
            return unpack_text(text), int_of(seq)
        except ValueError:
            return "", 0
    return "", 0


def write_written(con: "Connection", rid: int, text: str, seq: int) -> None:
    """Replace the summary that a model wrote."""
    con.execute("UPDATE sessions SET written = ?, written_seq = ? WHERE rid = ?", (pack_text(text), seq, rid))


def find_name(con: "Connection", name: str) -> NameRow | None:
    """Return what a name stands for."""
    for row in con.execute("SELECT name, session, snapshot, note, at_s FROM names WHERE name = ?", (name,)):
        return NameRow(text_of(row[0]), int_of(row[1]), int_of(row[2]), text_of(row[3]), float_of(row[4]))
    return None


def put_name(con: "Connection", row: NameRow) -> None:
    """Let a name stand for a snapshot from now on."""
    con.execute("INSERT OR REPLACE INTO names VALUES(?, ?, ?, ?, ?)", (row.name, row.session, row.snapshot, row.note, row.at_s))


def delete_session(con: "Connection", rid: int) -> None:
    """Remove a session with its entries, snapshots and names; the caller deletes its events. Facts stay."""
    con.execute("DELETE FROM entries WHERE session = ?", (rid,))
    con.execute("DELETE FROM snapshots WHERE session = ?", (rid,))
    con.execute("DELETE FROM names WHERE session = ?", (rid,))
    con.execute("DELETE FROM sessions WHERE rid = ?", (rid,))


def _sessions(con: "Connection", clause: str, values: Sequence[SqlValue]) -> list[SessionRow]:
    rows = list(con.execute(f"SELECT {_COLUMNS} FROM sessions {clause}", tuple(values)))
    clause = " WHERE session = ?" if len(rows) == 1 else ""
    bound = (rows[0][0],) if len(rows) == 1 else ()
    names: dict[int, list[str]] = {}
    for session, name in con.execute(f"SELECT session, name FROM names{clause} ORDER BY at_s, name", bound):
        names.setdefault(int_of(session), []).append(text_of(name))
    return [_row_of(row, tuple(names.get(int_of(row[0]), ()))) for row in rows]


def _row_of(row: Sequence[SqlValue], names: tuple[str, ...]) -> SessionRow:
    return SessionRow(
        int_of(row[0]),
        text_of(row[1]),
        optional_text_of(row[2]),
        int_of(row[3]),
        float_of(row[4]),
        float_of(row[5]),
        optional_float_of(row[6]),
        int_of(row[7]),
        int_of(row[8]),
        int_of(row[9]),
        int_of(row[10]),
        int_of(row[11]),
        int_of(row[12]),
        names,
    )
