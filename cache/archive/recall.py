"""Recall in three tiers: what the session holds, what its snapshots hold, the full transcript (seed 004).

    tier 1  session     similarity > 0.3, at most 10
    tier 2  snapshots   > 0.4, at most 15, when fewer than 5 were found; the newest 3 snapshots
    tier 3  transcript  > 0.5, at most 10, when fewer than 3 were found

20 at most in all. One search of the transcript's passages serves all tiers: a passage belongs to the tier that holds its entry,
so an entry is found by everything that was delivered for it and not only by its short text. Terms are whole words and every
matched term is really there (the seed matched parts of words, and called every term of a tier-3 hit matched).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from .bridge import retrieval_bridge
from .ranking import query_of
from .recollection import MAX_RECALLED, TIER_RULES, Recalled, Recollection, Tier, TierRule
from .session_rows import SessionRow, lineage, list_sessions
from .snapshot_lines import LineMemo
from .store import ArchiveStore
from .terms import query_terms_of
from .tiers import held_lines, rank_entries, rank_passages, stored_lines, transcript_statistics

if TYPE_CHECKING:
    from apsw import Connection

_LIVE_SESSIONS: Final = 4
"""Sessions of the lineage whose entries are searched; the transcript of all of them is."""


class Recall:
    """Searches what sessions have met. Thread-safe."""

    def __init__(self, store: ArchiveStore, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._store = store
        self._clock = clock
        self._memo = LineMemo()

    def search(self, query: str, *, session_id: str, limit: int = MAX_RECALLED) -> Recollection:
        """Search the session and those it was restored from; when they are empty, every named session, else the last one.

        Raises:
            StoreUnavailable: The store cannot be read.
        """
        start = self._clock()
        terms = query_terms_of(query)
        found: list[Recalled] = []
        searched: list[Tier] = []
        if terms:
            found, searched = self._store.database.read(lambda con: self._search(con, terms, session_id))
        found = sorted(found, key=lambda one: (-one.similarity, -one.seq, one.key))[: max(1, min(limit, MAX_RECALLED))]
        mean = sum(one.similarity for one in found) / len(found) if found else 0.0
        handles = tuple(dict.fromkeys(one.handles[0] for one in found if one.handles))
        bridge = retrieval_bridge(len(found), [tier.value for tier in searched], query, handles[:8], mean)
        return Recollection(tuple(found), terms, tuple(searched), bridge, (self._clock() - start) * 1000)

    def _search(self, con: "Connection", terms: Sequence[str], session_id: str) -> tuple[list[Recalled], list[Tier]]:
        sessions = _searched_sessions(con, session_id)
        statistics = transcript_statistics(con, terms)
        query = query_of(terms, statistics)
        passages = rank_passages(con, sessions, query, statistics.frequencies)
        live = [held_lines(con, row) for row in sessions[:_LIVE_SESSIONS]]
        found: dict[tuple[str, str], Recalled] = {}
        searched: list[Tier] = []
        for rule in TIER_RULES:
            if len(found) >= rule.if_fewer_than:
                continue
            searched.append(rule.tier)
            if rule.tier is Tier.TRANSCRIPT:
                hits = [replace(one, tier=rule.tier) for one in passages]
            else:
                held = (
                    live if rule.tier is Tier.SESSION else [stored_lines(con, one.session, one.lines, self._memo) for one in live]
                )
                keys = {(one.session.id, key) for one in held for key in one.lines}
                hits = [replace(one, tier=rule.tier) for one in passages if (one.session_id, one.key) in keys]
                hits += rank_entries(held, query, rule)
            for hit in _best(hits, rule):
                found.setdefault((hit.session_id, hit.key), hit)
        return list(found.values()), searched


def _best(hits: Sequence[Recalled], rule: TierRule) -> list[Recalled]:
    """Return the best form of each entry above the tier's threshold, best first, ties to the newer."""
    best: dict[tuple[str, str], Recalled] = {}
    for hit in sorted(hits, key=lambda one: (-one.similarity, -one.seq)):
        if hit.similarity > rule.threshold:
            best.setdefault((hit.session_id, hit.key), hit)
    return list(best.values())[: rule.limit]


def _searched_sessions(con: "Connection", session_id: str) -> list[SessionRow]:
    ours = lineage(con, session_id)
    if any(row.events for row in ours):
        return ours
    others = [row for row in list_sessions(con) if row.events]
    return [row for row in others if row.names] or others[:1]
