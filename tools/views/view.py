r"""The value that every view returns, lines and line ranges, and the marks that stand for what a view leaves out.

Pure: text in, text out. A line ends with `\n` and with nothing else, so that `lines=12-40` means the same for every reader.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

TokenCount = Callable[[str], int]
"""Counts the tokens of a text; exact enough to keep a budget by."""
LineRange = tuple[int, int]
"""First and last line, 1-based, both included."""

_DOTS: Final = ("… ", "... ")
_MAX_QUOTING: Final = 16
_BEFORE_MARK: Final = re.compile(rf"[\r\n][ \t\d>+|:#/*→-]{{0,{_MAX_QUOTING}}}\Z")
"""What may stand before a mark on its line: what quoting, a diff or line numbers put there."""
_MARK: Final = re.compile(
    r"(?:…|\.\.\.) \d[\d,]* (?:more )?(?:lines?|entries|definitions|comments?) \([^\r\n]*\) (?:…|\.\.\.)[ \t]*(?=[\r\n]|\Z)"
)
MARKS_WITHIN: Final = "the text itself holds lines like the marks of this view"


@dataclass(frozen=True, slots=True)
class View:
    """A way to show one text, and what is true about it."""

    name: str
    """`full`, `lines`, `outline`, …"""
    body: str
    kept: tuple[LineRange, ...]
    """Ranges of the source that the body shows or summarises line by line; ascending, disjoint."""
    total_lines: int
    is_lossy: bool
    notes: tuple[str, ...] = field(default_factory=tuple)
    """Facts for the first line of the answer, beside path, view and counts."""
    rest: str = ""
    """How to get what is left out: `view=lines`, `lines=144-`."""

    @property
    def kept_lines(self) -> int:
        """Number of source lines covered."""
        return sum(last - first + 1 for first, last in self.kept)

    @property
    def omitted(self) -> tuple[LineRange, ...]:
        """Ranges of the source that the body does not cover."""
        return gaps_of(self.kept, self.total_lines)

    @property
    def facts(self) -> tuple[str, ...]:
        """The view's part of the first line: name, `lossy`, kept of total lines, notes."""
        lines = (
            f"{self.kept_lines:,} of {self.total_lines:,} lines"
            if self.kept_lines != self.total_lines
            else f"{self.total_lines:,} lines"
        )
        return (self.name, *(("lossy",) if self.is_lossy else ()), lines, *self.notes)


def split_lines(text: str) -> list[str]:
    r"""Cut `text` after every `\n`; joining gives it back."""
    parts = text.split("\n")
    lines = [part + "\n" for part in parts[:-1]]
    if parts[-1]:
        lines.append(parts[-1])
    return lines


def ranges_of(numbers: Iterable[int]) -> tuple[LineRange, ...]:
    """Join ascending line numbers into ranges."""
    out: list[LineRange] = []
    for number in numbers:
        if out and number <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], number))
        else:
            out.append((number, number))
    return tuple(out)


def merge_ranges(ranges: Iterable[LineRange]) -> tuple[LineRange, ...]:
    """Sort ranges and join those that touch."""
    out: list[LineRange] = []
    for first, last in sorted(ranges):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return tuple(out)


def gaps_of(kept: Sequence[LineRange], total: int) -> tuple[LineRange, ...]:
    """Return what is missing between ascending `kept` ranges and in front of and behind them."""
    out: list[LineRange] = []
    at = 1
    for first, last in kept:
        if first > at:
            out.append((at, first - 1))
        at = last + 1
    if at <= total:
        out.append((at, total))
    return tuple(out)


def format_range(lines: LineRange) -> str:
    """Write a range as `lines=` takes it."""
    return f"{lines[0]}-{lines[1]}"


def gap_mark(lines: LineRange) -> str:
    """Return the line that stands for omitted lines: `… 12 lines (41-52) …`."""
    count = lines[1] - lines[0] + 1
    return f"… {count:,} line{'s' if count != 1 else ''} ({format_range(lines)}) …\n"


def has_marks(text: str) -> bool:
    """Say whether `text` holds our marks of omission: it is a view, and must never be treated as a file.

    Marks are known with other line ends too, with three dots for the ellipsis, and behind what quoting puts before a line.
    """
    return any(_is_mark(text, at, len(dots)) for dots in _DOTS for at in _found(text, dots))


def _found(text: str, dots: str) -> Iterator[int]:
    at = text.find(dots)
    while at >= 0:
        yield at
        at = text.find(dots, at + 1)


def _is_mark(text: str, at: int, width: int) -> bool:
    """Say whether the dots at `at` begin a mark; searching for them is 20 times faster than a pattern for the whole line."""
    if not text[at + width : at + width + 1].isdigit():
        return False
    before = text[max(0, at - _MAX_QUOTING - 1) : at]
    is_first = at <= _MAX_QUOTING
    return _BEFORE_MARK.search("\n" + before if is_first else before) is not None and _MARK.match(text, at) is not None


def render_kept(lines: Sequence[str], kept: Sequence[LineRange]) -> str:
    """Lay out the kept lines verbatim with a mark for every gap."""
    return "".join(_pieces(lines, kept))


def _pieces(lines: Sequence[str], kept: Sequence[LineRange]) -> Iterator[str]:
    at = 1
    for first, last in kept:
        if first > at:
            yield gap_mark((at, first - 1))
        yield from lines[first - 1 : last]
        at = last + 1
    if at <= len(lines):
        # A kept last line always ends with a newline here: only the file's very last line can lack one.
        yield gap_mark((at, len(lines)))


def is_worth_it(view: View, text: str, count: TokenCount) -> bool:
    """Say whether a lossy view is smaller than the raw text, in characters and tokens; if not, show the text in full."""
    return not view.is_lossy or (len(view.body) < len(text) and count(view.body) < count(text))
