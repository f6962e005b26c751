"""Facts only: what the file is, not what it says."""

from ..grammar.definition import Outline
from .view import View, split_lines

_MAX_NAMES = 12


def reference_view(text: str, outline: Outline) -> View:
    """Pure: show one or two lines of facts; the handle and counts stand in the answer's first line."""
    total = len(split_lines(text))
    facts = [outline.language or "text"]
    longest = max((len(line) for line in text.split("\n")), default=0)
    if longest > 500:
        facts.append(f"longest line {longest:,} characters")
    top = [one.name for one in outline.definitions if one.depth == 0 and one.is_public]
    if outline.definitions:
        facts.append(f"{len(outline.definitions):,} definitions")
    if outline.imports:
        facts.append(f"{len(outline.imports):,} imports")
    if top:
        more = f", … {len(top) - _MAX_NAMES:,} more" if len(top) > _MAX_NAMES else ""
        facts.append("defines " + ", ".join(" ".join(name.split())[:40] for name in top[:_MAX_NAMES]) + more)
    return View("reference", " · ".join(facts) + "\n", (), total, is_lossy=True, rest="view=outline or view=full")
