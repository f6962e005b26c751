"""The running outline of a session: what its summary is made of. Pure.

Each record is folded in as it is stored, so the outline is cumulative: it outlives clears and the expiry of events. It is
bounded: the oldest of each section leave and are counted. `encode_outline` and `decode_outline` are inverse to each other.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

from .entries import decode_spans, encode_spans, merge_spans
from .events import EventKind, Record, TouchedSpan

MAX_LINES: Final = 40
MAX_FILES: Final = 150
MAX_QUERIES: Final = 12
"""Only what was asked last tells where the work stands."""
MAX_LINE_CHARS: Final = 240
_MAX_FILE_SPANS: Final = 8
_MAX_LABEL_CHARS: Final = 80
_DONE: Final = "done:"
"""Begins a note that closes open ends and noted failures."""


@dataclass(frozen=True, slots=True)
class FileNote:
    """A file that was delivered: which lines, how often, and the newest handle."""

    path: str
    spans: tuple[TouchedSpan, ...]
    times: int
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that failed, or a failure that was noted. `call` is empty for a noted one."""

    call: str
    text: str
    handle: str = ""
    is_resolved: bool = False
    """The same call went well later."""


@dataclass(frozen=True, slots=True)
class Outline:
    """Everything in order of first appearance, so that what is old stays where it is in the text."""

    goals: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[FileNote, ...] = ()
    failures: tuple[Failure, ...] = ()
    open_ends: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    events: int = 0
    tokens: int = 0
    dropped: int = 0
    """Lines and files that left because the outline is bounded."""
    handles: tuple[str, ...] = field(default=())
    """Newest handles that belong to no file (outputs, pasted texts), each followed by a blank and the call that made it."""


def fold_outline(outline: Outline, records: Iterable[Record]) -> Outline:
    """Return the outline with `records` folded in, in order."""
    for record in records:
        outline = replace(outline, events=outline.events + 1, tokens=outline.tokens + record.tokens)
        outline = _fold_text(outline, record) if record.text else outline
        outline = _fold_call(outline, record)
    return outline


def merge_outlines(earlier: Outline, later: Outline) -> Outline:
    """Return the outline of a session that went on from another one; merging the same one again changes nothing.

    Events and tokens are those of the later session, unless it has none of its own.
    """
    merged = earlier
    for section in ("goals", "decisions", "notes", "open_ends"):
        for line in cast("tuple[str, ...]", getattr(later, section)):
            merged = _with_line(merged, section, line)
    for failure in later.failures:
        merged = _with_failure(merged, failure)
    for note in later.files:
        before = next((one.times for one in merged.files if one.path == note.path), 0)
        merged = _with_file(merged, note.path, note.spans, note.handle)
        times = max(before, note.times)
        merged = replace(merged, files=tuple(replace(one, times=times) if one.path == note.path else one for one in merged.files))
    counts = later if later.events else earlier
    return replace(
        merged,
        queries=_last_of(merged.queries, later.queries)[-MAX_QUERIES:],
        handles=_last_of(merged.handles, later.handles)[-MAX_LINES:],
        events=counts.events,
        tokens=counts.tokens,
        dropped=max(merged.dropped, later.dropped),
    )


def encode_outline(outline: Outline) -> str:
    """Return the outline as JSON."""
    return json.dumps(
        {
            "goals": outline.goals,
            "decisions": outline.decisions,
            "notes": outline.notes,
            "files": [[note.path, encode_spans(note.spans), note.times, note.handle] for note in outline.files],
            "failures": [[one.call, one.text, one.handle, one.is_resolved] for one in outline.failures],
            "open": outline.open_ends,
            "queries": outline.queries,
            "counts": [outline.events, outline.tokens, outline.dropped],
            "handles": outline.handles,
        },
        separators=(",", ":"),
    )


