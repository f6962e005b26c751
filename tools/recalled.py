"""Recalled entries as lines of an answer. Pure."""

from collections.abc import Sequence
from typing import Final

from ..cache.archive.recollection import Recalled
from ..cache.archive.summary import spans_text
from ..cache.archive.terms import terms_of
from ..cache.workspace.names import printable
from .answer import facts_line
from .listing import shown

_SNIPPET_LINES: Final = 3
_LINE_CHARS: Final = 200


def recalled_items(found: Sequence[Recalled]) -> list[list[str]]:
    """Return each entry as a line of facts and its lines that hold most of the query."""
    return [[_head(one), *_snippet(one)] for one in found]


def _head(one: Recalled) -> str:
    if one.spans:
        same = [span for span in one.spans if span.path == one.spans[0].path]
        place = f"{printable(one.spans[0].path)}{spans_text(same)}"
    else:
        place = shown(one.title, 120)
    kind = one.kind.value if one.spans else ""
    matched = ", ".join(printable(term) for term in one.matched[:8])
    return facts_line(
        place,
        kind,
        f"tier {one.tier.value}",
        f"{one.similarity:.2f}",
        matched,
        one.handles[0] if one.handles else "",
        one.session_id,
    )


def _snippet(one: Recalled) -> list[str]:
    """Return the lines with most matched terms, in their order."""
    wanted = set(one.matched)
    lines = [line for line in one.text.splitlines() if line.strip()]
    scored = sorted(range(len(lines)), key=lambda at: (-len(wanted & set(terms_of(lines[at]))), at))[:_SNIPPET_LINES]
    return [f"  | {shown(lines[at], _LINE_CHARS)}" for at in sorted(scored)]
