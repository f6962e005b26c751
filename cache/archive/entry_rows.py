"""Rows of the entries that a session holds now. Inside a caller's transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from .columns import int_of, text_of
from .entries import Entry, by_key, decode_entry, encode_entry, entry_key, fold_record
from .events import Record

if TYPE_CHECKING:
    from apsw import Connection


def read_entries(con: "Connection", rid: int) -> Mapping[str, Entry]:
    """Return the entries of a session by key; rows that are damaged are left out."""
    entries: list[Entry] = []
    for (body,) in con.execute("SELECT body FROM entries WHERE session = ?", (rid,)):
        try:
            entries.append(decode_entry(text_of(body)))
        except ValueError:
            continue
    return by_key(entries)


def entry_lines(con: "Connection", rid: int) -> dict[str, str]:
    """Return the entries of a session as they are stored, by key, undecoded."""
    return {text_of(key): text_of(body) for key, body in con.execute("SELECT key, body FROM entries WHERE session = ?", (rid,))}


def read_entry(con: "Connection", rid: int, key: str) -> Entry | None:
    """Return one entry, None if there is none or its row is damaged."""
    for (body,) in con.execute("SELECT body FROM entries WHERE session = ? AND key = ?", (rid, key)):
        try:
            return decode_entry(text_of(body))
        except ValueError:
            return None
    return None


def count_entries(con: "Connection", rid: int) -> int:
    """Return how many entries a session holds."""
    return sum(int_of(row[0]) for row in con.execute("SELECT count(*) FROM entries WHERE session = ?", (rid,)))


def fold_into_entries(con: "Connection", rid: int, record: Record, seq: int) -> Entry:
    """Fold one record into the session's entries and return the entry that it became."""
    entry = fold_record(read_entry(con, rid, entry_key(record)), record, seq)
    put_entries(con, rid, [entry])
    return entry


def engage_entry(con: "Connection", rid: int, key: str) -> None:
    """Count one more recall of an entry, if the session holds it."""
    known = read_entry(con, rid, key)
    if known is not None:
        put_entries(con, rid, [replace(known, engagements=known.engagements + 1)])


def put_entries(con: "Connection", rid: int, entries: Iterable[Entry]) -> None:
    """Write entries, replacing those of the same key."""
    rows = [(rid, entry.key, encode_entry(entry)) for entry in entries]
    con.executemany("INSERT OR REPLACE INTO entries(session, key, body) VALUES(?, ?, ?)", rows)


def replace_entries(con: "Connection", rid: int, entries: Iterable[Entry]) -> None:
    """Let the session hold exactly `entries`."""
    con.execute("DELETE FROM entries WHERE session = ?", (rid,))
    put_entries(con, rid, entries)
