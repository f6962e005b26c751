"""What kind of output a text is, told by its content; a command line, where known, is one more piece of evidence.

Pure. The text is sampled at its beginning, middle and end; each family's signs are looked for there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

from .family import Family, Sign
from .filter import Document

_PART_LINES: Final = (120, 60, 120)
_LINE_CHARS: Final = 400
_PROOF: Final = 10
_COMMAND_WEIGHT: Final = 6
"""A command's name alone is no proof: wrappers and pipes lie; with any sign of its content it is."""
_SPEAKING: Final = (b"fail", b"error", b"panic", b"traceback", b"exception")
_SPEAKING_LINES: Final = 20
"""For each word: the first ones tell what writes them."""
_SHAPED_LINES: Final = 3
_MAX_PARTS: Final = 2
_WRAPPERS: Final = frozenset(["sudo", "time", "env", "nice", "npx", "uv", "run", "poetry", "exec", "bundle", "python", "python3"])


@dataclass(frozen=True, slots=True)
class Detected:
    """The families that a text belongs to: the first ranks all lines, the others add what they find."""

    family: Family
    others: tuple[Family, ...] = ()


def detect(document: Document, families: Sequence[Family], fallback: Family, *, command: Sequence[str] = ()) -> Detected:
    """Return the family with most evidence, or `fallback` when none has enough."""
    sample = _sample(document)
    joined = "\n".join(sample)
    words = command_words(command)
    weighed = [(_weight_of(family, sample, joined) + _command_weight(family, words), family) for family in families]
    proven = [(weight, family) for weight, family in weighed if weight >= _PROOF]
    if not proven:
        probed = next((family for family in families if family.probe is not None and family.probe(document)), None)
        best, rest = probed or fallback, families
    else:
        # sorted() is stable: of equals the one that stands first in the table wins.
        best, *rest = (family for _, family in sorted(proven, key=lambda entry: -entry[0]))
    if best is fallback or best.name == "log":
        # Something else may stand in the middle of it, where no sample was taken.
        sample = [*sample, *_speaking(document, len(sample))]
        joined, rest = "\n".join(sample), [family for family in families if family is not best]
    parts = (family for family in rest if family.is_part and _sign_weight(family.signs, sample, joined) >= _PROOF)
    return Detected(best, tuple(islice(parts, _MAX_PARTS)))


def command_words(command: Sequence[str]) -> str:
    """Return the words of a command line that name a tool, wrappers, paths and options left out: `git log`, `cargo test`."""
    words: list[str] = []
    for word in command:
        name = word.rsplit("/", 1)[-1]
        if not words and (name in _WRAPPERS or "=" in name):
            continue
        if not name.startswith("-"):
            words.append(name)
        if len(words) == 3:
            break
    return " ".join(words)


def _command_weight(family: Family, words: str) -> int:
    padded = f"{words} "
    return _COMMAND_WEIGHT if any(padded.startswith(f"{command} ") for command in family.commands) else 0


def _weight_of(family: Family, sample: Sequence[str], joined: str) -> int:
    weight = _sign_weight(family.signs, sample, joined)
    if family.shape:
        weight += _shape_weight(family, sample)
    return weight


def _sign_weight(signs: Sequence[Sign], sample: Sequence[str], joined: str) -> int:
    weight = 0
    for sign in signs:
        if sign.literal in joined and (not sign.pattern or _is_found(sign, sample)):
            weight += sign.weight
    return weight


def _is_found(sign: Sign, sample: Sequence[str]) -> bool:
    pattern = _compiled(sign.pattern)
    found = (line for line in sample if sign.literal in line and pattern.search(line))
    return next(islice(found, sign.lines - 1, None), None) is not None


def _shape_weight(family: Family, sample: Sequence[str]) -> int:
    lines = [line for line in sample if line and not line.isspace()]
    if len(lines) < _SHAPED_LINES:
        return 0
    pattern = _compiled(family.shape)
    step = max(1, len(lines) // 60)
    chosen = lines[::step]
    matched = sum(1 for line in chosen if pattern.match(line))
    return _PROOF if matched >= family.share * len(chosen) else 0


def _sample(document: Document) -> list[str]:
    lines = document.ruled
    head, middle, tail = _PART_LINES
    if len(lines) <= head + middle + tail:
        chosen = lines
    else:
        half = len(lines) // 2
        chosen = [*lines[:head], *lines[half : half + middle], *lines[-tail:]]
    return [line[:_LINE_CHARS] for line in chosen]


def _speaking(document: Document, sampled: int) -> list[str]:
    """Return lines of a document longer than its sample that speak of errors, with those beside them."""
    lines, lower = document.ruled, document.lower
    found: set[int] = set()
    for word in _SPEAKING if len(lines) > sampled else ():
        at, number, counted = lower.find(word), 0, 0
        for _ in range(_SPEAKING_LINES):
            if at < 0:
                break
            number += lower.count(b"\n", counted, at)
            counted = at
            found.update(range(max(0, number - 1), min(len(lines), number + 2)))
            end = lower.find(b"\n", at)
            at = lower.find(word, end) if end >= 0 else -1
    return [lines[number][:_LINE_CHARS] for number in sorted(found)]


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
