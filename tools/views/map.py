"""What a file needs and what it offers: imports, exports, and the outline of its public surface."""

from collections.abc import Sequence
from typing import Final

from ..grammar.definition import Import, Outline
from ..grammar.spans import clip
from .outline import entry_lines, fit_entries, outline_entries, outline_notes
from .view import TokenCount, View, merge_ranges

_MAX_IMPORTS: Final = 60
_MAX_NAMES: Final = 6
_MAX_EXPORTS: Final = 60


def map_view(outline: Outline, count: TokenCount, *, budget: int | None = None) -> View:
    """Pure: show imports and exports on a line each, then the public outline within what is left of `budget`."""
    head = _imports_line(outline.imports) + _exports_line(outline.exports)
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
