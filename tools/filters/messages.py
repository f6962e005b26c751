r"""Where a line too long to be shown whole says something: after words that announce it, and in what `\r` overwrote. Pure."""

import re
from typing import Final

Span = tuple[int, int]

_MESSAGE: Final = re.compile(
    r"(?i:\"(?:stderr|rendered|msg|message|error|errors|reason|detail"
    r"|exception)\"\s*:\s*[\"\[{]\s*[^\s\"\]}]|\b\w*(?:Error|Exception): )"
)
_SEARCHED: Final = 200_000
"""Characters looked at by expression; beyond, only words that announce an error in the plainest way are looked for."""
_MESSAGES: Final = 3
_WORDS: Final = ("Error: ", "Exception: ", "ERROR", "FATAL", "FAILED", " error: ", "panic: ")
_SPEAKING: Final = ("error", "warn", "fail", "fatal", "panic", "exception")
_OVERWRITTEN: Final = 3
"""Overwritten pieces of a line that are told."""


def messages_in(line: str) -> list[int]:
    """Return where the first messages of a long line begin, ascending."""
    found = {match.start() for _, match in zip(range(_MESSAGES), _MESSAGE.finditer(line, 0, _SEARCHED), strict=False)}
    found |= {max(0, line.rfind(" ", max(0, at - 60), at) + 1) for word in _WORDS if (at := line.find(word)) >= 0}
    return sorted(found)[:_MESSAGES]


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
