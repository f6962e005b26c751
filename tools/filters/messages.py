r"""Where a line too long to be shown whole says something: after words that announce it, and in what `\r` overwrote. Pure."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

Span = tuple[int, int]

_FIELD: Final = re.compile(
    r"\"(?=[srmedSRMED])(?i:stderr|rendered|msg|message|errors?|reason|detail|exception)\"\s*:\s*[\"\[{]\s*[^\s\"\]}]"
)
_NAMES: Final = ("rror: ", "xception: ")
_NAME: Final = re.compile(r"\w*$")
_NAME_CHARS: Final = 80
_SEARCHED: Final = 200_000
"""Characters looked at by expression; beyond, only words that announce an error in the plainest way are looked for."""
_MESSAGES: Final = 3
_WORDS: Final = ('"error":', '"message":', "ERROR", "FATAL", "FAILED", "panic: ")
_SPEAKING: Final = ("error", "warn", "fail", "fatal", "panic", "exception")
_OVERWRITTEN: Final = 3
"""Overwritten pieces of a line that are told."""


def messages_in(line: str) -> list[int]:
    """Return where the first messages of a long line begin, ascending."""
    found = {match.start() for match in islice(_FIELD.finditer(line, 0, _SEARCHED), _MESSAGES)}
    found |= {_name_before(line, at) for end in _NAMES for at in _places(line, end)}
    found |= {(line.rfind(" ", max(0, at - 60), at) + 1) or at for word in _WORDS if (at := line.find(word)) >= 0}
    return sorted(found)[:_MESSAGES]


def _places(line: str, text: str) -> Iterator[int]:
    """Yield where `text` stands first in `line`, ascending."""
    at = -1
    for _ in range(_MESSAGES):
        at = line.find(text, at + 1)
        if at < 0:
            return
        yield at


def _name_before(line: str, at: int) -> int:
    """Return where the name that goes on at `at` begins: of `ValueError: `, the `V`."""
    begin = max(0, at - _NAME_CHARS)
    found = _NAME.search(line[begin:at])
    return begin + found.start() if found else at


def shown_spans(line: str) -> list[Span]:
    r"""Return what of a line with `\r` was shown last, and before that the pieces that speak of errors; ascending."""
    end = len(line.rstrip("\r"))
    at = line.rfind("\r", 0, end) + 1
    spans = [(at, end)]
    lower = line.lower()
    if at and len(lower) == len(line) and any(word in lower for word in _SPEAKING):
        hits = sorted(hit for word in _SPEAKING if (hit := lower.rfind(word, 0, at)) >= 0)
        pieces = {(line.rfind("\r", 0, hit) + 1, line.find("\r", hit)) for hit in hits[-_OVERWRITTEN:]}
        spans[:0] = sorted(pieces)
    return spans


def shown_of(line: str) -> str:
    r"""Return the piece of a line with `\r` that says most: the last that speaks of an error, else what was shown last."""
    spans = shown_spans(line)
    start, end = spans[-2] if len(spans) > 1 else spans[-1]
    return line[start:end]
