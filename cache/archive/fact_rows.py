"""Rows of facts. Inside a caller's transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .columns import SqlValue, float_of, int_of, optional_float_of, text_of
from .evidence import Evidence, encode_evidence, load_evidence
from .terms import terms_of

if TYPE_CHECKING:
    from apsw import Connection

_COLUMNS: Final = "id, topic, value, from_s, until_s, closed_by, evidence, author, confirmations, confirmed_s"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something held true about the workspace, from when, until when, on what evidence, by whom."""

    id: int
    topic: str
    value: str
    from_s: float
    """Wall clock, seconds."""
    until_s: float | None
    """When a later fact ended it; None while it is live."""
    closed_by: int | None
    evidence: tuple[Evidence, ...]
    author: str
    """The session that recorded it."""
    confirmations: int = 0
    confirmed_s: float = 0.0

    @property
    def is_live(self) -> bool:
        """Whether the fact has not been ended."""
        return self.until_s is None


def topic_of(topic: str) -> str:
    """Return the form under which topics are compared: one case, single spaces."""
    return " ".join(topic.casefold().split())


def insert_fact(con: "Connection", fact: Fact) -> Fact:
    """Store a fact under a new id and return it."""
    con.execute(
        """INSERT INTO facts(topic, value, from_s, until_s, closed_by, evidence, author, confirmations, confirmed_s)
           VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            *(fact.topic, fact.value, fact.from_s, fact.until_s, fact.closed_by, _packed(fact.evidence), fact.author),
            *(fact.confirmations, fact.confirmed_s),
        ),
    )
    id_ = con.last_insert_rowid()
    con.execute("INSERT INTO fact_terms(rowid, body) VALUES(?, ?)", (id_, " ".join(terms_of(f"{fact.topic}\n{fact.value}"))))
    return Fact(
        id_, fact.topic, fact.value, fact.from_s, fact.until_s, fact.closed_by, fact.evidence, fact.author, fact.confirmations,
        fact.confirmed_s,
    )  # fmt: skip


def close_fact(con: "Connection", fact_id: int, *, by: int, now_s: float) -> None:
    """End a fact's validity."""
    con.execute("UPDATE facts SET until_s = ?, closed_by = ? WHERE id = ?", (now_s, by, fact_id))


def confirm_fact(con: "Connection", fact: Fact, evidence: Sequence[Evidence], *, now_s: float) -> None:
    """Count one more confirmation and keep the evidence that came with it."""
    con.execute(
        "UPDATE facts SET confirmations = confirmations + 1, confirmed_s = ?, evidence = ? WHERE id = ?",
        (now_s, _packed(evidence), fact.id),
    )


def delete_facts(con: "Connection", ids: Sequence[int]) -> None:
    """Remove facts for good."""
    con.executemany("DELETE FROM fact_terms WHERE rowid = ?", [(id_,) for id_ in ids])
    con.executemany("DELETE FROM facts WHERE id = ?", [(id_,) for id_ in ids])
    con.executemany("UPDATE facts SET closed_by = NULL WHERE closed_by = ?", [(id_,) for id_ in ids])


def facts_of_topic(con: "Connection", topic: str, *, live_only: bool = True) -> list[Fact]:
    """Return the facts of a topic, oldest first."""
    clause = " AND until_s IS NULL" if live_only else ""
    return _facts(con, f"WHERE topic = ?{clause} ORDER BY id", (topic,))


def find_fact(con: "Connection", fact_id: int) -> Fact | None:
    """Return one fact."""
    found = _facts(con, "WHERE id = ?", (fact_id,))
    return found[0] if found else None


def newest_facts(con: "Connection", *, limit: int, live_only: bool) -> list[Fact]:
    """Return the newest facts, newest first."""
    clause = "WHERE until_s IS NULL" if live_only else ""
    return _facts(con, f"{clause} ORDER BY id DESC LIMIT ?", (limit,))


def matching_facts(con: "Connection", terms: Sequence[str], *, limit: int) -> list[Fact]:
    """Return facts that hold one of `terms`, the most promising first, by SQLite's own ranking."""
    if not terms:
        return []
    match = " OR ".join('"' + term.replace('"', '""') + '"' for term in terms)
    ids = con.execute("SELECT rowid FROM fact_terms WHERE fact_terms MATCH ? ORDER BY rank LIMIT ?", (match, limit))
    found = (find_fact(con, int_of(row[0])) for row in list(ids))
    return [fact for fact in found if fact is not None]


def count_facts(con: "Connection", *, live_only: bool = False) -> int:
    """Return the number of facts."""
    clause = " WHERE until_s IS NULL" if live_only else ""
    return sum(int_of(row[0]) for row in con.execute(f"SELECT count(*) FROM facts{clause}"))


def fact_frequencies(con: "Connection", terms: Sequence[str]) -> dict[str, int]:
    """Return in how many facts each term occurs."""
    found: dict[str, int] = {}
    for term in terms:
        match = '"' + term.replace('"', '""') + '"'
        rows = con.execute("SELECT count(*) FROM fact_terms WHERE fact_terms MATCH ?", (match,))
        found[term] = sum(int_of(row[0]) for row in rows)
    return {term: count for term, count in found.items() if count}


def _facts(con: "Connection", clause: str, values: Sequence[SqlValue]) -> list[Fact]:
    facts: list[Fact] = []
    for row in con.execute(f"SELECT {_COLUMNS} FROM facts {clause}", tuple(values)):
        try:
            facts.append(_fact_of(row))
        except ValueError:  # a damaged row is a fact less, never a wrong one
            continue
    return facts


def _fact_of(row: Sequence[SqlValue]) -> Fact:
    return Fact(
        int_of(row[0]),
        text_of(row[1]),
        text_of(row[2]),
        float_of(row[3]),
        optional_float_of(row[4]),
        None if row[5] is None else int_of(row[5]),
        load_evidence(text_of(row[6])),
        text_of(row[7]),
        int_of(row[8]),
        float_of(row[9]),
    )


def _packed(evidence: Sequence[Evidence]) -> str:
    return json.dumps(encode_evidence(evidence), separators=(",", ":"))
