r"""Which parts of one long line are kept. Pure.

A line that the terminal overwrote (progress with `\r`) keeps what it showed last; others keep their beginning, their end, and
what follows a word that announces a message.
"""

from collections.abc import Sequence
from typing import Final

from .filter import Counter
from .messages import messages_in, shown_spans

Spans = tuple[tuple[int, int], ...]

_MIN_OMITTED: Final = 40
"""Fewer characters than this are not worth a mark."""
_CHARS_PER_TOKEN: Final = 3
_MARK_TOKENS: Final = 10


def cut_spans(line: str, tokens: int, count: Counter) -> Spans:
    """Return the character ranges of `line` to keep so that it costs about `tokens`; empty when it may stay whole."""
    chars = tokens * _CHARS_PER_TOKEN
    if "\r" in line:
        shown = _joined(shown_spans(line), len(line))
        told = sum(end - start for start, end in shown)
        if len(line) - told > _MIN_OMITTED and told <= chars:
            return shown
    if len(line) <= chars // 2 or (len(line) <= 2 * chars and count(line) <= tokens):
        return ()
    spans: Spans = ()
    found = messages_in(line)
    for _ in range(6):
        spans = _joined(_parts(line, chars, found), len(line))
        used = sum(count(line[start:end]) + _MARK_TOKENS for start, end in spans)
        if used <= tokens or chars <= 24:
            break
        chars = max(24, chars * tokens // used - 1)
    return () if spans == ((0, len(line)),) else spans


def _parts(line: str, chars: int, found: Sequence[int]) -> list[tuple[int, int]]:
    """Return the beginning, the messages `found` and the end of `line`, in about `chars` characters."""
    tail = chars // 10 if found else chars // 5
    # What a message says is worth more than how its line begins.
    message = chars // 2 if len(found) == 1 else 3 * chars // 10
    message = message if found else 0
    head = max(8, chars - tail - message * min(len(found), 2))
    messages = [(at, min(len(line), at + message)) for at in found if at + message > head][:2]
    return [(0, min(head, len(line))), *messages, (max(0, len(line) - tail), len(line))]


def _joined(parts: list[tuple[int, int]], length: int) -> Spans:
    """Join parts that overlap or between which too little would be left out."""
    spans: list[tuple[int, int]] = []
    for start, end in sorted(parts):
        if spans and start - spans[-1][1] < _MIN_OMITTED:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return ((0, length),) if len(spans) == 1 and spans[0] == (0, length) else tuple(spans)
