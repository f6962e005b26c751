"""The last check of an answer against what its client shows: what is too much is kept, and named as the next call.

Tools keep to the limit by themselves where they know how to go on. This catches the rest: an explicit budget above what the
client shows, text of many bytes a token, labels longer than foreseen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from .answer import Answer, JsonValue
from .call import AnswerLimit
from .paging import Room, is_surely_within, page_of, split_lines

MARK_CHARS: Final = 200
"""Room for the last line of an answer that was cut."""
Keep = Callable[[str], str]
"""Keeps a text and returns its handle."""


def fits(text: str, limit: AnswerLimit, count: Callable[[str], int]) -> bool:
    """Say whether the client shows `text` whole."""
    if not Room.of(limit, frame_chars=0).take(text, text.count("\n") + 1):
        return False
    return is_surely_within(text, limit.tokens) or count(text) <= limit.tokens


def fitted(answer: Answer, limit: AnswerLimit, count: Callable[[str], int], keep: Keep) -> Answer:
    """Return `answer` as it is, or its first lines and the call that brings the others."""
    if fits(answer.text, limit, count):
        return answer
    lines = split_lines(answer.text)
    inner = replace(limit, tokens=max(1, limit.tokens - MARK_CHARS))
    page = page_of(lines, inner, count, room=Room.of(limit, frame_chars=MARK_CHARS))
    shown = page.text if page.text.endswith("\n") else page.text + "\n"
    handle = keep(answer.text)
    mark = f"cut to what this client shows, {page.last:,} of {len(lines):,} lines · next restore handle={handle} lines="
    text = f"{shown}{mark}{page.next_line}-"
    return replace(answer, text=text, parts=_cut_parts(answer.parts, len(page.text)), frame=None, meta={})


def _cut_parts(parts: Sequence[Mapping[str, JsonValue]], end: int) -> tuple[Mapping[str, JsonValue], ...]:
    """Return the parts whose bodies begin before `end`; one that goes on behind it is lossy now, and proves nothing."""
    kept: list[Mapping[str, JsonValue]] = []
    for part in parts:
        first, last = cast("Sequence[int]", part["body"])
        if last <= end:
            kept.append(part)
        elif first < end:
            cut = {key: value for key, value in part.items() if key not in ("receipt", "lines")}
            kept.append({**cut, "body": [first, end], "lossy": True})
    return tuple(kept)
