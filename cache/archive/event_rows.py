"""Rows of the transcript: events, their passages, and the index of the passages' terms. Inside a caller's transaction.

Passages are unique per session by content, so a text that is delivered again costs a row of facts and no second copy.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .columns import SqlValue, float_of, int_of, pack_text, strings_of, text_of, unpack_text
from .entries import decode_spans, encode_spans, entry_key
from .events import EventKind, Record, TouchedSpan
from .terms import passages_of, terms_of

if TYPE_CHECKING:
    from apsw import Connection

_DELETE_BATCH: Final = 2_000
_LOAD_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as stored, without its text."""

    seq: int
    session: int
    at_s: float
    kind: EventKind
    tool: str
    arguments: str
    spans: tuple[TouchedSpan, ...]
    handles: tuple[str, ...]
    tokens: int
    is_error: bool
    entry: str


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage and the newest event that delivered it."""

    id: int
    event: EventRow
    text: str


_EVENT: Final = "e.seq, e.session, e.at_s, e.kind, e.tool, e.arguments, e.spans, e.handles, e.tokens, e.is_error, e.entry"


def append_event(con: "Connection", rid: int, record: Record, *, now_s: float) -> int:
    """Store one record and its passages, and return its number."""
    spans = json.dumps(encode_spans(record.spans), separators=(",", ":"))
    handles = json.dumps(record.handles, separators=(",", ":"))
    con.execute(
        """INSERT INTO events(session, at_s, kind, tool, arguments, spans, handles, tokens, is_error, entry)
           VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            *(rid, now_s, record.kind.value, record.tool, record.arguments, spans, handles),
            *(record.tokens, int(record.is_error), entry_key(record)),
        ),
    )
    seq = con.last_insert_rowid()
    for passage in passages_of(record.text or record.arguments):
        _append_passage(con, rid, seq, passage, record)
    return seq


def owner_term(rid: int) -> str:
    """Return the term under which a session's passages are indexed."""
    return f"zzowner{rid}"


def search_terms_of(arguments: str, spans: Sequence[TouchedSpan], text: str) -> list[str]:
    """Return the terms by which a passage is found: those of the call, of its paths, and its own."""
    return terms_of("\n".join([arguments, *(span.path for span in spans if span.path not in arguments), text]))


def delete_events(con: "Connection", *, until_seq: int = 0, before_s: float = 0.0, session: int = 0) -> int:
    """Delete at most 2,000 events: up to a number, or before a time, or of a session. Returns how many went."""
    seqs = [
        int_of(row[0])
        for row in con.execute(
            "SELECT seq FROM events WHERE seq <= ? OR at_s < ? OR session = ? ORDER BY seq LIMIT ?",
            (until_seq, before_s, session, _DELETE_BATCH),
        )
    ]
    for seq in seqs:
        for (passage,) in list(con.execute("SELECT id FROM passages WHERE event = ?", (seq,))):
            con.execute("DELETE FROM passage_terms WHERE rowid = ?", (passage,))
            con.execute("DELETE FROM passages WHERE id = ?", (passage,))
    con.executemany("DELETE FROM events WHERE seq = ?", [(seq,) for seq in seqs])
    return len(seqs)


def event_sizes(con: "Connection", *, limit: int) -> list[tuple[int, int]]:
    """Return (number, bytes) of the oldest events; the bytes include an estimate of the index's share."""
    rows = con.execute(
        """SELECT e.seq, 200 + length(e.arguments) + length(e.spans) + length(e.handles)
                  + 3 * coalesce((SELECT sum(length(body)) FROM passages WHERE event = e.seq), 0)
           FROM events e ORDER BY e.seq LIMIT ?""",
        (limit,),
    )
    return [(int_of(seq), int_of(size)) for seq, size in rows]


def count_events(con: "Connection") -> int:
    """Return the number of stored events."""
    return sum(int_of(row[0]) for row in con.execute("SELECT count(*) FROM events"))


def recent_events(con: "Connection", rid: int, *, limit: int) -> list[EventRow]:
    """Return the newest events of a session, oldest first."""
    rows = con.execute(f"SELECT {_EVENT} FROM events e WHERE e.session = ? ORDER BY e.seq DESC LIMIT ?", (rid, limit))
    return [_event_of(row) for row in rows][::-1]


def load_passages(con: "Connection", ids: Sequence[int], sessions: Sequence[int], *, limit: int) -> list[PassageRow]:
    """Return the first `limit` of the passages with these ids that belong to one of `sessions`; damaged ones are left out."""
    found: list[PassageRow] = []
    for at in range(0, len(ids), _LOAD_BATCH):
        if len(found) >= limit:
            break
        found.extend(_load_batch(con, ids[at : at + _LOAD_BATCH], sessions))
    return found[:limit]


def _load_batch(con: "Connection", ids: Sequence[int], sessions: Sequence[int]) -> list[PassageRow]:
    marks, owners = ",".join("?" * len(ids)), ",".join("?" * len(sessions))
    # The + keeps SQLite from walking the index of the session, which may hold everything.
    rows = con.execute(
        f"""SELECT p.id, p.body, {_EVENT} FROM passages p JOIN events e ON e.seq = p.event
            WHERE p.id IN ({marks}) AND +p.session IN ({owners})""",
        (*ids, *sessions),
    )
    by_id = {row[0]: row for row in rows}
    found: list[PassageRow] = []
    for id_ in ids:
        if id_ in by_id:
            row = by_id[id_]
            try:
                found.append(PassageRow(id_, _event_of(row[2:]), unpack_text(row[1])))
            except ValueError:
                continue
    return found


def _append_passage(con: "Connection", rid: int, seq: int, passage: str, record: Record) -> None:
    sha = hashlib.sha256(passage.encode("utf-8", "surrogatepass")).digest()[:16]
    for (known,) in con.execute("SELECT id FROM passages WHERE session = ? AND sha = ?", (rid, sha)):
        con.execute("UPDATE passages SET event = ? WHERE id = ?", (seq, known))
        return
    terms = search_terms_of(record.arguments, record.spans, passage)
    con.execute("INSERT INTO passages(session, sha, event, body) VALUES(?, ?, ?, ?)", (rid, sha, seq, pack_text(passage)))
    con.execute(
        "INSERT INTO passage_terms(rowid, owner, body) VALUES(?, ?, ?)",
        (con.last_insert_rowid(), owner_term(rid), " ".join(terms)),
    )


def _event_of(row: Sequence[SqlValue]) -> EventRow:
    return EventRow(
        int_of(row[0]),
        int_of(row[1]),
        float_of(row[2]),
        EventKind(text_of(row[3])),
        text_of(row[4]),
        text_of(row[5]),
        decode_spans(json.loads(text_of(row[6]))),
        strings_of(row[7]),
        int_of(row[8]),
        bool(int_of(row[9])),
        text_of(row[10]),
    )
