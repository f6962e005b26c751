"""The statements by which a spool's file gets smaller. Each is short: other servers' writes get in between.

What goes first is decided here, by expiry or by age; when, and how much, by `cache.spool_sqlite`.
"""

from typing import TYPE_CHECKING, Final, cast

from .spool_rows import Row

if TYPE_CHECKING:
    import apsw

_FAR_FUTURE: Final = 1e18
_VACUUM_PAGES: Final = 2000
_MAX_TOMBSTONES: Final = 20_000
"""Handles remembered after their payload has gone, to say `expired` rather than `unknown`."""


def used_bytes(connection: "apsw.Connection") -> int:
    """Return the bytes of the file that are in use."""
    used = connection.pragma("page_count") - connection.pragma("freelist_count")
    return used * connection.pragma("page_size")


def remove_oldest(connection: "apsw.Connection", after: int, expired_at: float | None, limit: int) -> list[Row]:
    """Remove the oldest unpinned payloads behind sequence number `after`, expired ones only if `expired_at` is given.

    Returns (sequence number, row) of at most `limit`. The age of a payload is that of its newest handle.
    """
    oldest = connection.execute(
        "SELECT CAST(h.seq AS INTEGER), p.rowid FROM handle h JOIN payload p ON p.sha256 = h.sha256"
        " WHERE h.seq > ? AND h.expires <= ? AND NOT EXISTS"
        " (SELECT 1 FROM handle g WHERE g.sha256 = h.sha256 AND (g.pinned OR g.seq > h.seq)) ORDER BY h.seq LIMIT ?",
        (after, _FAR_FUTURE if expired_at is None else expired_at, limit),
    ).fetchall()
    connection.executemany("DELETE FROM payload WHERE rowid = ?", [(rowid,) for _, rowid in oldest])
    return cast("list[Row]", oldest)


def vacuum_some(connection: "apsw.Connection") -> int:
    """Give some free pages back; the pragma frees as long as it is stepped. Returns how many."""
    free = connection.pragma("freelist_count")
    for _ in connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})"):
        pass
    return free - connection.pragma("freelist_count")


def bury(connection: "apsw.Connection") -> None:
    """Forget the oldest handles whose payload is gone beyond the cap on tombstones."""
    connection.execute(
        "DELETE FROM handle WHERE id IN (SELECT id FROM handle WHERE sha256 NOT IN (SELECT sha256 FROM payload)"
        " ORDER BY seq DESC LIMIT -1 OFFSET ?)",
        (_MAX_TOMBSTONES,),
    )
