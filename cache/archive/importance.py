"""How much an entry matters, from 0 to 1. Pure: no clock; age is counted in events, so the same history scores the same.

    score = 0.50 kind + 0.20 recency + 0.12 frequency + 0.18 engagement        (pinned: 1)

kind        goals, decisions and failures weigh most, a status call least; an error of any tool weighs as a failure
recency     halves every 50 events of the session
frequency   1 - 1/count: 0 for a thing met once, a half for twice, towards 1
engagement  1 - 1/(1 + times recalled)

With the default threshold of 0.4 a goal (0.50), a decision (0.475) and a failure (0.425) are kept at any age; a file that
was read once (0.225) is kept while it is recent (the last 10 events) or once it has been read and recalled again.
The seed's scorer (importance by type, access count, recency, engagement) gave no numbers; these are ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .entries import Entry
from .events import EventKind

KIND_SHARE: Final = 0.50
RECENCY_SHARE: Final = 0.20
FREQUENCY_SHARE: Final = 0.12
ENGAGEMENT_SHARE: Final = 0.18
HALF_LIFE_EVENTS: Final = 50
DEFAULT_MIN_IMPORTANCE: Final = 0.4

KIND_WEIGHTS: Final = {
    EventKind.GOAL: 1.0,
    EventKind.DECISION: 0.95,
    EventKind.FAILURE: 0.85,
    EventKind.OPEN_END: 0.85,
    EventKind.NOTE: 0.80,
    EventKind.FACT: 0.60,
    EventKind.RESTORE: 0.55,
    EventKind.OUTPUT: 0.50,
    EventKind.READ: 0.45,
    EventKind.SEARCH: 0.35,
    EventKind.EVICT: 0.10,
    EventKind.SESSION: 0.10,
    EventKind.STATUS: 0.05,
}


class KeepReason(Enum):
    """Why `clear` kept an entry."""

    PINNED = "pinned"
    ASKED = "asked for by keep"
    KIND = "its kind"
    RECENT = "recent"
    FREQUENT = "met often"
    ENGAGED = "recalled before"


@dataclass(frozen=True, slots=True)
class Scored:
    """An entry, its score, and the share of the score that tipped it."""

    entry: Entry
    score: float
    reason: KeepReason


def importance_of(entry: Entry, *, newest_seq: int) -> Scored:
    """Score `entry` in a session whose newest event has number `newest_seq`."""
    weight = KIND_WEIGHTS[entry.kind]
    if entry.is_error:
        weight = max(weight, KIND_WEIGHTS[EventKind.FAILURE])
    age = max(0, newest_seq - entry.last_seq)
    shares = {
        KeepReason.KIND: KIND_SHARE * weight,
        KeepReason.RECENT: RECENCY_SHARE * 0.5 ** (age / HALF_LIFE_EVENTS),
        KeepReason.FREQUENT: FREQUENCY_SHARE * (1 - 1 / max(1, entry.count)),
        KeepReason.ENGAGED: ENGAGEMENT_SHARE * (1 - 1 / (1 + max(0, entry.engagements))),
    }
    if entry.is_pinned:
        return Scored(entry, 1.0, KeepReason.PINNED)
    if shares[KeepReason.KIND] >= DEFAULT_MIN_IMPORTANCE:
        reason = KeepReason.KIND
    else:
        reason = max((KeepReason.ENGAGED, KeepReason.FREQUENT, KeepReason.RECENT), key=lambda which: shares[which])
    return Scored(entry, min(1.0, sum(shares.values())), reason)


def score_entries(entries: Iterable[Entry]) -> list[Scored]:
    """Score the entries of one session, most important first; ties by age, oldest first."""
    known = list(entries)
    newest = max((entry.last_seq for entry in known), default=0)
    scored = [importance_of(entry, newest_seq=newest) for entry in known]
    return sorted(scored, key=lambda one: (-one.score, one.entry.first_seq, one.entry.key))
