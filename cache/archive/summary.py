"""The text of a session's summary: extractive, deterministic, within a budget. Pure.

What changes least comes first (goals, decisions, notes, then files in order of first touch), so that a prompt cache keeps the
front part while the session grows; failures and open ends come last. Lines are taken by importance until the budget is full;
what did not fit is counted. An optional text by the client's model (`sampling_prompt`) replaces nothing: it is shown above.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from .events import TouchedSpan
from .outline import Failure, FileNote, Outline

CountTokens = Callable[[str], int]
MIN_BUDGET_TOKENS: Final = 60


@dataclass(frozen=True, slots=True)
class SummarySection:
    """One heading with its lines."""

    name: str
    text: str
    is_stable: bool
    """Whether lines are only added to it, and rarely: it belongs to the front that a prompt cache keeps."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary as it is delivered."""

    text: str
    """The sections, a line end between two."""
    sections: tuple[SummarySection, ...]
    tokens: int
    lines: int
    left_out: int
    """Lines that did not fit the budget."""
    handles: tuple[str, ...]
    """Handles that the text names."""


@dataclass(frozen=True, slots=True)
class _Line:
    section: int
    order: int
    priority: float
    text: str
    handle: str = ""


_SECTIONS: Final = ("Goals", "Decisions", "Notes", "Files", "Outputs", "Asked", "Failures", "Open")
_STABLE_SECTIONS: Final = 3
"""Goals, decisions and notes; the line of a file changes with every read of it."""


def summarise(
    outline: Outline, budget_tokens: int, count: CountTokens, *, has_handle: Callable[[str], bool] = lambda handle: True
) -> Summary:
    """Return the summary of `outline` in at most `budget_tokens`; handles that `has_handle` denies are not named.

    Raises:
        ValueError: The budget is below 60 tokens, too small for any summary.
    """
    if budget_tokens < MIN_BUDGET_TOKENS:
        raise ValueError(f"budget_tokens must be >= {MIN_BUDGET_TOKENS}, got {budget_tokens}")
    lines = _lines_of(outline, has_handle)
    # Headings and the closing count take part of the budget; the loop below makes the total exact.
    room = budget_tokens - 12
    taken: list[_Line] = []
    opened: set[int] = set()
    for line in sorted(lines, key=lambda line: (-line.priority, line.section, line.order)):
        cost = count(line.text) + 1 + (0 if line.section in opened else 4)
        if cost <= room:
            room -= cost
            taken.append(line)
            opened.add(line.section)
    while True:
        sections = _sections_of(taken, left_out=len(lines) - len(taken) + outline.dropped)
        text = "\n".join(section.text for section in sections)
        tokens = count(text)
        if tokens <= budget_tokens or not taken:
            break
        taken.pop()
    handles = tuple(dict.fromkeys(line.handle for line in sorted(taken, key=_place) if line.handle))
    return Summary(text, sections, tokens, len(taken), len(lines) - len(taken) + outline.dropped, handles)


def sampling_prompt(previous: str, extract: str) -> str:
    """Return what the client's model is asked: one cumulative summary of the earlier one and the extract (seed 004)."""
    task = (
        "Produce one updated summary of a coding session that covers everything below, under 400 tokens. Keep goals, decisions, "
        "numbers, names, file paths with line ranges and handles (h…) exactly as written. No commentary."
    )
    prior = f"\n\nPRIOR SUMMARY:\n{previous}" if previous else ""
    return f"{task}{prior}\n\nWHAT HAPPENED (extract):\n{extract}"


def spans_text(spans: Sequence[TouchedSpan]) -> str:
    """Return the line ranges of one file as `:1-40,80-90`, empty for a whole file."""
    ranges = [f"{span.lines[0]}-{span.lines[1]}" for span in spans if span.lines is not None]
    return ":" + ",".join(ranges) if ranges else ""


def _lines_of(outline: Outline, has_handle: Callable[[str], bool]) -> list[_Line]:
    lines: list[_Line] = []

    def add(section: int, texts: Sequence[str], priority: float) -> None:
        total = len(texts)
        lines.extend(_Line(section, i, priority + 0.1 * (i + 1) / total, text) for i, text in enumerate(texts))

    add(0, outline.goals, 10.0)
    add(1, outline.decisions, 8.0)
    add(2, outline.notes, 5.0)
    add(5, [f"search {query}" for query in outline.queries], 2.0)
    add(7, outline.open_ends, 9.0)
    most = max((note.times for note in outline.files), default=1)
    for i, note in enumerate(outline.files):
        recency = (i + 1) / len(outline.files)
        handle = note.handle if note.handle and has_handle(note.handle) else ""
        lines.append(_Line(3, i, 4.0 + note.times / most + recency, _file_line(note, handle), handle))
    for i, output in enumerate(outline.handles):
        handle, _, call = output.partition(" ")
        if has_handle(handle):
            lines.append(_Line(4, i, 3.0 + i / len(outline.handles), f"{call} · {handle}" if call else handle, handle))
    for i, failure in enumerate(outline.failures):
        handle = failure.handle if failure.handle and has_handle(failure.handle) else ""
        lines.append(_Line(6, i, 3.0 if failure.is_resolved else 7.0 + i / 100, _failure_line(failure, handle), handle))
    return lines


def _file_line(note: FileNote, handle: str) -> str:
    times = f" · {note.times}×" if note.times > 1 else ""
    return f"{note.path}{spans_text(note.spans)}{times}{f' · {handle}' if handle else ''}"


def _failure_line(failure: Failure, handle: str) -> str:
    what = ": ".join(part for part in (failure.call, failure.text) if part)
    return f"{what}{' · went well later' if failure.is_resolved else ''}{f' · {handle}' if handle else ''}"


def _sections_of(lines: Sequence[_Line], *, left_out: int) -> tuple[SummarySection, ...]:
    sections: list[SummarySection] = []
    for at, name in enumerate(_SECTIONS):
        held = [f"- {line.text}" for line in sorted(lines, key=_place) if line.section == at]
        if held:
            sections.append(SummarySection(name, "\n".join([f"{name}:", *held]), at < _STABLE_SECTIONS))
    if left_out:
        sections.append(SummarySection("left out", f"… {left_out} more left out", False))
    return tuple(sections) or (SummarySection("empty", "Nothing recorded yet.", False),)


def _place(line: _Line) -> tuple[int, int]:
    return line.section, line.order
