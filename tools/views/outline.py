"""Definitions with spans, signatures and first doc lines: `12-40 def name(args) -> T  # first doc line`.

Each line begins with a span that `lines=` takes verbatim (`7` when it is one line). Fields, constants and the like
are named after what holds them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..grammar.definition import MEMBER_KINDS, Definition, Outline
from ..grammar.spans import clip
from .view import LineRange, TokenCount, View, merge_ranges

_MAX_LINE: Final = 160
_MAX_DOC: Final = 48
_MAX_MEMBERS: Final = 12
_MAX_PARTS: Final = 6
"""Names of parts of a member: of a variant of an enum, of a structure inside one."""
_MIN_RUN: Final = 4
"""Constants in a row at the top of a file from which on they share one line."""
_FUNCTIONS: Final = frozenset({"function", "method", "constructor"})


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """One line of the outline."""

    first: int
    last: int
    depth: int
    text: str
    doc: str
    size: int
    """How many definitions it shows."""
    weight: int
    """Entries with a higher weight are the first to go when the budget is short."""


def outline_view(outline: Outline, count: TokenCount, *, budget: int | None = None, name: str = "outline") -> View:
    """Pure: show the outline within `budget` tokens, if one is given.

    What goes first when it does not fit: documentation, then definitions inside functions, then private ones, then the deepest.
    """
    entries = outline_entries(outline.definitions)
    body, kept, notes = fit_entries(entries, count, budget)
    return View(
        name,
        body,
        entry_lines(kept, outline.total_lines),
        outline.total_lines,
        is_lossy=True,
        notes=(*outline_notes(outline), *notes),
        rest="lines=<span>",
    )


def fit_entries(
    entries: Sequence[OutlineEntry], count: TokenCount, budget: int | None
) -> tuple[str, Sequence[OutlineEntry], tuple[str, ...]]:
    """Return the text of the entries that fit, those entries, and notes that say what was left out."""
    body = _render(entries, with_docs=True)
    if budget is None or count(body) <= budget:
        return body, entries, ()
    body = _render(entries, with_docs=False)
    if count(body) <= budget:
        return body, entries, ("doc lines left out",)
    kept = _fitting(entries, count, budget)
    left_out = sum(entry.size for entry in entries) - sum(entry.size for entry in kept)
    body = _render(kept, with_docs=False)
    return body + _left_out_mark(left_out), kept, (f"{left_out:,} definitions left out",)


def outline_notes(outline: Outline) -> tuple[str, ...]:
    """Say what a reader must know about how the outline was made."""
    notes = [f"fallback: {outline.fallback}"] if outline.fallback else []
    if outline.is_derived:
        notes.append("derived")
    return (*notes, *outline.notes)


def entry_lines(kept: Sequence[OutlineEntry], total: int) -> tuple[LineRange, ...]:
    """Return the lines of the source that the entries show: the first of each definition."""
    return merge_ranges((entry.first, entry.first) for entry in kept if entry.first <= total)


def outline_entries(definitions: Sequence[Definition]) -> list[OutlineEntry]:
    """Fold members into the line of what holds them, and runs of members at the top into one line."""
    members: dict[tuple[str | None, int], list[Definition]] = {}
    for one in definitions:
        if one.kind in MEMBER_KINDS and one.depth > 0:
            members.setdefault((one.parent, one.depth), []).append(one)
    out: list[OutlineEntry] = []
    run: list[Definition] = []
    functions: list[int] = []  # depths of the functions around
    for one in definitions:
        if one.kind in MEMBER_KINDS and one.depth > 0:
            continue
        if one.kind in MEMBER_KINDS:
            run.append(one)
            continue
        out += _run_entries(run)
        run = []
        while functions and functions[-1] >= one.depth:
            functions.pop()
        held = members.get((one.qualified_name, one.depth + 1), [])
        inside = [member for member in held if one.start_line <= member.start_line <= one.end_line]
        weight = one.depth * 2 + (0 if one.is_public else 3) + (6 if functions else 0)
        text = clip(one.signature or one.name, _MAX_LINE)
        if inside:
            text += f" [{_names([_with_parts(member, members) for member in inside])}]"
        out.append(OutlineEntry(one.start_line, one.end_line, one.depth, text, one.doc, 1 + len(inside), weight))
        if one.kind in _FUNCTIONS:
            functions.append(one.depth)
    return out + _run_entries(run)


def _run_entries(run: Sequence[Definition]) -> list[OutlineEntry]:
    if len(run) >= _MIN_RUN:
        return [OutlineEntry(run[0].start_line, run[-1].end_line, 0, _names([one.name for one in run]), "", len(run), 1)]
    return [
        OutlineEntry(
            one.start_line, one.end_line, 0, clip(one.signature or one.name, _MAX_LINE), one.doc, 1, 1 if one.is_public else 4
        )
        for one in run
    ]


def _with_parts(member: Definition, members: Mapping[tuple[str | None, int], Sequence[Definition]]) -> str:
    """Return a member's name and, in braces, the names of its own members: `Circle {radius}`."""
    held = members.get((member.qualified_name, member.depth + 1), ())
    parts = list(dict.fromkeys(one.name for one in held if member.start_line <= one.start_line <= member.end_line))
    more = f", +{len(parts) - _MAX_PARTS}" if len(parts) > _MAX_PARTS else ""
    return f"{member.name} {{{', '.join(parts[:_MAX_PARTS])}{more}}}" if parts else member.name


def _names(labels: Iterable[str]) -> str:
    names = list(dict.fromkeys(labels))
    more = f", +{len(names) - _MAX_MEMBERS}" if len(names) > _MAX_MEMBERS else ""
    return ", ".join(names[:_MAX_MEMBERS]) + more


def _fitting(entries: Sequence[OutlineEntry], count: TokenCount, budget: int) -> list[OutlineEntry]:
    """Take the lightest entries, among equals the earlier, as many as fit. Token counts grow with entries: bisect."""
    order = sorted(range(len(entries)), key=lambda at: (entries[at].weight, at))
    low, high = 0, len(entries)
    mark = count(_left_out_mark(10_000))
    while low < high:
        middle = (low + high + 1) // 2
        chosen = [entries[at] for at in sorted(order[:middle])]
        if count(_render(chosen, with_docs=False)) + mark <= budget:
            low = middle
        else:
            high = middle - 1
    return [entries[at] for at in sorted(order[:low])]


def _left_out_mark(number: int) -> str:
    return f"… {number:,} more definitions (not in this budget) …\n" if number else ""


def _render(entries: Sequence[OutlineEntry], *, with_docs: bool) -> str:
    return "".join(_line(entry, with_docs=with_docs) for entry in entries)


def _line(entry: OutlineEntry, *, with_docs: bool) -> str:
    doc = f"  # {clip(entry.doc, _MAX_DOC)}" if with_docs and entry.doc else ""
    span = f"{entry.first}-{entry.last}" if entry.last > entry.first else str(entry.first)
    return f"{' ' * entry.depth}{span} {entry.text}{doc}\n"
