"""Which blocks of several texts need to be sent only once in one call. Pure.

The blocks are those that `cache.blocks` stores once: paragraphs of a size worth a reference. Only for bodies that say what they
leave out; a verbatim body repeats what its file repeats.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .blocks import split_blocks


@dataclass(frozen=True, slots=True)
class Repeat:
    """Lines of one text that stand, word for word, in an earlier one. Lines are 1-based and inclusive."""

    text: int
    """Index of the text that need not show them again."""
    first: int
    last: int
    of_text: int
    """Index of the earlier text, which shows them."""
    of_first: int
    size_bytes: int

    @property
    def of_last(self) -> int:
        """Last line in the earlier text."""
        return self.of_first + self.last - self.first


def plan_repeats(texts: Sequence[bytes]) -> tuple[Repeat, ...]:
    """Return the repeated blocks in the order of the texts, adjacent ones joined.

    What is repeated within one text stays; a block that is named as shown is never itself left out.
    """
    shown: dict[bytes, tuple[int, int]] = {}
    repeats: list[Repeat] = []
    for index, text in enumerate(texts):
        pieces = split_blocks(text)
        candidates = set(pieces.candidates)
        line = 1
        for at, piece in enumerate(pieces.parts):
            lines = piece.count(b"\n") + (not piece.endswith(b"\n"))
            if at in candidates:
                of_text, of_first = shown.setdefault(piece, (index, line))
                if of_text != index:
                    _append(repeats, Repeat(index, line, line + lines - 1, of_text, of_first, len(piece)))
            line += lines
    return tuple(repeats)


def _append(repeats: list[Repeat], new: Repeat) -> None:
    """Add a repeat, joined to the one before if both continue it."""
    last = repeats[-1] if repeats else None
    continues = (
        last is not None
        and (last.text, last.of_text) == (new.text, new.of_text)
        and (last.last + 1, last.of_last + 1) == (new.first, new.of_first)
    )
    if last is not None and continues:
        repeats[-1] = Repeat(last.text, last.first, new.last, last.of_text, last.of_first, last.size_bytes + new.size_bytes)
    else:
        repeats.append(new)
