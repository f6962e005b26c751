"""What each tier of recall searches, read from the rows. Inside a caller's transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import CorruptPayload
from ..index.tokenise import Tokeniser
from .candidates import CANDIDATES, document_frequencies, find_candidates
from .columns import int_of
from .entries import Entry, search_text_of
from .entry_rows import matching_entries
from .event_rows import PassageRow, load_passages
from .ranking import TierStatistics, rank
from .recollection import Recalled
from .session_rows import SessionRow
from .snapshot_rows import list_snapshots, load_snapshot

if TYPE_CHECKING:
    from apsw import Connection

RECENT_SNAPSHOTS: Final = 3


@dataclass(frozen=True, slots=True)
class HeldEntries:
    """The entries of one session in one tier: those that may match, and the keys of all."""

    session: SessionRow
    entries: tuple[Entry, ...]
    keys: frozenset[str]


def held_entries(con: "Connection", session: SessionRow, terms: Sequence[str]) -> HeldEntries:
    """Return what a session holds now."""
    entries, keys = matching_entries(con, session.rid, terms)
    return HeldEntries(session, tuple(entries), keys)


def stored_entries(con: "Connection", session: SessionRow, held: Collection[str]) -> HeldEntries:
    """Return what the newest snapshots of a session hold and it does not hold any more, each in its newest form."""
    found: dict[str, Entry] = {}
    for snapshot in reversed(list_snapshots(con, session.rid)[-RECENT_SNAPSHOTS:]):
        try:
            stored = load_snapshot(con, snapshot)
        except CorruptPayload:  # the transcript still has it
            continue
        for key, entry in stored.items():
            if key not in held:
                found.setdefault(key, entry)
    return HeldEntries(session, tuple(found.values()), frozenset(found))


def tier_of_entries(
    held: Sequence[HeldEntries], terms: Sequence[str], tokeniser: Tokeniser
) -> tuple[list[list[str]], TierStatistics]:
    """Return the terms of a tier's entries, in order, and the statistics of the tier as a whole."""
    texts = [tokeniser.tokens(search_text_of(entry)) for one in held for entry in one.entries]
    frequencies = dict.fromkeys(terms, 0)
    for text in texts:
        for term in frequencies.keys() & set(text):
            frequencies[term] += 1
    return texts, TierStatistics(max(len(texts), sum(len(one.keys) for one in held)), frequencies)


def rank_passages(
    con: "Connection", sessions: Sequence[SessionRow], terms: Sequence[str], tokeniser: Tokeniser
) -> list[Recalled]:
    """Return the passages of `sessions` that answer `terms`, best first, by statistics of the whole transcript."""
    frequencies = document_frequencies(con, terms)
    if not frequencies or not sessions:
        return []
    names = {row.rid: row.id for row in sessions}
    everything = sum(int_of(row[0]) for row in con.execute("SELECT coalesce(sum(events), 0) FROM sessions"))
    is_narrow = 2 * sum(row.events for row in sessions) < everything
    ids = find_candidates(con, frequencies, list(names), is_narrow=is_narrow)
    passages = load_passages(con, ids, list(names), limit=CANDIDATES)
    documents = sum(int_of(row[0]) for row in con.execute("SELECT count(*) FROM passages"))
    texts = [tokeniser.tokens(_text_of(passage)) for passage in passages]
    ranked = rank(texts, terms, TierStatistics(max(documents, len(texts)), frequencies))
    return [Recalled.of_passage(one, names[passages[one.index].event.session], passages[one.index]) for one in ranked]


def _text_of(passage: PassageRow) -> str:
    event = passage.event
    return "\n".join([event.arguments, *(span.path for span in event.spans), passage.text])
