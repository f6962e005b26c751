"""Facts as plain JSON Lines: written by an export, read by an import, here or on another machine.

One fact is one object a line: topic, value, valid_from and valid_until (seconds since 1970; null while live), evidence, author,
confirmations. An import takes each line for itself: what is broken or holds a secret is reported by its number and the rest is
imported. Importing the same lines again changes nothing. A contradiction is decided by validity: the later value ends the
earlier one, whichever of them was imported.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from ..errors import PenstockError
from .columns import storable
from .confidential import tells_secret
from .evidence import decode_evidence, encode_evidence
from .fact_rows import Fact, close_fact, facts_of_topic
from .remembering import checked_fact, insert_new, weigh

if TYPE_CHECKING:
    from apsw import Connection

MAX_LINE_CHARS: Final = 64_000
"""A fact of the largest size with all its evidence is a tenth of this."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was not imported."""

    number: int
    """1-based."""
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    added: int
    known: int
    """Facts that were here already."""
    ended: int
    """Live facts that a later imported value ended, or that were imported as ended because a later value was here."""
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of one imported fact."""

    is_added: bool
    ended: int = 0


def encode_fact(fact: Fact) -> str:
    """Return a fact as one JSON line, without the line end."""
    value = {
        "topic": fact.topic,
        "value": fact.value,
        "valid_from": fact.from_s,
        "valid_until": fact.until_s,
        "evidence": encode_evidence(fact.evidence),
        "author": fact.author,
        "confirmations": fact.confirmations,
    }
    return json.dumps(value, ensure_ascii=False)


def decode_fact(line: str) -> Fact:
    """Return the fact on one line.

    Raises:
        ValueError: The line is no exported fact.
        SecretDenied: It holds a secret.
        InvalidArgument: Topic or value is empty or too long.
    """
    if len(line) > MAX_LINE_CHARS:
        raise ValueError(f"longer than {MAX_LINE_CHARS:,} characters")
    try:
        loaded: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(loaded, dict):
        raise ValueError("not a JSON object")
    value = cast("dict[str, object]", loaded)
    topic, text, author = (_text_of(value, name) for name in ("topic", "value", "author"))
    checked_topic, checked_text = checked_fact(topic, text)
    from_s, until_s = _time_of(value, "valid_from"), _time_of(value, "valid_until")
    if from_s is None:
        raise ValueError("valid_from is missing")
    if until_s is not None and until_s < from_s:
        raise ValueError("valid_until lies before valid_from")
    evidence = decode_evidence(value.get("evidence") or [])
    author = " ".join(author.split())[:64] or "import"
    if tells_secret("\n".join([author, *(one.path for one in evidence)])):
        raise ValueError("author or evidence holds a secret")
    confirmations = value.get("confirmations")
    times = confirmations if isinstance(confirmations, int) and 0 <= confirmations < 1_000_000 else 0
    return Fact(0, checked_topic, checked_text, from_s, until_s, None, evidence, author, times, from_s)


def decode_lines(lines: Iterable[str]) -> tuple[list[Fact], list[Refused]]:
    """Return the facts on `lines`, oldest first, and the lines that hold none; empty lines count but are passed over."""
    facts: list[Fact] = []
    refused: list[Refused] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            facts.append(decode_fact(line))
        except PenstockError as error:
            refused.append(Refused(number, f"{error.what}: {error.why}" if error.why else error.what))
        except ValueError as error:
            refused.append(Refused(number, str(error)))
    return sorted(facts, key=lambda fact: fact.from_s), refused


def place_fact(con: "Connection", fact: Fact) -> Placed:
    """Store an imported fact unless it is here already; the later of two values that contradict ends the earlier."""
    known = facts_of_topic(con, fact.topic, live_only=False)
    if any(one.value == fact.value and one.from_s == fact.from_s for one in known):
        return Placed(False)
    weighed = weigh([one for one in known if one.is_live], fact.value)
    covering = [one for one in known if one.from_s <= fact.from_s and (one.until_s is None or fact.from_s < one.until_s)]
    if fact.is_live and (weighed.same is not None or weigh(covering, fact.value).same is not None):
        return Placed(False)
    later = min((one for one, _ in weighed.against if one.from_s >= fact.from_s), key=lambda one: one.from_s, default=None)
    if fact.is_live and later is not None:
        insert_new(con, replace(fact, until_s=later.from_s, closed_by=later.id))
        return Placed(True, 1)
    stored = insert_new(con, replace(fact, closed_by=_successor(known, fact)))
    earlier = [one for one, _ in weighed.against if one.from_s < fact.from_s] if fact.is_live else []
    for one in earlier:
        close_fact(con, one.id, by=stored.id, now_s=fact.from_s)
    for one in known:
        if one.until_s == fact.from_s and one.closed_by is None:
            close_fact(con, one.id, by=stored.id, now_s=fact.from_s)
    return Placed(True, len(earlier))


def _successor(known: Sequence[Fact], fact: Fact) -> int | None:
    """Return the fact of the topic that began when this one ended: an export names no ids, they are each store's own."""
    return next((one.id for one in known if fact.until_s is not None and one.from_s == fact.until_s), None)


def _text_of(value: dict[str, object], name: str) -> str:
    found = value.get(name, "" if name == "author" else None)
    if not isinstance(found, str):
        raise ValueError(f"{name} must be a text")
    return storable(found)


def _time_of(value: dict[str, object], name: str) -> float | None:
    found = value.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise ValueError(f"{name} must be seconds since 1970")
    return float(found)
