"""What `clear` keeps, and when a clear is due. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .entries import Entry
from .importance import DEFAULT_MIN_IMPORTANCE, KeepReason, Scored, score_entries
from .terms import terms_of

DEFAULT_CLEAR_AFTER_EVENTS: Final = 2_000
"""Far above a working day's calls; below that the live entries cost little and a clear would only lose ranking."""
DEFAULT_MAX_ENTRIES: Final = 1_000
MEMORY_THRESHOLD_RATIO: Final = 0.9
PRESERVED_KEYWORDS: Final = 10


class ClearReason(Enum):
    """Why a session was cleared (seed 004)."""

    CONVERSATION_LIMIT = "conversation limit"
    MEMORY_THRESHOLD = "memory threshold"
    MANUAL = "manual"
    ERROR_RECOVERY = "error recovery"


@dataclass(frozen=True, slots=True)
class ClearPolicy:
    """When to clear by itself, and what stays."""

    min_importance_to_preserve: float = DEFAULT_MIN_IMPORTANCE
    clear_after_events: int = DEFAULT_CLEAR_AFTER_EVENTS
    max_entries: int = DEFAULT_MAX_ENTRIES

    def __post_init__(self) -> None:
        if not 0 <= self.min_importance_to_preserve <= 1:
            raise ValueError(f"min_importance_to_preserve must be in [0, 1], got {self.min_importance_to_preserve}")
        if self.clear_after_events < 1 or self.max_entries < 1:
            raise ValueError("clear_after_events and max_entries must be >= 1")


@dataclass(frozen=True, slots=True)
class ClearPlan:
    """Which entries stay and which leave; together they are all that there were."""

    kept: tuple[Scored, ...]
    cleared: tuple[Scored, ...]
    keywords: tuple[str, ...]
    """The most frequent terms of what stays."""


def clear_due(policy: ClearPolicy, *, events_since_clear: int, entries: int) -> ClearReason | None:
    """Return why a session should be cleared now, if it should."""
    if events_since_clear >= policy.clear_after_events:
        return ClearReason.CONVERSATION_LIMIT
    if entries >= policy.max_entries * MEMORY_THRESHOLD_RATIO:
        return ClearReason.MEMORY_THRESHOLD
    return None


def plan_clear(entries: Iterable[Entry], policy: ClearPolicy, *, keep: Collection[str] = ()) -> ClearPlan:
    """Keep what scores at least the threshold, and what `keep` names: a key, handle, path, path prefix or kind.

    What is kept never exceeds half of `max_entries` unless it is pinned or asked for, so that a clear makes room.
    """
    kept: list[Scored] = []
    cleared: list[Scored] = []
    room = max(1, policy.max_entries // 2)
    for scored in score_entries(entries):
        if _is_asked(scored.entry, keep):
            kept.append(Scored(scored.entry, scored.score, KeepReason.ASKED))
        elif scored.entry.is_pinned or (scored.score >= policy.min_importance_to_preserve and len(kept) < room):
            kept.append(scored)
        else:
            cleared.append(scored)
    return ClearPlan(tuple(kept), tuple(cleared), keywords_of(scored.entry for scored in kept))


def keywords_of(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the terms that occur in most entries, most frequent first, ties in alphabetical order."""
    counts: dict[str, int] = {}
    for entry in entries:
        for term in set(terms_of("\n".join([entry.text, *(span.path for span in entry.spans)]))):
            if len(term) > 3 and not term.isdigit():
                counts[term] = counts.get(term, 0) + 1
    return tuple(sorted(counts, key=lambda term: (-counts[term], term))[:PRESERVED_KEYWORDS])


def _is_asked(entry: Entry, keep: Collection[str]) -> bool:
    if not keep:
        return False
    names = {entry.key, entry.kind.value, entry.tool, *entry.handles}
    paths = [span.path for span in entry.spans]
    return any(
        wanted in names or any(path == wanted or path.startswith(wanted.rstrip("/") + "/") for path in paths)
        for wanted in keep
        if wanted
    )
