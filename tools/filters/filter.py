"""The values of filtering: a document, the ranks of its lines, and what was kept of it.

A filter never writes text of its own into what it keeps: it ranks lines, and one planner (`planner.py`) turns the ranks into
ranges of verbatim lines with counted gaps between them. Derived facts (the shape of a JSON document, counts by class) stand
apart, each line labelled `derived`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property, lru_cache
from itertools import compress
from typing import Final

from .marks import carries_marks, cut_mark, gap_mark
from .messages import messages_in, shown_of

_ANSI: Final = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\)|[@-Z\\-_])")
_RULED_CHARS: Final = 2000
_MESSAGE_CHARS: Final = 300
_SPARSE: Final = 20
"""One mark in so many is found faster by an expression than by looking at all."""
_SAME_DIGITS: Final = bytes.maketrans(b"123456789", b"9" * 9)

Counter = Callable[[str], int]
"""Tokens of a text."""


class Rank(IntEnum):
    """How much a line matters. From LAST upwards a line must survive wherever the budget can hold it."""

    NOISE = 0
    """Of no use once the run is over (progress, passing tests): left out even when there is room."""
    PLAIN = 10
    CONTEXT = 20
    DETAIL = 40
    """Belongs to a failure or an error: traceback frames, code excerpts, assertion diffs."""
    ECHO = 42
    """A further warning of a class that was already seen."""
    REPEAT = 45
    """A further error of a class that was already seen."""
    LAST = 50
    AGAIN = 55
    """The assertion or place of a failure that failed as an earlier one did."""
    WARNING = 60
    LOCATION = 66
    ERROR = 70
    EVIDENCE = 76
    """The assertion or message that says why a test failed."""
    FAILURE = 80
    """The line that names a failed test, target or resource."""
    NEW = 84
    """New since the earlier output of the same command."""
    QUERY = 85
    END = 88
    """The very last line that is not blank."""
    SUMMARY = 90
    """Totals and exit status."""


MUST: Final = Rank.LAST
"""The lowest rank that must survive."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Lines of the original that the document does not have: `lines` of them right above its line `before`."""

    before: int
    lines: int


@dataclass(frozen=True)
class Document:
    r"""A text as lines; only `\n` ends a line. Of an original too large to hold, an excerpt with what it skips."""

    text: str
    skips: tuple[Skip, ...] = ()
    """Ascending."""
    lead: "re.Pattern[str] | None" = None
    """What stands before every line and is none of the output's own."""

    @cached_property
    def lines(self) -> Sequence[str]:
        """The lines as they are, without their newlines."""
        lines = self.text.split("\n")
        if lines[-1] == "":
            lines.pop()
        return lines

    @cached_property
    def plain(self) -> Sequence[str]:
        r"""The lines as a terminal would show them: no escape sequences, no overwritten text, no `\r` at the end."""
        lines = self.lines
        if "\x1b" in self.text:
            lines = _ANSI.sub("", self.text).split("\n")[: len(lines)]
        if "\r" in self.text:
            lines = [shown_of(line) if "\r" in line else line for line in lines]
        if self.lead is not None:
            lines = [self.lead.sub("", line, count=1) for line in lines]
        if self.text.startswith("\ufeff"):
            lines = [lines[0].removeprefix("\ufeff"), *lines[1:]]
        return lines

    @cached_property
    def ruled(self) -> Sequence[str]:
        """The plain lines, none longer than what rules look at: a guard against expressions slow on endless lines."""
        lines = self.plain
        if not lines or max(map(len, lines)) <= _RULED_CHARS:
            return lines
        return [line if len(line) <= _RULED_CHARS else _ruled_line(line) for line in lines]

    @cached_property
    def keys(self) -> Sequence[bytes]:
        """For each ruled line its bytes with every digit but zero as 9: lines with one key report the same sort of thing.

        Outputs repeat themselves but for numbers; what is found out of a line is found out once for a key.
        """
        text = "\n".join(self.ruled).encode("utf-8", "surrogatepass")
        return text.translate(_SAME_DIGITS).split(b"\n")[: len(self.lines)]

    @cached_property
    def kinds(self) -> Mapping[bytes, str]:
        """One line for each key."""
        return dict(zip(self.keys, self.ruled, strict=True))

    def told(self, tell: Callable[[str], int]) -> bytearray:
        """Return for each line what `tell` says of it, 0 to 255, asked once for a key."""
        known = {key: tell(line) for key, line in self.kinds.items()}
        return bytearray(map(known.__getitem__, self.keys))

    @cached_property
    def lower(self) -> bytes:
        """The plain lines in lower case, joined, as bytes; its lines are the document's lines."""
        return "\n".join(self.plain).lower().encode("utf-8", "surrogatepass")

    @cached_property
    def has_marks(self) -> bool:
        """Whether the text carries gap marks, that is, was shortened before."""
        return carries_marks(self.text)

    @cached_property
    def total_lines(self) -> int:
        """Lines of the original."""
        return len(self.lines) + sum(skip.lines for skip in self.skips)

    def mark(self, start: int, end: int) -> str:
        """Return the gap mark for the lines `start` to `end` (exclusive), and for what the document skips beside them."""
        first = start + sum(skip.lines for skip in self.skips if skip.before < start)
        last = end + sum(skip.lines for skip in self.skips if skip.before <= end)
        return gap_mark(first, last)

    def without(self, lead: "re.Pattern[str]") -> "Document":
        """Return the same document, its plain lines without `lead`."""
        return Document(self.text, self.skips, lead)

    def __len__(self) -> int:
        return len(self.lines)


