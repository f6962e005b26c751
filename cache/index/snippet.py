"""The lines of a chunk that show why it matched. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from .tokenise import expand_word, words_of

MAX_LINE_CHARS: Final = 160


@dataclass(frozen=True, slots=True)
class SnippetLine:
    """One line of a file."""

    number: int
    text: str


def snippet_of(
    lines: Sequence[str], start: int, end: int, *, terms: Sequence[str], symbol_lines: Collection[int], limit: int
) -> list[SnippetLine]:
    """Choose at most `limit` lines of `start`..`end` (1-based): those with the rarest terms, and the definition's own line.

    `terms` come rarest first. A term counts fully once, and little when it repeats, so that the lines cover different terms.
    """
    weights = {term: 1.0 / (1 + rank / 4) for rank, term in enumerate(terms)}
    held: dict[int, set[str]] = {}
    for number in range(max(1, start), min(end, len(lines)) + 1):
        text = lines[number - 1]
        if text.strip():
            found = {token for word in words_of(text) for token in expand_word(word) if token in weights}
            if found or number in symbol_lines:
                held[number] = found
    chosen: list[int] = []
    shown: set[str] = set()
    while held and len(chosen) < limit:
        best = max(held, key=lambda n: (_gain(held[n], shown, weights) + (0.5 if n in symbol_lines else 0.0), -n))
        shown |= held.pop(best)
        chosen.append(best)
    if not chosen:
        chosen = [n for n in range(max(1, start), min(end, len(lines)) + 1) if lines[n - 1].strip()][:2]
    return [SnippetLine(number, clipped(lines[number - 1])) for number in sorted(chosen)]


def _gain(found: set[str], shown: set[str], weights: dict[str, float]) -> float:
    return sum(weights[term] if term not in shown else weights[term] / 8 for term in found)


def clipped(line: str) -> str:
    """Return a line as a snippet shows it: its end cut off and marked where it is long."""
    line = line.rstrip("\r\n")
    return line if len(line) <= MAX_LINE_CHARS else line[:MAX_LINE_CHARS] + "…"
