"""What a file needs and what it offers: imports, exports, the files it is tied to, and the outline of its public surface."""

from collections.abc import Sequence
from typing import Final

from ...cache.index.neighbour import FileOutline, Neighbour, Neighbours, Ties
from ...cache.workspace.names import printable
from ..grammar.definition import MEMBER_KINDS, Import, Outline
from ..grammar.spans import clip
from .outline import entry_lines, fit_entries, outline_entries, outline_notes
from .view import TokenCount, View, merge_ranges

_MAX_IMPORTS: Final = 60
_MAX_NAMES: Final = 6
_MAX_EXPORTS: Final = 60
_MAX_CALLED: Final = 4
_TIES_SHARE: Final = 3
"""The neighbours take no more than that part of a budget."""


def map_view(outline: Outline, count: TokenCount, *, budget: int | None = None, ties: str = "") -> View:
    """Pure: show imports and exports on a line each, then `ties`, then the public outline within what is left of `budget`."""
    head = _imports_line(outline.imports) + _exports_line(outline.exports) + _within(ties, count, budget)
    public = [one for one in outline.definitions if one.is_public]
    hidden = len(outline.definitions) - len(public)
    room = None if budget is None else max(0, budget - count(head))
    body, kept, notes = fit_entries(outline_entries(public), count, room)
    if hidden:
        notes = (*notes, f"{hidden:,} private definitions not shown")
    shown = [*entry_lines(kept, outline.total_lines)]
    if head:
        shown += [(one.start_line, min(one.end_line, outline.total_lines)) for one in outline.imports]
    return View(
        "map",
        head + body,
        merge_ranges(shown),
        outline.total_lines,
        is_lossy=True,
        notes=(*outline_notes(outline), *notes),
        rest="view=outline or lines=<span>",
    )


def _imports_line(imports: Sequence[Import]) -> str:
    """Name the modules in order of first appearance, each with the names taken from it."""
    taken: dict[str, dict[str, None]] = {}
    for one in imports:
        taken.setdefault(one.module, {}).update(dict.fromkeys(one.names))
    if not taken:
        return ""
    shown = [_import(module, list(names)) for module, names in list(taken.items())[:_MAX_IMPORTS]]
    more = f", +{len(taken) - _MAX_IMPORTS} modules" if len(taken) > _MAX_IMPORTS else ""
    return f"imports: {', '.join(shown)}{more}\n"


def _import(module: str, names: Sequence[str]) -> str:
    if not names:
        return clip(module, 80)
    more = f" +{len(names) - _MAX_NAMES}" if len(names) > _MAX_NAMES else ""
    return f"{clip(module, 80)} ({' '.join(names[:_MAX_NAMES])}{more})"


def _exports_line(exports: Sequence[str]) -> str:
    if not exports:
        return ""
    more = f", +{len(exports) - _MAX_EXPORTS}" if len(exports) > _MAX_EXPORTS else ""
    return f"exports: {', '.join(exports[:_MAX_EXPORTS])}{more}\n"


def outlined(path: str, outline: Outline) -> FileOutline:
    """Pure: return what an index is asked about a file."""
    names = [one.name for one in outline.definitions if one.is_public and one.kind not in MEMBER_KINDS]
    return FileOutline(path, [(one.module, one.names) for one in outline.imports], list(dict.fromkeys(names)))


def ties_text(found: Neighbours) -> str:
    """Pure: name a file's neighbours, a line for each way in which they are tied; "" if there are none."""
    ways = (("imports", found.imports), ("imported by", found.imported_by), ("called by", found.called_by))
    lines = [f"  {way}: {_ties(ties)}\n" for way, ties in ways if ties.files]
    if not lines:
        return ""
    label = "neighbours as last indexed, calls by name" + ("" if found.is_whole else "; not everything is indexed yet")
    return "".join([f"{label}:\n", *lines])


def _ties(ties: Ties) -> str:
    more = f" (+{ties.more} files)" if ties.more else ""
    return ", ".join(_neighbour(one) for one in ties.files) + more + (" and perhaps more" if ties.is_capped else "")


def _neighbour(one: Neighbour) -> str:
    if not one.names:
        return printable(one.path)
    more = f" +{len(one.names) - _MAX_CALLED}" if len(one.names) > _MAX_CALLED else ""
    return f"{printable(one.path)} ({' '.join(clip(name, 80) for name in one.names[:_MAX_CALLED])}{more})"


def _within(ties: str, count: TokenCount, budget: int | None) -> str:
    """Return the first lines that fit into their part of the budget; a label alone says nothing."""
    lines = ties.splitlines(keepends=True)
    while len(lines) > 1:
        text = "".join(lines)
        if budget is None or count(text) * _TIES_SHARE <= budget:
            return text
        lines.pop()
    return ""
