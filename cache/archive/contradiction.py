"""Whether a new value for a topic says the same as the old one, contradicts it, or adds to it. Pure.

By value, not by word overlap: "100 connections" against "250 connections" is a contradiction however many words they share. Both
texts become sequences of canonical tokens (`canonical`). Only equal strict sequences are the SAME; a text that merely looks
alike is never merged, because merging loses a value while the other verdicts keep both. Among loose tokens a different
sequence CONTRADICTS when it puts another value into the same frame, and is COMPATIBLE when the frames differ or one only adds
to the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from fractions import Fraction
from typing import Final

from .canonical import Token, canonical_tokens, loose_tokens
from .quantities import Quantity
from .wording import FILLERS, NOT

_BARE_TOKENS: Final = 3
_FRAME_SHARE: Final = 0.5


class Verdict(Enum):
    """How a new value stands to an old one."""

    SAME = "same"
    CONTRADICTS = "contradicts"
    COMPATIBLE = "compatible"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and its reason in a few words."""

    verdict: Verdict
    why: str


def judge(old: str, new: str) -> Judgement:
    """Return how `new` stands to `old` as values of one topic."""
    exact_a, exact_b = canonical_tokens(old), canonical_tokens(new)
    if exact_a == exact_b and (exact_a or old.split() == new.split()):
        return Judgement(Verdict.SAME, "the same value")
    first, second = loose_tokens(exact_a), loose_tokens(exact_b)
    if first == second:
        return Judgement(Verdict.CONTRADICTS, "the same words in another form")
    if not first or not second:
        return Judgement(Verdict.CONTRADICTS, "another value")
    words_a, words_b = _words_of(first), _words_of(second)
    frame = _overlap(words_a, words_b)
    is_bare = max(len(first), len(second)) <= _BARE_TOKENS
    if frame >= _FRAME_SHARE or is_bare:
        denies = (first.count(NOT) - second.count(NOT)) % 2 == 1
        if denies and (frame >= _FRAME_SHARE or not words_a or not words_b):
            return Judgement(Verdict.CONTRADICTS, "one denies what the other says")
        different = _different_quantity(_quantities_of(first), _quantities_of(second))
        if different:
            return Judgement(Verdict.CONTRADICTS, different)
    if is_bare:
        return _judge_bare(first, second)
    return _judge_slots(first, second, frame)


def _words_of(tokens: Sequence[Token]) -> set[str]:
    return {token for token in tokens if isinstance(token, str) and token != NOT and token not in FILLERS}


def _quantities_of(tokens: Sequence[Token]) -> list[Quantity]:
    return [token for token in tokens if isinstance(token, Quantity)]


def _overlap(first: set[str], second: set[str]) -> float:
    if not first or not second:
        return 0.0
    return len(first & second) / min(len(first), len(second))


def _different_quantity(first: Sequence[Quantity], second: Sequence[Quantity]) -> str:
    """Return what differs when the same dimension has other values, else ""."""
    for dimension in dict.fromkeys(quantity.dimension for quantity in first):
        ours = [quantity.value for quantity in first if quantity.dimension == dimension]
        theirs = [quantity.value for quantity in second if quantity.dimension == dimension]
        if theirs and not (set(ours) <= set(theirs) or set(theirs) <= set(ours)):
            return f"{_shown(ours)} against {_shown(theirs)}"
        if theirs and len(ours) == len(theirs) and ours != theirs:
            return "the same numbers in other places"
    return ""


def _judge_bare(first: Sequence[Token], second: Sequence[Token]) -> Judgement:
    dimensions_a = {quantity.dimension for quantity in _quantities_of(first)}
    dimensions_b = {quantity.dimension for quantity in _quantities_of(second)}
    if dimensions_a and dimensions_b and not dimensions_a & dimensions_b:
        return Judgement(Verdict.COMPATIBLE, "values of different kinds")
    if _is_extension(first, second):
        return Judgement(Verdict.COMPATIBLE, "one adds to the other")
    return Judgement(Verdict.CONTRADICTS, "another value")


def _judge_slots(first: Sequence[Token], second: Sequence[Token], frame: float) -> Judgement:
    """Contradiction if a word that carries a value stands in the place of another within a shared frame."""
    differing = [(one, other) for one, other in zip(first, second, strict=False) if one != other]
    if len(first) == len(second) and len(differing) == 1:
        one, other = (str(token).removeprefix("\0") for token in differing[0])
        return Judgement(Verdict.CONTRADICTS, f"{one} against {other}")
    if frame < _FRAME_SHARE:
        return Judgement(Verdict.COMPATIBLE, "they speak of different things")
    for operation, a, b, c, d in SequenceMatcher(None, list(first), list(second), autojunk=False).get_opcodes():
        if operation != "replace":
            continue
        ours = _words_of(first[a:b]) - _words_of(second)
        theirs = _words_of(second[c:d]) - _words_of(first)
        if ours and theirs:
            return Judgement(Verdict.CONTRADICTS, f"{_joined(ours)} against {_joined(theirs)}")
    if sorted(map(str, first)) == sorted(map(str, second)):
        return Judgement(Verdict.CONTRADICTS, "the same words in other places")
    return Judgement(Verdict.COMPATIBLE, "one adds to the other")


def _is_extension(first: Sequence[Token], second: Sequence[Token]) -> bool:
    a, b = {str(token) for token in first}, {str(token) for token in second}
    return a < b or b < a


def _shown(values: Sequence[Fraction]) -> str:
    return ", ".join(f"{float(value):g}" for value in values)


def _joined(words: set[str]) -> str:
    return " ".join(sorted(word.removeprefix("\0") for word in words))
