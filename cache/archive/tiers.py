"""What each tier of recall searches, read from the rows. Inside a caller's transaction.

Neither all entries nor all passages are tokenised for a query: SQLite's index names the passages, a scan for the terms as parts
of the stored lines names the entries, and rank-bm25 ranks the best of each exactly.
"""

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .candidates import CANDIDATES, document_frequencies, find_candidates
from .columns import int_of
from .entries import Entry, decode_entry, search_text_of
from .entry_rows import entry_lines
from .event_rows import PassageRow, load_passages
from .ranking import Query, TierStatistics, document_of, rank
from .recollection import Recalled, TierRule
from .session_rows import SessionRow
from .snapshot_lines import LineMemo
from .snapshot_rows import recent_lines

if TYPE_CHECKING:
    from apsw import Connection

RECENT_SNAPSHOTS: Final = 3
MAX_TERM_FACTOR: Final = 2.5
"""BM25 gives one term at most k1 + 1 times its weight; k1 of BM25Okapi is 1.5."""


@dataclass(frozen=True, slots=True)
class HeldLines:
    """The entries of one session in one tier, encoded, by key."""

    session: SessionRow
    lines: Mapping[str, str]


def held_lines(con: "Connection", session: SessionRow) -> HeldLines:
    """Return what a session holds now."""
    return HeldLines(session, entry_lines(con, session.rid))


def stored_lines(con: "Connection", session: SessionRow, held: Collection[str], memo: LineMemo) -> HeldLines:
    """Return what the newest snapshots of a session hold and it does not hold any more."""
    stored = recent_lines(con, session.rid, snapshots=RECENT_SNAPSHOTS, memo=memo)
    return HeldLines(session, {key: line for key, line in stored.items() if key not in held})


def transcript_statistics(con: "Connection", terms: Sequence[str]) -> TierStatistics:
    """Return how many passages there are at most and in how many each term occurs; one measure for all tiers."""
    # The span of ids is known at once; counting rows would take longer than ranking them.
    span = con.execute("SELECT coalesce((SELECT max(id) FROM passages) - (SELECT min(id) FROM passages) + 1, 1)")
    return TierStatistics(sum(int_of(row[0]) for row in span), document_frequencies(con, terms))


def rank_entries(held: Sequence[HeldLines], query: Query, rule: TierRule) -> list[Recalled]:
    """Return the entries that answer `query`, best first, by their own short text.

    Entries that cannot reach the tier's threshold, whatever their length, are not looked at further.
    """
    least = rule.threshold * query.weight / MAX_TERM_FACTOR
    scored: list[tuple[float, int, int, str]] = []
    for at, one in enumerate(held):
        for number, line in enumerate(one.lines.values()):
            weight = _possible_weight(line, query)
            if weight > least:
                scored.append((-weight, at, -number, line))
    entries: list[tuple[SessionRow, Entry]] = []
    for _, at, _, line in heapq.nsmallest(CANDIDATES, scored):
        try:
            entries.append((held[at].session, decode_entry(line)))
        except ValueError:
            continue
    ranked = rank([document_of(search_text_of(entry), query) for _, entry in entries], query)
    return [Recalled.of_entry(rule.tier, one, entries[one.index][0].id, entries[one.index][1]) for one in ranked]


def rank_passages(
    con: "Connection", sessions: Sequence[SessionRow], query: Query, frequencies: Mapping[str, int]
) -> list[Recalled]:
    """Return the passages of `sessions` that answer `query`, best first."""
    if not frequencies or not sessions:
        return []
    names = {row.rid: row.id for row in sessions}
    everything = sum(int_of(row[0]) for row in con.execute("SELECT coalesce(sum(events), 0) FROM sessions"))
    is_narrow = 2 * sum(row.events for row in sessions) < everything
    ids = find_candidates(con, frequencies, list(names), is_narrow=is_narrow)
    passages = load_passages(con, ids, list(names), limit=CANDIDATES)
    ranked = rank([document_of(_text_of(passage), query) for passage in passages], query)
    return [Recalled.of_passage(one, names[passages[one.index].event.session], passages[one.index]) for one in ranked]


def _possible_weight(line: str, query: Query) -> float:
    """Return the weight of the terms that an encoded entry may hold.

    A term is a part of the lower-case text it was taken from; what is not ASCII is stored by escapes and always may be there.
    """
    low = line.lower()
    weight = 0.0
    for term, value in query.weights.items():
        if term in low or not term.isascii():
            weight += value
    return weight


def _text_of(passage: PassageRow) -> str:
    event = passage.event
    return "\n".join([event.arguments, *(span.path for span in event.spans), passage.text])
