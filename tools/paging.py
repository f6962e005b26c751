"""Pages: as many whole lines as the calling client shows, and where the next page begins.

Pure. Clients count characters, UTF-8 bytes, characters of the JSON form (an escaped quote counts twice), lines or tokens; a page
stays within all that the calling one counts.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .call import AnswerLimit

FRAME_CHARS: Final = 600
"""Kept free for the facts line and the last line."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a text: `text` is verbatim, from `first` to `last` (1-based lines)."""

    text: str
    first: int
    last: int
    next_line: int = 0
    """The line to go on with; 0 when the page ends the text."""
    next_char: int = 0
    """Characters of `next_line` that this page already holds: a line too long for one answer."""

    @property
    def is_cut(self) -> bool:
        """Whether the page ends inside a line."""
        return self.next_char > 0


UNCOUNTED: Final = 1 << 40
"""Stands for a size that the client does not count."""


@dataclass(slots=True)
class Room:
    """What is left of an answer, in each of the sizes that clients count."""

    chars: int
    bytes: int
    json_chars: int
    lines: int

    @classmethod
    def of(cls, limit: AnswerLimit, *, frame_chars: int = FRAME_CHARS) -> "Room":
        """Return the room for bodies in an answer of `limit`, `frame_chars` kept free for the lines around them."""
        json_chars = limit.json_chars or UNCOUNTED
        lines = (limit.lines or UNCOUNTED) - (4 if frame_chars else 0)
        return cls(limit.chars - frame_chars, limit.bytes - frame_chars, json_chars - frame_chars, lines)

    def take(self, text: str, lines: int = 1) -> bool:
        """Take the room of `text` if it is there."""
        size = len(text.encode("utf-8", "backslashreplace"))
        escaped = wire_chars(text) if self.json_chars < UNCOUNTED // 2 else 0
        if len(text) > self.chars or size > self.bytes or escaped > self.json_chars or lines > self.lines:
            return False
        self.chars -= len(text)
        self.bytes -= size
        self.json_chars -= escaped
        self.lines -= lines
        return True

    def share(self, text: str, lines: int = 1) -> float:
        """Return how much of `text` there is room for, in the size that is scarcest; 1 or more: all of it."""
        size = len(text.encode("utf-8", "backslashreplace"))
        pairs = ((self.chars, len(text)), (self.bytes, size), (self.json_chars, wire_chars(text)), (self.lines, lines))
        return min(max(0, room) / max(1, needed) for room, needed in pairs)

    def exhaust(self) -> None:
        """Leave no room: what is in the answer already fills it."""
        self.chars = self.bytes = self.json_chars = self.lines = 0

    def copy(self) -> "Room":
        """Return a room of the same size."""
        return replace(self)


def is_surely_within(text: str, tokens: int) -> bool:
    """Say whether the bytes of `text` alone prove it has at most `tokens`: each is a byte or more, but an emoji is several."""
    return len(text) <= tokens and len(text.encode("utf-8", "backslashreplace")) <= tokens


def wire_chars(text: str) -> int:
    """Return the characters of `text` as a JSON string, without its quotes."""
    return len(json.dumps(text, ensure_ascii=False)) - 2


def split_lines(text: str) -> list[str]:
    r"""Split at `\n` alone, each line keeping its end; "" has no lines."""
    lines = text.split("\n")
    ended = [line + "\n" for line in lines[:-1]]
    return [*ended, lines[-1]] if lines[-1] else ended


def page_of(
    lines: Sequence[str],
    limit: AnswerLimit,
    count: Callable[[str], int],
    *,
    first: int = 1,
    start_char: int = 0,
    room: Room | None = None,
) -> Page:
    """Return the longest page of `lines` from its beginning; its first line has number `first`, from `start_char` on.

    A line that no answer can hold is cut by characters.
    A page always holds at least one character, so that paging ends.
    """
    room = room or Room.of(limit)
    while True:
        page = _fill(lines, room.copy(), first, start_char)
        if is_surely_within(page.text, limit.tokens):
            return page
        tokens = count(page.text)
        if tokens <= limit.tokens or len(page.text) <= 1:
            return page
        room = replace(room, chars=max(1, int(len(page.text) * limit.tokens / tokens * 0.95)))


def _fill(lines: Sequence[str], room: Room, first: int, start_char: int) -> Page:
    # What is longer than the room is not even joined: a page of a large file costs a page.
    if sum(map(len, lines)) - start_char <= room.chars:
        whole = "".join(lines)[start_char:]
        if room.copy().take(whole, len(lines)):
            return Page(whole, first, max(first, first + len(lines) - 1))
    taken: list[str] = []
    for at, line in enumerate(lines):
        text = line[start_char:] if at == 0 else line
        if room.take(text):
            taken.append(text)
        elif taken:
            return Page("".join(taken), first, first + at - 1, first + at)
        else:
            piece = _cut(text, room)
            return Page(piece, first, first, first, start_char + len(piece))
    return Page("".join(taken), first, max(first, first + len(lines) - 1))


def _cut(line: str, room: Room) -> str:
    """Return the longest prefix of `line` that there is room for, at least 1 character."""
    low, high = 1, min(len(line), max(1, room.chars))
    while low < high:
        middle = (low + high + 1) // 2
        if room.copy().take(line[:middle]):
            low = middle
        else:
            high = middle - 1
    return line[:low]
