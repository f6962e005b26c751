"""Entries: what a session holds, folded from its records. Pure: no clock, no I/O.

Two records of the same thing (the same kind, tool, arguments and paths) are one entry that was met twice. Entries are what
snapshots keep, what `clear` weighs, and what the first two tiers of recall search. `encode_entry` and `decode_entry` are
inverse to each other.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from .events import EventKind, Record, TouchedSpan

MAX_ENTRY_CHARS: Final = 480
"""Enough of a text to recognise it and to match it; the whole is in the transcript and behind the handle."""
MAX_ENTRY_HANDLES: Final = 4
MAX_ENTRY_SPANS: Final = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing the conversation has met."""

    key: str
    kind: EventKind
    tool: str
    title: str
    text: str
    handles: tuple[str, ...]
    """Newest first."""
    spans: tuple[TouchedSpan, ...]
    tokens: int
    first_seq: int
    """Position in the store's one sequence of events; orders entries without a clock."""
    last_seq: int
    count: int = 1
    engagements: int = 0
    """How often recall brought it back."""
    is_error: bool = False
    is_pinned: bool = False


def entry_key(record: Record) -> str:
    """Return the identity of what `record` is about: 16 hex digits."""
    about = record.arguments or record.text[:MAX_ENTRY_CHARS]
    paths = sorted({span.path for span in record.spans})
    identity = json.dumps([record.kind.value, record.tool, about, paths], ensure_ascii=True)
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def fold_record(known: Entry | None, record: Record, seq: int) -> Entry:
    """Return the entry that stands for `record`, met again if `known` is given."""
    text = clip(record.text)
    if known is None:
        return Entry(
            entry_key(record),
            record.kind,
            record.tool,
            record.arguments,
            text,
            record.handles[:MAX_ENTRY_HANDLES],
            record.spans[:MAX_ENTRY_SPANS],
            record.tokens,
            seq,
            seq,
            is_error=record.is_error,
        )
    return replace(
        known,
        text=text or known.text,
        handles=_merged(record.handles, known.handles)[:MAX_ENTRY_HANDLES],
        spans=merge_spans((*known.spans, *record.spans))[:MAX_ENTRY_SPANS],
        tokens=record.tokens or known.tokens,
        last_seq=max(seq, known.last_seq),
        count=known.count + 1,
        is_error=record.is_error,
    )


def clip(text: str, limit: int = MAX_ENTRY_CHARS) -> str:
    """Return the beginning of `text`, cut between words where there is a gap to cut at."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    return head.rsplit(None, 1)[0] if any(char.isspace() for char in head[limit // 2 :]) else head


def merge_spans(spans: Iterable[TouchedSpan]) -> tuple[TouchedSpan, ...]:
    """Join overlapping and adjacent ranges of each file; a whole file swallows its ranges. Paths keep their order."""
    by_path: dict[str, list[tuple[int, int] | None]] = {}
    for span in spans:
        by_path.setdefault(span.path, []).append(span.lines)
    merged: list[TouchedSpan] = []
    for path, ranges in by_path.items():
        if None in ranges:
            merged.append(TouchedSpan(path))
            continue
        joined: list[list[int]] = []
        for first, last in sorted(lines for lines in ranges if lines is not None):
            if joined and first <= joined[-1][1] + 1:
                joined[-1][1] = max(joined[-1][1], last)
            else:
                joined.append([first, last])
        merged.extend(TouchedSpan(path, (first, last)) for first, last in joined)
    return tuple(merged)


def search_text_of(entry: Entry) -> str:
    """Return what recall matches: title, paths and text."""
    return "\n".join([entry.title, *(span.path for span in entry.spans), entry.text])


def encode_entry(entry: Entry) -> str:
    """Return `entry` as compact JSON."""
    value = [
        entry.key,
        entry.kind.value,
        entry.tool,
        entry.title,
        entry.text,
        list(entry.handles),
        encode_spans(entry.spans),
        entry.tokens,
        entry.first_seq,
        entry.last_seq,
        entry.count,
        entry.engagements,
        entry.is_error,
        entry.is_pinned,
    ]
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def decode_entry(text: str) -> Entry:
    """Return the entry that `encode_entry` wrote.

    Raises:
        ValueError: The text is something else.
    """
    try:
        key, kind, tool, title, body, handles, spans, tokens, first, last, count, engaged, error, pinned = json.loads(text)
        return Entry(
            str(key),
            EventKind(kind),
            str(tool),
            str(title),
            str(body),
            tuple(str(handle) for handle in handles),
            decode_spans(spans),
            int(tokens),
            int(first),
            int(last),
            int(count),
            int(engaged),
            bool(error),
            bool(pinned),
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError("not an entry") from error


def key_of_line(line: str) -> str:
    """Return the key of an encoded entry without decoding the rest: it stands first."""
    return line[2 : line.index('"', 2)]


def encode_spans(spans: Iterable[TouchedSpan]) -> list[list[str | int]]:
    """Return `spans` as JSON lists: [path] or [path, first, last]."""
    return [[span.path, *(span.lines or ())] for span in spans]


def decode_spans(value: object) -> tuple[TouchedSpan, ...]:
    """Return the spans that `encode_spans` wrote.

    Raises:
        ValueError: The value is something else.
    """
    if not isinstance(value, list):
        raise ValueError("spans must be a list")
    spans: list[TouchedSpan] = []
    for item in value:
        if len(item) == 1:
            spans.append(TouchedSpan(str(item[0])))
        else:
            path, first, last = item
            spans.append(TouchedSpan(str(path), (int(first), int(last))))
    return tuple(spans)


def by_key(entries: Iterable[Entry]) -> Mapping[str, Entry]:
    """Index entries by key, in the order of their first appearance."""
    return {entry.key: entry for entry in sorted(entries, key=lambda entry: (entry.first_seq, entry.key))}


def _merged(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
