"""What recall gives back, and the rules of its tiers. Values only."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from .entries import Entry
from .event_rows import PassageRow
from .events import EventKind, TouchedSpan
from .ranking import Ranked

MAX_RECALLED: Final = 20


class Tier(Enum):
    """Where a recalled entry came from."""

    SESSION = "session"
    SNAPSHOTS = "snapshots"
    TRANSCRIPT = "transcript"


@dataclass(frozen=True, slots=True)
class TierRule:
    """When a tier is searched and what counts as found in it."""

    tier: Tier
    threshold: float
    if_fewer_than: int
    """Searched when so few were found before."""
    limit: int


TIER_RULES: Final = (
    TierRule(Tier.SESSION, 0.3, MAX_RECALLED, 10),
    TierRule(Tier.SNAPSHOTS, 0.4, 5, 15),
    TierRule(Tier.TRANSCRIPT, 0.5, 3, 10),
)


@dataclass(frozen=True, slots=True)
class Recalled:
    """One recalled thing."""

    tier: Tier
    similarity: float
    matched: tuple[str, ...]
    """The query's terms that occur in it."""
    session_id: str
    seq: int
    kind: EventKind
    title: str
    text: str
    spans: tuple[TouchedSpan, ...]
    handles: tuple[str, ...]
    """Newest first."""
    key: str
    """Of the entry that it belongs to."""

    @classmethod
    def of_entry(cls, tier: Tier, ranked: Ranked, session_id: str, entry: Entry) -> "Recalled":
        """Return a hit on an entry's own text."""
        title = entry.title or entry.tool
        place = (session_id, entry.last_seq, entry.kind, title, entry.text, entry.spans, entry.handles, entry.key)
        return cls(tier, ranked.similarity, ranked.matched, *place)

    @classmethod
    def of_passage(cls, ranked: Ranked, session_id: str, passage: PassageRow) -> "Recalled":
        """Return a hit on a passage of the transcript."""
        event = passage.event
        title = event.arguments or event.tool
        place = (session_id, event.seq, event.kind, title, passage.text, event.spans, event.handles, event.entry)
        return cls(Tier.TRANSCRIPT, ranked.similarity, ranked.matched, *place)


@dataclass(frozen=True, slots=True)
class Recollection:
    """The answer to one query."""

    found: tuple[Recalled, ...]
    terms: tuple[str, ...]
    tiers: tuple[Tier, ...]
    """The tiers that were searched."""
    bridge: str
    elapsed_ms: float
