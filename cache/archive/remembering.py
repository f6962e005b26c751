"""What remembering a value does to the facts of its topic: weigh it against them, then record, confirm, end or keep both.

Weighing is a read and may be shown to a person; committing weighs again inside the write transaction, so that what another
process stored in between is never overlooked: a contradiction that nobody was asked about ends the older value, as usual.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from ..errors import InvalidArgument, SecretDenied
from .columns import storable
from .confidential import tells_secret
from .contradiction import Judgement, Verdict, judge
from .evidence import MAX_EVIDENCE
from .fact_rows import Fact, close_fact, confirm_fact, count_facts, facts_of_topic, insert_fact, topic_of

if TYPE_CHECKING:
    from apsw import Connection

MAX_TOPIC_CHARS: Final = 120
MAX_VALUE_CHARS: Final = 2_000
MAX_FACTS: Final = 20_000


class Resolution(Enum):
    """What becomes of a contradiction. The value is how a person is shown it."""

    CLOSE_OLD = "the new value replaces the old one"
    KEEP_BOTH = "both stay valid"
    KEEP_OLD = "the old value stays, the new one is not recorded"


class Outcome(Enum):
    """What remembering did."""

    RECORDED = "recorded"
    CONFIRMED = "confirmed"
    CLOSED_OLD = "closed old"
    KEPT_BOTH = "kept both"
    KEPT_OLD = "kept old"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A value that contradicts live facts of its topic; nothing is stored yet."""

    topic: str
    value: str
    against: tuple[tuple[Fact, Judgement], ...]


Resolve = Callable[[Conflict], Resolution]
"""Asked before anything is stored, outside of any transaction; what it raises reaches the caller and nothing was changed."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What remembering did."""

    outcome: Outcome
    fact: Fact
    """The fact that now stands for the value; for KEPT_OLD the first that it contradicts."""
    closed: tuple[tuple[Fact, Judgement], ...] = ()
    """Facts that the new one ended, and why."""
    beside: tuple[Fact, ...] = ()
    """Live facts of the topic that the new one is compatible with."""
    disputed: tuple[tuple[Fact, Judgement], ...] = ()
    """Live facts that the value contradicts and that stay all the same."""

    @property
    def is_new(self) -> bool:
        """Whether the value was recorded as a fact of its own."""
        return self.outcome in (Outcome.RECORDED, Outcome.CLOSED_OLD, Outcome.KEPT_BOTH)


@dataclass(frozen=True, slots=True)
class Weighed:
    """How a value stands to the live facts of its topic."""

    same: Fact | None
    against: tuple[tuple[Fact, Judgement], ...]
    beside: tuple[Fact, ...]


def checked_fact(topic: str, value: str) -> tuple[str, str]:
    """Return topic and value in the form they are stored in.

    Raises:
        InvalidArgument: One of them is empty or too long.
        SecretDenied: They hold a secret.
    """
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


def weigh(live: Sequence[Fact], value: str) -> Weighed:
    """Judge a value against the live facts of its topic.

    A value that a live fact holds already contradicts nothing: what else is live beside that fact is so by a decision.
    """
    judged = [(known, judge(known.value, value)) for known in live]
    same = next((known for known, judgement in judged if judgement.verdict is Verdict.SAME), None)
    against = tuple(one for one in judged if one[1].verdict is Verdict.CONTRADICTS and same is None)
    return Weighed(same, against, tuple(known for known, judgement in judged if judgement.verdict is Verdict.COMPATIBLE))


def commit_fact(con: "Connection", fact: Fact, resolution: Resolution, asked: Sequence[int]) -> Remembered:
    """Store a fact; `resolution` holds for the contradictions with the facts `asked` about, the others are ended."""
    weighed = weigh(facts_of_topic(con, fact.topic), fact.value)
    if weighed.same is not None:
        return Remembered(Outcome.CONFIRMED, _confirm(con, weighed.same, fact), beside=weighed.beside)
    disputed = () if resolution is Resolution.CLOSE_OLD else tuple(one for one in weighed.against if one[0].id in asked)
    if disputed and resolution is Resolution.KEEP_OLD:
        return Remembered(Outcome.KEPT_OLD, disputed[0][0], beside=weighed.beside, disputed=disputed)
    stored = insert_new(con, fact)
    ended = [one for one in weighed.against if one not in disputed]
    for known, _ in ended:
        close_fact(con, known.id, by=stored.id, now_s=fact.from_s)
    closed = tuple((replace(known, until_s=fact.from_s, closed_by=stored.id), judgement) for known, judgement in ended)
    outcome = Outcome.KEPT_BOTH if disputed else Outcome.CLOSED_OLD if closed else Outcome.RECORDED
    return Remembered(outcome, stored, closed, weighed.beside, disputed)


def insert_new(con: "Connection", fact: Fact) -> Fact:
    """Store a fact if there is room for one more.

    Raises:
        InvalidArgument: There are too many facts.
    """
    if count_facts(con) >= MAX_FACTS:
        raise InvalidArgument(f"there are {MAX_FACTS:,} facts already", next_call="memory action=forget topic=…")
    return insert_fact(con, fact)


def disputes_of(fact: Fact, live: Sequence[Fact]) -> tuple[Fact, ...]:
    """Return the live facts of the same topic that a live fact contradicts: both were kept."""
    if not fact.is_live:
        return ()
    return tuple(other for other in live if other.id != fact.id and judge(other.value, fact.value).verdict is Verdict.CONTRADICTS)


def _confirm(con: "Connection", same: Fact, fact: Fact) -> Fact:
    places = {(one.path, one.lines) for one in fact.evidence}
    earlier = tuple(one for one in same.evidence if (one.path, one.lines) not in places)
    evidence = (*fact.evidence, *earlier)[:MAX_EVIDENCE]
    confirm_fact(con, same, evidence, now_s=fact.from_s)
    return replace(same, confirmations=same.confirmations + 1, confirmed_s=fact.from_s, evidence=evidence)
