"""Text and logs of no known tool. Pure.

Prose keeps its headings and both ends; a log keeps the first line of every kind (the same text but for digits), so that what
repeats goes first, and says how often the commonest kinds occur.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from .filter import Document, Rank, Scores, places_of
from .rules import blank_lines, rank_words

_DIGITS: Final = {ord(digit): None for digit in "0123456789"}
_HEX: Final = {ord(digit): None for digit in "0123456789abcdefABCDEF-"}
_HEADING: Final = re.compile(
    r"#{1,6} \S|[A-Z][A-Z0-9 _/&-]{3,60}:?$|[=*~-]{2,} .* [=*~-]{2,}$|[^\s:]{1,40}(?: [^\s:]{1,40}){0,5}:$"
)
_KINDS_NAMED: Final = 8
_KIND_CHARS: Final = 60
_ALIKE: Final = 20
"""So many lines equal but for digits are of a kind that says little once more."""
_REPETITIVE: Final = 0.8
_ODD: Final = 2
_DIVERSE: Final = 0.5
"""Share of distinct lines above which identifiers in hex, not only numbers, are taken for variable."""
_TIME: Final = re.compile(r"^[^A-Za-z]{6,40}(?:[TZ][^A-Za-z]*){0,3}")


def score_text(document: Document) -> Scores:
    """Rank a text of no known form."""
    scores = Scores(bytearray([Rank.PLAIN]) * len(document))
    for number in places_of(document.told(lambda line: _HEADING.match(line) is not None), (True,)):
        scores.ranks[number] = Rank.CONTEXT
    _rank_odd(_kinds_of(document), scores)
    for number in blank_lines(document):
        scores.ranks[number] = Rank.NOISE
    rank_words(document, scores)
    return scores


def _rank_odd(kinds: Sequence[str], scores: Scores) -> None:
    """Raise the lines unlike the others where nearly all are alike: what went wrong, in whatever language, is said once."""
    counts = Counter(kinds)
    alike = sum(number for number in counts.values() if number >= _ALIKE)
    if alike < _REPETITIVE * len(kinds):
        return
    for number, kind in enumerate(kinds):
        if counts[kind] <= _ODD:
            scores.ranks[number] = Rank.DETAIL


def score_log(document: Document) -> Scores:
    """Rank a log: errors and warnings by class, then the first line of each kind, then the rest."""
    scores = Scores(bytearray([Rank.PLAIN]) * len(document))
    kinds = _kinds_of(document)
    counts = Counter(kinds)
    seen: set[str] = set()
    for number, kind in enumerate(kinds):
        if kind not in seen:
            seen.add(kind)
            scores.ranks[number] = Rank.CONTEXT
    _rank_odd(kinds, scores)
    for number in blank_lines(document):
        scores.ranks[number] = Rank.NOISE
    rank_words(document, scores)
    common = [(kind, n) for kind, n in counts.most_common(_KINDS_NAMED) if n > 2 and kind.strip()]
    if common:
        named = ", ".join(f"×{n:,} {_short(kind)}" for kind, n in common)
        scores.derived.append(f"{len(counts):,} kinds of line; commonest without digits: {named}")
    return scores


def _kinds_of(document: Document) -> list[str]:
    """Return each line without what varies; lines of one kind are equal."""
    if not document.plain:
        return []
    text = "\n".join(document.plain)
    kinds = text.translate(_DIGITS).split("\n")
    if len(set(kinds)) > len(kinds) * _DIVERSE:
        kinds = text.translate(_HEX).split("\n")
    return kinds


def _short(kind: str) -> str:
    text = " ".join(_TIME.sub("", kind).split()) or kind.strip()
    return f"“{text[:_KIND_CHARS]}…”" if len(text) > _KIND_CHARS else f"“{text}”"
