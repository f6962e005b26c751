"""Quoted phrases: the index knows no word order, so the texts of the best candidates are looked at. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from .values import Hit

CANDIDATES: Final = 60
"""Files whose text is looked at; they are ranked by the words of the phrase, so one that holds it is rarely below."""
_BEFORE: Final = 3
_AFTER: Final = 8


def phrases_first(hits: Sequence[Hit], phrases: Sequence[str], text_of: Callable[[str], str]) -> list[Hit]:
    """Move the hits whose file holds every phrase to the front, their span around the first one; order is kept else."""
    holding: list[Hit] = []
    others: list[Hit] = []
    for hit in hits:
        line = line_of(text_of(hit.path), phrases)
        if line is None:
            others.append(hit)
        else:
            holding.append(_around(hit, line))
    return holding + others


def line_of(text: str, phrases: Sequence[str]) -> int | None:
    """Return the 1-based line of the first phrase if the text holds all of them, in any case and spacing within a line."""
    folded = [" ".join(line.lower().split()) for line in text.split("\n")]
    found: int | None = None
    for phrase in phrases:
        wanted = " ".join(phrase.lower().split())
        line = next((number for number, one in enumerate(folded, 1) if wanted in one), None)
        if line is None:
            return None
        found = line if found is None else found
    return found


def _around(hit: Hit, line: int) -> Hit:
    spans = [(hit.start, hit.end), *hit.also]
    for start, end in spans:
        if start <= line <= end:
            return replace(hit, start=start, end=end, also=tuple(span for span in spans if span != (start, end)))
    return replace(hit, start=max(1, line - _BEFORE), end=line + _AFTER, symbols=(), also=tuple(spans))
