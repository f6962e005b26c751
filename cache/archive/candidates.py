"""Passages that may answer a query, out of 100,000, within a few milliseconds. Inside a caller's transaction.

An OR query over SQLite's FTS5 costs about half a microsecond a posting, so common words would take 100 ms. The rarest terms are
taken until their postings reach a fixed number; the others do not select candidates but still count in the exact ranking
that follows. When every term is common, the newest passages that hold all of them are the candidates.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from .columns import SqlValue, int_of, text_of
from .event_rows import owner_term

if TYPE_CHECKING:
    from apsw import Connection

POSTINGS_BUDGET: Final = 10_000
CANDIDATES: Final = 50
_COMMON_CANDIDATES: Final = 100


def document_frequencies(con: "Connection", terms: Sequence[str]) -> Mapping[str, int]:
    """Return in how many passages each term occurs; terms that occur nowhere are left out."""
    marks = ",".join("?" * len(terms))
    rows = con.execute(f"SELECT term, doc FROM passage_vocab WHERE term IN ({marks})", tuple(terms))
    return {text_of(term): int_of(doc) for term, doc in rows}


def selective_terms(frequencies: Mapping[str, int], *, budget: int = POSTINGS_BUDGET) -> list[str]:
    """Return the rarest terms whose postings fit the budget, rarest first; empty when even the rarest does not fit."""
    chosen: list[str] = []
    spent = 0
    for term in sorted(frequencies, key=lambda term: (frequencies[term], term)):
        spent += frequencies[term]
        if spent > budget:
            break
        chosen.append(term)
    return chosen


def find_candidates(
    con: "Connection", frequencies: Mapping[str, int], sessions: Sequence[int], *, is_narrow: bool, limit: int = CANDIDATES
) -> list[int]:
    """Return the ids of the passages most worth ranking, best or newest first.

    `is_narrow` says that `sessions` hold less than half of the store: then the index filters by session itself.
    """
    if not frequencies or not sessions:
        return []
    owners = " OR ".join(f'"{owner_term(rid)}"' for rid in sessions)
    prefix = f"owner:({owners}) AND " if is_narrow else ""
    chosen = selective_terms(frequencies)
    if chosen:
        match = f"{prefix}body:({_any_of(chosen)})"
        sql = "SELECT rowid FROM passage_terms WHERE passage_terms MATCH ? AND rank MATCH 'bm25(0.0, 1.0)' ORDER BY rank LIMIT ?"
        return _ids(con, sql, (match, limit if is_narrow else 4 * limit))
    newest = "SELECT rowid FROM passage_terms WHERE passage_terms MATCH ? ORDER BY rowid DESC LIMIT ?"
    ids = _ids(con, newest, (f"{prefix}body:({_all_of(frequencies)})", _COMMON_CANDIDATES))
    if len(ids) < limit:
        rarest = min(frequencies, key=lambda term: (frequencies[term], term))
        ids += _ids(con, newest, (f"{prefix}body:({_any_of([rarest])})", _COMMON_CANDIDATES))
    return list(dict.fromkeys(ids))


def _any_of(terms: Sequence[str]) -> str:
    return " OR ".join(_quoted(term) for term in terms)


def _all_of(terms: Mapping[str, int]) -> str:
    return " AND ".join(_quoted(term) for term in sorted(terms))


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'


def _ids(con: "Connection", sql: str, values: Sequence[SqlValue]) -> list[int]:
    return [int_of(row[0]) for row in con.execute(sql, tuple(values))]