def decode_outline(text: str) -> Outline:
    """Return the outline that `encode_outline` wrote; an empty one for an empty or damaged text."""
    if not text:
        return Outline()
    try:
        value = cast("dict[str, list[object]]", json.loads(text))
        events, tokens, dropped = (int(str(count)) for count in value["counts"])
        return Outline(
            _strings(value["goals"]),
            _strings(value["decisions"]),
            _strings(value["notes"]),
            tuple(_file_of(cast("list[object]", item)) for item in value["files"]),
            tuple(_failure_of(cast("list[object]", item)) for item in value["failures"]),
            _strings(value["open"]),
            _strings(value["queries"]),
            events,
            tokens,
            dropped,
            _strings(value["handles"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return Outline()


def _fold_text(outline: Outline, record: Record) -> Outline:
    line = " ".join(record.text.split())[:MAX_LINE_CHARS]
    if record.kind is EventKind.GOAL:
        return _with_line(outline, "goals", line)
    if record.kind is EventKind.DECISION:
        return _with_line(outline, "decisions", line)
    if record.kind is EventKind.OPEN_END:
        return _with_line(outline, "open_ends", line)
    if record.kind is EventKind.FAILURE:
        return _with_failure(outline, Failure("", line, record.handles[0] if record.handles else ""))
    if record.kind is EventKind.NOTE:
        if line.lower().startswith(_DONE):
            done = line[len(_DONE) :].strip().lower()
            failures = tuple(
                replace(one, is_resolved=True) if not one.call and _closes(done, one.text.lower()) else one
                for one in outline.failures
            )
            left = tuple(one for one in outline.open_ends if not _closes(done, one.lower()))
            return replace(outline, open_ends=left, failures=failures)
        return _with_line(outline, "notes", line)
    return outline


def _fold_call(outline: Outline, record: Record) -> Outline:
    if record.kind in (EventKind.GOAL, EventKind.DECISION, EventKind.OPEN_END, EventKind.FAILURE, EventKind.NOTE):
        return outline
    call = f"{record.tool} {record.arguments}".strip()[:MAX_LINE_CHARS]
    handle = record.handles[0] if record.handles else ""
    if record.is_error:
        first = record.text.strip().partition("\n")[0][:MAX_LINE_CHARS]
        return _with_failure(outline, Failure(call, first, handle))
    if any(one.call == call and not one.is_resolved for one in outline.failures):
        failures = tuple(replace(one, is_resolved=True) if one.call == call else one for one in outline.failures)
        outline = replace(outline, failures=failures)
    if record.kind is EventKind.SEARCH and record.arguments:
        line = record.arguments[:MAX_LINE_CHARS]
        asked = (*(query for query in outline.queries if query != line), line)
        return replace(outline, queries=asked[-MAX_QUERIES:])
    if record.kind in (EventKind.READ, EventKind.OUTPUT, EventKind.RESTORE):
        for path in dict.fromkeys(span.path for span in record.spans):
            outline = _with_file(outline, path, [span for span in record.spans if span.path == path], handle)
        if handle and not record.spans:
            others = tuple(one for one in outline.handles if one.partition(" ")[0] != handle)
            label = f"{handle} {call[:_MAX_LABEL_CHARS]}".strip()
            outline = replace(outline, handles=(*others, label)[-MAX_LINES:])
    return outline


def _with_line(outline: Outline, section: str, line: str) -> Outline:
    lines = cast("tuple[str, ...]", getattr(outline, section))
    if not line or line in lines:
        return outline
    lines = (*lines, line)
    dropped = outline.dropped + max(0, len(lines) - MAX_LINES)
    changes: dict[str, tuple[str, ...]] = {section: lines[-MAX_LINES:]}
    return replace(outline, **changes, dropped=dropped)  # pyright: ignore[reportArgumentType] -- section names a text field


def _with_failure(outline: Outline, failure: Failure) -> Outline:
    others = tuple(
        one
        for one in outline.failures
        if (one.call, one.text) != (failure.call, failure.text) and not (one.call == failure.call != "")
    )
    failures = (*others, failure)
    dropped = outline.dropped + max(0, len(failures) - MAX_LINES)
    return replace(outline, failures=failures[-MAX_LINES:], dropped=dropped)


def _with_file(outline: Outline, path: str, spans: Iterable[TouchedSpan], handle: str) -> Outline:
    files = list(outline.files)
    for at, note in enumerate(files):
        if note.path == path:
            merged = merge_spans((*note.spans, *spans))[:_MAX_FILE_SPANS]
            files[at] = FileNote(path, merged, note.times + 1, handle or note.handle)
            return replace(outline, files=tuple(files))
    files.append(FileNote(path, merge_spans(spans)[:_MAX_FILE_SPANS], 1, handle))
    if len(files) <= MAX_FILES:
        return replace(outline, files=tuple(files))
    # The least read of the older ones leaves; min takes the oldest of equals.
    files.remove(min(files[:-1], key=lambda note: note.times))
    return replace(outline, files=tuple(files), dropped=outline.dropped + 1)


def _last_of(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    """Join two lists; what is in both stands at its place in the second."""
    return (*(one for one in first if one not in second), *second)


def _closes(done: str, open_end: str) -> bool:
    return bool(done) and (done in open_end or open_end in done)


def _strings(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in cast("list[object]", value))


def _file_of(item: list[object]) -> FileNote:
    path, spans, times, handle = item
    return FileNote(str(path), decode_spans(spans), int(str(times)), str(handle))


def _failure_of(item: list[object]) -> Failure:
    call, text, handle, is_resolved = item
    return Failure(str(call), str(text), str(handle), bool(is_resolved))
