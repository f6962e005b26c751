"""The canonical tokens of a fact's value. Pure.

Two forms. The strict one decides whether two texts say the same: only what cannot change a value is folded (units, number words,
a few spellings, "is" and "the"), and every other character counts, because a merge loses a value: `.env` is not env, C++ is not
C, 30/s is not 30 s, users is not user, cannot is not does not. The loose one decides what contradicts what: there plurals and
verb forms fold, and negations of several languages are one.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from .quantities import Quantity, parse_quantity
from .wording import (
    ANTONYMS,
    DROPPED,
    DROPPED_FIRST,
    LOOSE_ANTONYMS,
    LOOSE_NEGATIONS,
    LOOSE_VARIANTS,
    NAMES,
    NAMING,
    NOT,
    PHRASES,
    STATES,
    VARIANTS,
)

Token = str | Quantity

_TOKEN: Final = re.compile(
    r"""`[^`]+` | "[^"]+"
      | (?<![\w.])[-+:]?\.?\d[^\s()\[\]{}<>=;!?"'`*&|^]*
      | [^\W\d_]+n['’]t\b
      | [<>!=]= | -> | <- | =>
      | [\w$@#~./\\-][\w.$@#/\\:+*~%-]*
      | [,;](?=\S) | [^\s,;]""",
    re.VERBOSE,
)
_CODE_LIKE: Final = re.compile(r"[_./\\$@#:+*~%-]|[a-z][A-Z]|\w\d|\d[A-Za-z]|^[A-Z]{2,}$|^.$")
_VERSION: Final = re.compile(r"v\d+(?:\.\d+)+[\w.-]*")
_SCRIPTS: Final = str.maketrans(
    {
        **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", (f"^{n}" for n in range(10)), strict=True)),
        "−": "-",
        "≤": " <= ",
        "≥": " >= ",
        "≠": " != ",
        "μ": "µ",
    }
    | {chr(0xFF01 + n): chr(0x21 + n) for n in range(94)}
)
_RANGE: Final = re.compile(r"(?<=\d)\s*[‐‑‒–—]\s*(?=\d)")
_MODALS: Final = {"ca": "can", "wo": "will", "sha": "shall"}
_PLAIN_NOT: Final = frozenset({"not", "isn't", "aren't", "isnt", "arent"})
_DO_NOT: Final = frozenset({"do-not", "don't", "doesn't", "dont", "doesnt"})


def canonical_tokens(text: str) -> tuple[Token, ...]:
    """Return the strict tokens: two texts say the same when these are equal."""
    text = _RANGE.sub("-", unicodedata.normalize("NFC", text).translate(_SCRIPTS))
    for pattern, replacement in PHRASES:
        text = pattern.sub(replacement, text)
    raw = [word for match in _TOKEN.finditer(text) if (word := _trimmed(match.group()))]
    tokens: list[Token] = []
    at = 0
    while at < len(raw):
        following = raw[at + 1] if at + 1 < len(raw) else ""
        parsed = None if _is_named(raw, at) else parse_quantity(raw[at], following)
        if parsed:
            tokens.append(parsed[0])
            at += 2 if parsed[1] else 1
            continue
        if raw[at].lower() in _PLAIN_NOT and following.lower() in ANTONYMS:
            tokens.append(ANTONYMS[following.lower()])  # not disabled: enabled
            at += 2
            continue
        tokens.extend(_word_tokens(raw, at, after_number=bool(tokens) and isinstance(tokens[-1], Quantity)))
        at += 1
    return tuple(tokens)


def loose_tokens(tokens: Sequence[Token]) -> tuple[Token, ...]:
    """Return strict tokens folded further: what is equal here may still be another value, but speaks of the same thing."""
    loose: list[Token] = []
    for token in tokens:
        folded = _loosened(token) if isinstance(token, str) else [token]
        if folded[:1] == [NOT] and loose[-1:] == [NOT]:
            loose.pop()
            folded = folded[1:]
        loose.extend(folded)
    return tuple(loose)


def _loosened(token: str) -> list[Token]:
    if token == "!=":
        return [NOT, "="]
    low = token.lower()
    if low in LOOSE_NEGATIONS:
        return [NOT]
    if low in LOOSE_ANTONYMS:
        return [NOT, LOOSE_ANTONYMS[low]]
    if low in LOOSE_VARIANTS:
        return [LOOSE_VARIANTS[low]]
    return [token if _CODE_LIKE.search(token) else _singular(low)]


def _trimmed(word: str) -> str:
    """Return a token without the punctuation of its sentence; "" for what is nothing else."""
    return word if len(word) == 1 and word not in ".:" else word.rstrip(".,:;") if set(word) != {"."} else ""


def _word_tokens(raw: Sequence[str], at: int, *, after_number: bool) -> list[Token]:
    word = raw[at]
    if word[0] in '`"' and len(word) > 2:
        return [word[1:-1]]
    low = word.lower().replace("’", "'")
    negated = _negation(low)
    if negated:
        return negated
    if _is_dropped(raw, at):
        return []
    if low in ANTONYMS:
        return [NOT, ANTONYMS[low]]
    if _is_named(raw, at):
        return [word]
    if low in NAMES:
        return [NAMES[low]]
    if low in VARIANTS and (word == low or at == 0):
        return [VARIANTS[low]]
    if _VERSION.fullmatch(low):
        return [low.removeprefix("v")]
    if _CODE_LIKE.search(word):
        return [word]
    return [_singular(low) if after_number else low]


def _negation(low: str) -> list[Token]:
    if low in _PLAIN_NOT or low in _DO_NOT:
        return [NOT]
    if low == "cannot":
        return ["can", NOT]
    if low.endswith("n't"):
        modal = low.removesuffix("n't")
        return [_MODALS.get(modal, modal), NOT]
    return []


def _is_dropped(raw: Sequence[str], at: int) -> bool:
    """Whether a word carries no value here. What is not lower case may be a name; "called" and "is called" differ."""
    word = raw[at]
    low = word.lower()
    if at == 0 and low in DROPPED_FIRST:
        return word == low or word == word.capitalize()
    if word != low or low not in DROPPED:
        return False
    following = raw[at + 1].lower() if at + 1 < len(raw) else ""
    is_passive = low in ("is", "are") and following.endswith("ed") and following not in STATES
    return not is_passive


def _is_named(raw: Sequence[str], at: int) -> bool:
    """Whether the word is a name, to be taken as it is written: "the table is users", "branch Main"."""
    before = at - 1
    while before >= 0 and raw[before].lower() in DROPPED:
        before -= 1
    if before < 0 or raw[before].lower() not in NAMING:
        return False
    return not raw[at][:1].isdigit() and raw[at].lower() not in DROPPED


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
