"""Facts with validity and evidence: remembered, recalled, contradicted, exported.

A fact is live until a different value for its topic ends it; both stay and both are shown. Evidence is looked at again each
time a fact is recalled. Facts belong to the workspace: every session sees them and each names its author.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from ..deadline import Deadline
from ..errors import CallCancelled, DeadlineExceeded, InvalidArgument, PathNotFound, PenstockError, SecretDenied
from .columns import storable
from .confidential import tells_secret
from .contradiction import Judgement, Verdict, judge
from .evidence import (
    MAX_EVIDENCE,
    Evidence,
    Finding,
    Standing,
    decode_evidence,
    encode_evidence,
    evidence_of,
    look_again,
    parse_evidence,
)
from .fact_rows import (
    Fact,
    close_fact,
    confirm_fact,
    count_facts,
    delete_facts,
    fact_frequencies,
    facts_of_topic,
    find_fact,
    insert_fact,
    matching_facts,
    newest_facts,
    topic_of,
)
from .ranking import TierStatistics, document_of, query_of, rank
from .revision import head_commit
from .store import ArchiveStore
from .terms import query_terms_of

if TYPE_CHECKING:
    from apsw import Connection

ReadFile = Callable[[str, Deadline], tuple[str, bytes]]
"""(path, deadline) -> display path and bytes, through the jail; raises as `Workspace.read` does."""

MAX_TOPIC_CHARS: Final = 120
MAX_VALUE_CHARS: Final = 2_000
MAX_FACTS: Final = 20_000
_RANKED: Final = 200


@dataclass(frozen=True, slots=True)
class Remembered:
    """What remembering did."""

    fact: Fact
    is_new: bool
    """False when a live fact of the topic said the same and was confirmed instead."""
    closed: tuple[tuple[Fact, Judgement], ...]
    """Facts that the new one ended, and why."""
    beside: tuple[Fact, ...]
    """Live facts of the topic that the new one is compatible with."""


@dataclass(frozen=True, slots=True)
class RecalledFact:
    """A fact, how well it answers, what has become of its evidence, and what it replaced or was replaced by."""

    fact: Fact
    similarity: float
    matched: tuple[str, ...]
    findings: tuple[Finding, ...]
    replaced: tuple[Fact, ...]
    """Facts of the topic that this one ended."""


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

    def remember(self, topic: str, value: str, evidence: Sequence[str], *, author: str, deadline: Deadline) -> Remembered:
        """Record a value for a topic; end the live facts of the topic that it contradicts, confirm one that says the same.

        Raises:
            InvalidArgument: Topic or value is empty or too long, or evidence is malformed or beyond the file's end.
            SecretDenied: The text holds a secret, or the evidence is a file that may not be read.
            PathNotFound: The evidence is no file of the workspace.
        """
        topic, value = _checked(topic, value)
        gathered = self._gather(evidence, deadline)
        now = self._wall()
        fact = Fact(0, topic, value, now, None, None, gathered, author, 0, now)
        return self._store.database.write(lambda con: _remember(con, fact))

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
            yield json.dumps(
                {
                    "topic": fact.topic,
                    "value": fact.value,
                    "valid_from": fact.from_s,
                    "valid_until": fact.until_s,
                    "evidence": encode_evidence(fact.evidence),
                    "author": fact.author,
                },
                ensure_ascii=False,
            )

    def import_lines(self, lines: Iterator[str]) -> int:
        """Add exported facts that are not there yet; return how many. Later values end earlier ones as usual.

        Raises:
            InvalidArgument: A line is not an exported fact; the lines before it are kept.
            SecretDenied: A fact holds a secret.
        """
        added = 0
        for number, line in enumerate(lines, 1):
            if line.strip():
                fact = _imported(line, number)
                added += self._store.database.write(lambda con, fact=fact: _import(con, fact))
        return added

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


def _checked(topic: str, value: str) -> tuple[str, str]:
    topic, value = topic_of(storable(topic)), storable(value).strip()
    for name, text, limit in (("topic", topic, MAX_TOPIC_CHARS), ("fact", value, MAX_VALUE_CHARS)):
        if not text or len(text) > limit:
            raise InvalidArgument(
                f"{name} must have 1 to {limit} characters, got {len(text)}",
                next_call="memory action=remember topic=… fact=…",
            )
    if tells_secret(f"{topic}: {value}"):
        raise SecretDenied(
            "the fact is not stored", why="it holds a password, a key or a token", next_call="leave the secret out"
        )
    return topic, value


def _remember(con: "Connection", fact: Fact) -> Remembered:
    live = facts_of_topic(con, fact.topic)
    judged = [(known, judge(known.value, fact.value)) for known in live]
    beside = tuple(known for known, judgement in judged if judgement.verdict is Verdict.COMPATIBLE)
    ended = [(known, judgement) for known, judgement in judged if judgement.verdict is Verdict.CONTRADICTS]
    same = next((known for known, judgement in judged if judgement.verdict is Verdict.SAME), None)
    if same is not None:
        stored = replace(
            same, confirmations=same.confirmations + 1, confirmed_s=fact.from_s, evidence=fact.evidence or same.evidence
        )
        confirm_fact(con, same, stored.evidence, now_s=fact.from_s)
    else:
        if count_facts(con) >= MAX_FACTS:
            raise InvalidArgument(f"there are {MAX_FACTS:,} facts already", next_call="memory action=forget topic=…")
        stored = insert_fact(con, fact)
    for known, _ in ended:
        close_fact(con, known.id, by=stored.id, now_s=fact.from_s)
    closed = tuple((replace(known, until_s=fact.from_s, closed_by=stored.id), judgement) for known, judgement in ended)
    return Remembered(stored, same is None, closed, beside)


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
        replaced = tuple(old for old in facts_of_topic(con, fact.topic, live_only=False) if old.closed_by == fact.id)
        found.append(RecalledFact(fact, one.similarity, one.matched, (), replaced))
    return found


def _imported(line: str, number: int) -> Fact:
    try:
        value = json.loads(line)
        topic, text = _checked(str(value["topic"]), str(value["value"]))
        until = value.get("valid_until")
        return Fact(
            0, topic, text, float(value["valid_from"]), None if until is None else float(until), None,
            decode_evidence(value.get("evidence") or []), str(value.get("author", "import"))[:64], 0, float(value["valid_from"]),
        )  # fmt: skip
    except PenstockError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidArgument(
            f"line {number} is not an exported fact", next_call="export again with memory action=list"
        ) from error


def _import(con: "Connection", fact: Fact) -> int:
    known = facts_of_topic(con, fact.topic, live_only=False)
    if any(one.value == fact.value and one.from_s == fact.from_s for one in known):
        return 0
    if fact.is_live:
        return int(_remember(con, fact).is_new)
    insert_fact(con, fact)
    return 1
