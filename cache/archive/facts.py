"""Facts with validity and evidence: remembered, recalled, contradicted, exported.

A fact is live until a different value for its topic ends it; both stay and both are shown. Evidence is looked at again each
time a fact is recalled. Facts belong to the workspace: every session sees them and each names its author.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from ..deadline import Deadline
from ..errors import CallCancelled, DeadlineExceeded, InvalidArgument, PathNotFound, PenstockError
from .evidence import MAX_EVIDENCE, Evidence, Finding, Standing, evidence_of, look_again, parse_evidence
from .fact_lines import Imported, Placed, decode_lines, encode_fact, place_fact
from .fact_rows import (
    Fact,
    count_facts,
    delete_facts,
    fact_frequencies,
    facts_of_topic,
    find_fact,
    matching_facts,
    newest_facts,
    topic_of,
)
from .ranking import TierStatistics, document_of, query_of, rank
from .remembering import MAX_FACTS, Conflict, Remembered, Resolution, Resolve, checked_fact, commit_fact, disputes_of, weigh
from .revision import head_commit
from .store import ArchiveStore
from .terms import query_terms_of

if TYPE_CHECKING:
    from apsw import Connection

ReadFile = Callable[[str, Deadline], tuple[str, bytes]]
"""(path, deadline) -> display path and bytes, through the jail; raises as `Workspace.read` does."""

_IMPORT_BATCH: Final = 200
"""Facts a transaction: other processes come between."""
_RANKED: Final = 200


@dataclass(frozen=True, slots=True)
class RecalledFact:
    """A fact, how well it answers, what has become of its evidence, and what it replaced or was replaced by."""

    fact: Fact
    similarity: float
    matched: tuple[str, ...]
    findings: tuple[Finding, ...]
    replaced: tuple[Fact, ...]
    """Facts of the topic that this one ended."""
    disputed: tuple[Fact, ...] = ()
    """Live facts of the topic that this one contradicts: both were kept."""


class FactBook:
    """The workspace's facts. Thread-safe."""

    def __init__(
        self,
        store: ArchiveStore,
        read_file: ReadFile,
        *,
        commit_of: Callable[[Deadline], str] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._read_file = read_file
        self._commit_of: Callable[[Deadline], str] = commit_of or partial(head_commit, read_file)
        self._wall = wall

    def remember(
        self,
        topic: str,
        value: str,
        evidence: Sequence[str],
        *,
        author: str,
        deadline: Deadline,
        resolve: Resolve | None = None,
    ) -> Remembered:
        """Record a value for a topic, or confirm a live fact that says the same.

        Live facts that it contradicts are ended, unless `resolve` is given: it is asked first, and nothing is stored until it
        has answered.

        Raises:
            InvalidArgument: Topic or value is empty or too long, or evidence is malformed or beyond the file's end.
            SecretDenied: The text holds a secret, or the evidence is a file that may not be read.
            PathNotFound: The evidence is no file of the workspace.
        """
        topic, value = checked_fact(topic, value)
        gathered = self._gather(evidence, deadline)
        resolution, asked = Resolution.CLOSE_OLD, ()
        conflict = self.conflict(topic, value) if resolve is not None else None
        if resolve is not None and conflict is not None:
            resolution, asked = resolve(conflict), tuple(fact.id for fact, _ in conflict.against)
        now = self._wall()
        fact = Fact(0, topic, value, now, None, None, gathered, author, 0, now)
        return self._store.database.write(lambda con: commit_fact(con, fact, resolution, asked))

    def conflict(self, topic: str, value: str) -> Conflict | None:
        """Return what a value would contradict if it were remembered now; nothing is stored.

        Raises:
            InvalidArgument: Topic or value is empty or too long.
            SecretDenied: The text holds a secret.
        """
        topic, value = checked_fact(topic, value)
        weighed = weigh(self._store.database.read(lambda con: facts_of_topic(con, topic)), value)
        return Conflict(topic, value, weighed.against) if weighed.against else None

    def recall(self, query: str, *, limit: int, deadline: Deadline) -> list[RecalledFact]:
        """Return the facts that answer a query best, live ones before ended ones of the same similarity."""
        terms = query_terms_of(query)
        ranked = self._store.database.read(lambda con: _ranked(con, terms, limit)) if terms else []
        return [replace(one, findings=self._look(one.fact, deadline)) for one in ranked]

    def newest(self, *, limit: int, topic: str = "", include_ended: bool = False) -> list[Fact]:
        """Return the newest facts, of one topic if given."""
        if topic:
            found = self._store.database.read(lambda con: facts_of_topic(con, topic_of(topic), live_only=not include_ended))
            return found[::-1][:limit]
        return self._store.database.read(lambda con: newest_facts(con, limit=limit, live_only=not include_ended))

    def verified(self, facts: Sequence[Fact], deadline: Deadline) -> list[tuple[Fact, tuple[Finding, ...]]]:
        """Look at the evidence of each fact again."""
        return [(fact, self._look(fact, deadline)) for fact in facts]

    def forget(self, topic: str) -> list[Fact]:
        """Remove a topic's facts, or one fact by its id (`f12`), for good; return what went."""

        def work(con: "Connection") -> list[Fact]:
            wanted = topic.strip()
            found = facts_of_topic(con, topic_of(wanted), live_only=False)
            if not found and wanted[:1] == "f" and wanted[1:].isdigit():
                one = find_fact(con, int(wanted[1:]))
                found = [one] if one else []
            delete_facts(con, [fact.id for fact in found])
            return found

        return self._store.database.write(work)

    def export_lines(self) -> Iterator[str]:
        """Return every fact as one JSON line, oldest first."""
        facts = self._store.database.read(lambda con: newest_facts(con, limit=MAX_FACTS, live_only=False))
        for fact in reversed(facts):
            yield encode_fact(fact)

    def import_lines(self, lines: Iterable[str]) -> Imported:
        """Add exported facts that are not here yet, each line for itself; the same lines again change nothing.

        Raises:
            InvalidArgument: There are too many facts; those before are kept.
            StoreUnavailable: The archive cannot be written now.
        """
        facts, refused = decode_lines(lines)
        placed: list[Placed] = []
        for at in range(0, len(facts), _IMPORT_BATCH):
            batch = facts[at : at + _IMPORT_BATCH]
            placed += self._store.database.write(lambda con, batch=batch: [place_fact(con, fact) for fact in batch])
        added = sum(one.is_added for one in placed)
        return Imported(added, len(placed) - added, sum(one.ended for one in placed), tuple(refused))

    def statistics(self) -> tuple[int, int]:
        """Return (facts, live facts)."""
        return self._store.database.read(lambda con: (count_facts(con), count_facts(con, live_only=True)))

    def _gather(self, evidence: Sequence[str], deadline: Deadline) -> tuple[Evidence, ...]:
        gathered: list[Evidence] = []
        if len(evidence) > MAX_EVIDENCE:
            raise InvalidArgument(f"at most {MAX_EVIDENCE} pieces of evidence, got {len(evidence)}")
        for text in evidence:
            try:
                path, lines = parse_evidence(text)
                rel, data = self._read_file(path, deadline)
                gathered.append(evidence_of(rel, data, lines, commit=self._commit_of(deadline)))
            except PenstockError:
                raise
            except ValueError as error:
                raise InvalidArgument(str(error), next_call="memory action=remember evidence=path:first-last") from error
        return tuple(gathered)

    def _look(self, fact: Fact, deadline: Deadline) -> tuple[Finding, ...]:
        findings: list[Finding] = []
        for evidence in fact.evidence:
            try:
                findings.append(look_again(evidence, self._read_file(evidence.path, deadline)[1]))
            except PathNotFound:
                findings.append(look_again(evidence, None))
            except (CallCancelled, DeadlineExceeded):
                raise
            except PenstockError:
                findings.append(Finding(evidence, Standing.UNREADABLE))
        return tuple(findings)


def _ranked(con: "Connection", terms: Sequence[str], limit: int) -> list[RecalledFact]:
    facts = matching_facts(con, terms, limit=_RANKED)
    query = query_of(terms, TierStatistics(max(count_facts(con), len(facts)), fact_frequencies(con, terms)))
    documents = [document_of(f"{fact.topic}\n{fact.value}", query) for fact in facts]
    ranked = sorted(
        rank(documents, query),
        key=lambda one: (-round(one.similarity, 6), not facts[one.index].is_live, -facts[one.index].id),
    )
    found: list[RecalledFact] = []
    for one in ranked[:limit]:
        fact = facts[one.index]
        others = facts_of_topic(con, fact.topic, live_only=False)
        replaced = tuple(old for old in others if old.closed_by == fact.id)
        disputed = disputes_of(fact, [other for other in others if other.is_live])
        found.append(RecalledFact(fact, one.similarity, one.matched, (), replaced, disputed))
    return found
