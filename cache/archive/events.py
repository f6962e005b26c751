"""What a tool call leaves behind: the event the edge hands over, and the records that are stored of it.

Values only. An event's `excerpt` is what was delivered to the model; it is cut into passages, indexed and kept until it
expires. Text that trips the secret rule never gets this far: `records_of` drops it and keeps the bare facts of the call.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from .columns import storable

MAX_EXCERPT_CHARS: Final = 12_000
"""A default answer is 2,500 tokens, about 10,000 characters; longer ones are found again through their handle."""
MAX_NOTE_CHARS: Final = 2_000
MAX_ARGUMENTS_CHARS: Final = 300
MAX_HANDLES: Final = 16
MAX_SPANS: Final = 64

SESSION_ID_PATTERN: Final = re.compile(r"[a-z0-9-]{1,64}")

SecretText = Callable[[str], bool]
"""Whether a text holds a secret and must not be stored."""


class EventKind(Enum):
    """What an event means for the conversation. The value is what is stored."""

    GOAL = "goal"
    DECISION = "decision"
    FAILURE = "failure"
    OPEN_END = "open"
    NOTE = "note"
    FACT = "fact"
    RESTORE = "restore"
    OUTPUT = "output"
    READ = "read"
    SEARCH = "search"
    EVICT = "evict"
    SESSION = "session"
    STATUS = "status"


_KIND_OF_TOOL: Final = {
    "read": EventKind.READ,
    "search": EventKind.SEARCH,
    "compress": EventKind.OUTPUT,
    "restore": EventKind.RESTORE,
    "evict": EventKind.EVICT,
    "memory": EventKind.FACT,
    "session": EventKind.SESSION,
    "status": EventKind.STATUS,
}

_NOTE_PREFIXES: Final = {
    "goal": EventKind.GOAL,
    "task": EventKind.GOAL,
    "decision": EventKind.DECISION,
    "decided": EventKind.DECISION,
    "todo": EventKind.OPEN_END,
    "open": EventKind.OPEN_END,
    "next": EventKind.OPEN_END,
    "question": EventKind.OPEN_END,
    "failure": EventKind.FAILURE,
    "failed": EventKind.FAILURE,
    "error": EventKind.FAILURE,
    "note": EventKind.NOTE,
}
_NOTE_LINE: Final = re.compile(r"\s*[-*]?\s*(?P<word>[A-Za-z]+)\s*:\s*(?P<rest>\S.*)", re.DOTALL)
_RECEIPT: Final = re.compile(r"(?:receipt |have=)r\d+-[0-9a-f]{4}\b")
"""A receipt proves what one conversation was shown; another one must not come by it through the record."""
_RECORD_SCOPE: Final = re.compile(r"\bscope=(?:session|memory)\b")
_DECISION_CUE: Final = re.compile(r"\s*(?:we|i)?\s*(?:have\s+)?(?:decided|agreed|chose)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TouchedSpan:
    """A file that a call delivered, and which lines of it."""

    path: str
    lines: tuple[int, int] | None = None
    """First and last line, 1-based, inclusive; None for the whole file."""


@dataclass(frozen=True, slots=True)
class ToolEvent:
    """One tool call as the edge reports it. Nothing here may come from content that was refused."""

    tool: str
    arguments: str = ""
    """A short, stable summary of the arguments, such as `cache/session.py view=outline`."""
    handles: tuple[str, ...] = ()
    spans: tuple[TouchedSpan, ...] = ()
    tokens: int = 0
    """Tokens delivered."""
    is_error: bool = False
    note: str = ""
    """What the client wants remembered; lines that begin with goal:, decision:, todo:, failure: are filed as such."""
    excerpt: str = ""
    """The text delivered, or the message of the error."""
    session_id: str = ""
    """Empty for the process's own session."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the transcript, bounded."""

    kind: EventKind
    tool: str
    arguments: str
    text: str = ""
    handles: tuple[str, ...] = ()
    spans: tuple[TouchedSpan, ...] = ()
    tokens: int = 0
    is_error: bool = False


def check_session_id(session_id: str) -> str:
    """Return `session_id` if it is one.

    Raises:
        ValueError: It does not match `[a-z0-9-]{1,64}`.
    """
    if not SESSION_ID_PATTERN.fullmatch(session_id):
        raise ValueError(f"session id must match [a-z0-9-]{{1,64}}, got {session_id[:80]!r}")
    return session_id


def kind_of_note(line: str) -> tuple[EventKind, str]:
    """Return what one line of a note is, and its text without the prefix that said so."""
    match = _NOTE_LINE.fullmatch(line)
    if match:
        kind = _NOTE_PREFIXES.get(match["word"].lower())
        if kind is not None:
            return kind, match["rest"].strip()
    return (EventKind.DECISION if _DECISION_CUE.match(line) else EventKind.NOTE), line.strip()


def is_recorded(event: ToolEvent) -> bool:
    """Whether an event belongs into the record.

    A search of the record does not: its answer repeats what is stored, and would be found before it.
    """
    return event.tool != "search" or _RECORD_SCOPE.search(event.arguments) is None


def bounded(event: ToolEvent) -> ToolEvent:
    """Return the event without what its records would not keep."""
    return replace(
        event,
        arguments=event.arguments[: 2 * MAX_ARGUMENTS_CHARS],
        handles=event.handles[:MAX_HANDLES],
        spans=event.spans[:MAX_SPANS],
        note=event.note[:MAX_NOTE_CHARS],
        excerpt=event.excerpt[:MAX_EXCERPT_CHARS],
    )


def records_of(event: ToolEvent, *, is_secret: SecretText) -> tuple[Record, ...]:
    """Turn an event into its records: the call itself, then one for each line of its note."""
    if not is_recorded(event):
        return ()
    excerpt = _without_receipts(event.excerpt[:MAX_EXCERPT_CHARS])
    arguments, tool = _without_receipts(storable(event.arguments))[:MAX_ARGUMENTS_CHARS].strip(), storable(event.tool)[:64]
    call = Record(
        _KIND_OF_TOOL.get(event.tool, EventKind.OUTPUT),
        tool,
        "" if is_secret(arguments) else arguments,
        "" if is_secret(excerpt) else excerpt,
        event.handles[:MAX_HANDLES],
        event.spans[:MAX_SPANS],
        max(0, event.tokens),
        event.is_error,
    )
    notes: list[Record] = []
    for line in event.note[:MAX_NOTE_CHARS].splitlines():
        if line.strip() and not is_secret(line):
            kind, text = kind_of_note(line)
            notes.append(Record(kind, tool, "", text, event.handles[:MAX_HANDLES]))
    return (call, *notes)


def _without_receipts(text: str) -> str:
    """Take receipts out, with the separator in front of each."""
    *pieces, last = _RECEIPT.split(text)
    return "".join(piece.removesuffix(" ").removesuffix(" ·") for piece in pieces) + last
