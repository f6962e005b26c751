"""Cutting a text into passages to be ranked: at definitions where there are any, else at blank lines. Pure."""

from collections.abc import Sequence
from typing import Final

from ..grammar.definition import MEMBER_KINDS, Definition
from .view import LineRange

MAX_LINES: Final = 24
_MIN_LINES: Final = 4
MAX_PASSAGES: Final = 4_000


def passages_of(lines: Sequence[str], definitions: Sequence[Definition]) -> list[LineRange]:
    """Cut all lines into ascending, touching ranges of at most `MAX_LINES` lines (more in very long texts)."""
    total = len(lines)
    if not total:
        return []
    cuts = {1}
    for one in definitions:
        if one.kind not in MEMBER_KINDS and one.start_line <= total:
            cuts.add(_with_comment_above(lines, one.start_line))
            if one.end_line < total:
                cuts.add(one.end_line + 1)
    longest = max(MAX_LINES, -(-total // MAX_PASSAGES))
    ordered = sorted(cuts)
    out: list[LineRange] = []
    for first, following in zip(ordered, [*ordered[1:], total + 1], strict=True):
        out += _cut(lines, first, following - 1, longest)
    return out


def _with_comment_above(lines: Sequence[str], start: int) -> int:
    first = start
    while (
        first > 1 and start - first < MAX_LINES and lines[first - 2].lstrip().startswith(("#", "//", "/*", "*", "--", "@", ";"))
    ):
        first -= 1
    return first


def _cut(lines: Sequence[str], first: int, last: int, longest: int) -> list[LineRange]:
    """Cut one stretch at blank lines if there are some near the limit."""
    out: list[LineRange] = []
    while last - first + 1 > longest:
        end = first + longest - 1
        for number in range(end, first + max(_MIN_LINES, longest // 2) - 1, -1):
            if not lines[number - 1].strip():
                end = number
                break
        out.append((first, end))
        first = end + 1
    out.append((first, last))
    return out