def _ruled_line(line: str) -> str:
    """Return the beginning of a long line, and beside it the first message behind that."""
    found = next((at for at in messages_in(line) if at > _RULED_CHARS - _MESSAGE_CHARS), None)
    if found is None:
        return line[:_RULED_CHARS]
    return f"{line[: _RULED_CHARS - _MESSAGE_CHARS]} {line[found : found + _MESSAGE_CHARS]}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A failure, error or warning that a record reports, in one line of the record's own words."""

    rank: Rank
    text: str
    key: str
    """Its class."""
    line: int
    """Where the record is, or the document that holds it begins."""
    is_one_of_many: bool = False
    """Whether it stands for its class."""


@dataclass(slots=True)
class Scores:
    """The rank of every line, as a filter builds it up."""

    ranks: bytearray
    classes: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """Class of an error or warning -> the lines that head its occurrences, in order."""
    derived: list[str] = field(default_factory=list[str])
    """Facts computed from the whole document, without their label."""
    findings: Sequence[Finding] = ()
    """What records report that are too long to be shown, the most telling first."""
    is_failed: bool = False
    """Whether the output itself says that something failed."""

    def lift(self, line: int, rank: Rank) -> None:
        """Give `line` at least `rank`."""
        if self.ranks[line] < rank:
            self.ranks[line] = rank

    def classify(self, line: int, rank: Rank, key: str) -> bool:
        """Give `line` the rank of its class: `rank` for the first of class `key`, REPEAT or ECHO for the others.

        Returns whether it is the first.
        """
        seen = self.classes.get(key)
        if seen is None:
            self.classes[key] = [line]
            self.ranks[line] = rank
            return True
        seen.append(line)
        self.ranks[line] = rank if rank < Rank.REPEAT else Rank.ECHO if rank == Rank.WARNING else Rank.REPEAT
        return False


@dataclass(frozen=True, slots=True)
class Focus:
    """What the caller wants of a filter."""

    budget: int
    """Tokens that the result may have; a result that cannot be smaller than a gap mark may have that."""
    query: str = ""
    exit_code: int | None = None
    """Exit status of the command that wrote the text, where known."""
    is_default: bool = False
    """Whether nobody asked for this budget. Then noise goes although the whole would fit, and what need not survive has only the
    family's usual share of the original."""
    aim: float = 1.0
    """That share."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines `start` to `end` (0-based, end exclusive): kept whole, left out, or one line kept in part."""

    start: int
    end: int
    is_kept: bool
    spans: tuple[tuple[int, int], ...] = ()
    """For a line kept in part: the character ranges kept, ascending, not touching."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """What a filter kept of a document."""

    kind: str
    document: Document = field(repr=False)
    pieces: tuple[Piece, ...]
    derived: tuple[str, ...] = ()
    left_out: Mapping[Rank, int] = field(default_factory=dict[Rank, int])
    """Lines that must survive and did not fit, by rank."""

    @property
    def is_lossy(self) -> bool:
        """Whether anything was left out."""
        return any(not piece.is_kept or piece.spans for piece in self.pieces)

    @property
    def kept_lines(self) -> int:
        """Lines kept, those kept in part included."""
        return sum(piece.end - piece.start for piece in self.pieces if piece.is_kept)

    @property
    def total_lines(self) -> int:
        """Lines of the original."""
        return self.document.total_lines

    @property
    def text(self) -> str:
        """The derived facts, then what was kept with its gap marks; the original's own bytes when nothing was left out."""
        if not self.is_lossy:
            return self.document.text
        head = [f"derived · {fact}" for fact in self.derived]
        end = "\n" if self.document.text.endswith("\n") else ""
        return "\n".join([*head, *self.body_lines()]) + end

    def body_lines(self) -> Iterator[str]:
        """Yield the kept lines and the marks between them."""
        lines = self.document.lines
        for piece in self.pieces:
            if piece.spans:
                yield cut_line(lines[piece.start], piece.spans)
            elif piece.is_kept:
                yield from lines[piece.start : piece.end]
            else:
                yield self.document.mark(piece.start, piece.end)


def cut_line(line: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return the parts of `line` at `spans` with a counted mark for each part left out."""
    parts: list[str] = []
    at = 0
    for start, end in spans:
        if start > at:
            parts.append(cut_mark(start - at))
        parts.append(line[start:end])
        at = end
    if at < len(line):
        parts.append(cut_mark(len(line) - at))
    return "".join(parts)


def lines_ranked(ranks: bytearray, rank: Rank) -> Iterator[int]:
    """Yield the lines of `rank`, first to last."""
    return iter(places_of(ranks, (rank,)))


def places_of(marks: bytes | bytearray, wanted: Iterable[int]) -> list[int]:
    """Return where in `marks` any of the bytes `wanted` stand, ascending."""
    values = bytes(wanted)
    if not values:
        return []
    found = len(marks) - len(marks.translate(None, values))
    if found > len(marks) // _SPARSE:
        table = bytearray(256)
        for value in values:
            table[value] = 1
        return list(compress(range(len(marks)), marks.translate(table)))
    return [match.start() for match in _one_of(values).finditer(marks)] if found else []


@lru_cache(maxsize=256)
def _one_of(values: bytes) -> re.Pattern[bytes]:
    return re.compile(b"[" + re.escape(values) + b"]")
