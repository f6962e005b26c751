r"""Which parts of one long line are kept. Pure.

A line that the terminal overwrote (progress with `\r`) keeps what it showed last; others keep their beginning and end.
"""

from typing import Final

from .filter import Counter

Spans = tuple[tuple[int, int], ...]

_MIN_OMITTED: Final = 40
"""Fewer characters than this are not worth a mark."""
_CHARS_PER_TOKEN: Final = 3
_MARK_TOKENS: Final = 10


def cut_spans(line: str, tokens: int, count: Counter) -> Spans:
    """Return the character ranges of `line` to keep so that it costs about `tokens`; empty when it may stay whole."""
    chars = tokens * _CHARS_PER_TOKEN
    if "\r" in line:
        shown = line.rstrip("\r").rfind("\r") + 1
        if shown > _MIN_OMITTED:
            return ((shown, len(line)),)
    if len(line) <= chars // 2 or (len(line) <= 2 * chars and count(line) <= tokens):
        return ()
    return _ends(line, tokens, count)


def _ends(line: str, tokens: int, count: Counter) -> Spans:
    chars = max(24, (tokens - _MARK_TOKENS) * _CHARS_PER_TOKEN)
    head = tail = 0
    for _ in range(6):
        head, tail = chars - chars // 4, chars // 4
        omitted = len(line) - head - tail
        if omitted < _MIN_OMITTED:
            head, tail = max(0, len(line) - tail - _MIN_OMITTED), tail
            if head < 8:
                return ()
        used = count(line[:head]) + count(line[len(line) - tail :]) + _MARK_TOKENS
        if used <= tokens or chars <= 24:
            break
        chars = max(24, chars * tokens // used)
    return ((0, head), (len(line) - tail, len(line)))
