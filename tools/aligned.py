"""Answers of several files, laid out for providers' prompt caches: which come first, and where a cached prefix may end.

A file that changed while this process served it is likely to change again: it comes after those that did not. Within both
groups the order is that of the paths, so the order of the question never shows in the bytes, apart from each part's own
`asked 2 of 3`, which depends on nothing but the question.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..cache.alignment import Breakpoint, CacheBlock, align, order_blocks, plan_breakpoints
from ..cache.errors import PenstockError
from ..cache.tokens import TokenCounter
from ..cache.workspace.names import printable
from ..cache.workspace.values import FileStat
from .answer import Answer, JsonValue, Part, clean_text

ALIGNMENT_KEY: Final = "penstock/alignment"
REMEMBERED: Final = 4096
"""Files whose last version is remembered, about 1 MB when full."""
StatOf = Callable[[str], tuple[str, FileStat]]
"""Returns the display path and the stat of a path; raises a `PenstockError` for what cannot be read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One path of a question, at its place in the answer."""

    path: str
    position: int
    """Place in the question, from 1."""
    is_stable: bool
    """Whether the file can be read and is not known to change."""


@dataclass(frozen=True, slots=True)
class OrderStatistics:
    """What is remembered of the files served."""

    remembered: int
    changed: int


@dataclass(slots=True)
class _Seen:
    sha256: str
    stat: FileStat
    has_changed: bool = False


class ReadOrder:
    """Remembers which files changed between their deliveries. Thread-safe, bounded."""

    def __init__(self, stat_of: StatOf, size: int = REMEMBERED) -> None:
        self._stat_of = stat_of
        self._size = size
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<ReadOrder {len(self._seen)} files>"

    def plan(self, paths: Sequence[str]) -> tuple[Asked, ...]:
        """Return the paths, which are distinct, in the order of the answer. What cannot be read comes last."""
        blocks = [CacheBlock(path, "", is_stable=self._is_stable(path), priority=0, tokens=0) for path in paths]
        positions = {path: place for place, path in enumerate(paths, 1)}
        return tuple(Asked(block.id, positions[block.id], block.is_stable) for block in order_blocks(blocks))

    def note(self, rel: str, sha256: str, stat: FileStat) -> None:
        """Note a version that is delivered."""
        with self._lock:
            seen = self._seen.pop(rel, None) or _Seen(sha256, stat)
            self._seen[rel] = _Seen(sha256, stat, seen.has_changed or seen.sha256 != sha256)
            while len(self._seen) > self._size:
                self._seen.popitem(last=False)

    def statistics(self) -> OrderStatistics:
        """Return the counts at this moment."""
        with self._lock:
            return OrderStatistics(len(self._seen), sum(seen.has_changed for seen in self._seen.values()))

    def _is_stable(self, path: str) -> bool:
        try:
            rel, stat = self._stat_of(path)
        except PenstockError:
            return False
        with self._lock:
            seen = self._seen.get(rel)
        return seen is None or (not seen.has_changed and seen.stat == stat)


def continuation(rest: Sequence[Asked], most_chars: int) -> str:
    """Return the line that asks for the paths that are left; those that would make it too long are counted."""
    listed: list[str] = []
    size = 0
    for one in rest:
        quoted = f'"{printable(one.path)}"'
        size += len(quoted) + 2
        if listed and size > most_chars:
            break
        listed.append(quoted)
    more = len(rest) - len(listed)
    return f"next path=[{', '.join(listed)}]" + (f" and then the {more} asked paths that follow" if more else "")


def with_alignment(answer: Answer, parts: Sequence[Part], stable: int, counter: TokenCounter) -> Mapping[str, JsonValue]:
    """Return the `_meta` entry for an answer of `parts`, of which the first `stable` are not known to change."""
    starts = [_start(entry, part) for entry, part in zip(answer.parts, parts, strict=True)]
    edges = [*starts, len(answer.text)]
    pieces = [(part.path, answer.text[edges[at] : edges[at + 1]]) for at, part in enumerate(parts[:stable])]
    return {ALIGNMENT_KEY: alignment_value(stable, plan_breakpoints(pieces, counter))}


def alignment_value(stable: int, breakpoints: Sequence[Breakpoint]) -> Mapping[str, JsonValue]:
    """Return what machines are told: the number of stable parts, and where a cached prefix may end."""
    places = [{"offset": one.offset, "tokens": one.tokens, "block": clean_text(one.block)} for one in breakpoints]
    return {"stable": stable, "breakpoints": places}


def aligned_answer(blocks: Sequence[CacheBlock], counter: TokenCounter) -> Answer:
    """Return an answer of blocks in cache order, and for machines where a cached prefix of it may end.

    Raises:
        ValueError: Two blocks have the same id.
    """
    aligned = align([replace(block, content=clean_text(block.content)) for block in blocks], counter)
    stable = sum(block.is_stable for block in blocks)
    return Answer(aligned.text, meta={ALIGNMENT_KEY: alignment_value(stable, aligned.breakpoints)})


def _start(entry: Mapping[str, JsonValue], part: Part) -> int:
    """Where the facts line of a part begins in the text."""
    body = entry["body"]
    assert isinstance(body, Sequence)
    assert isinstance(body[0], int)
    return body[0] - len(clean_text(part.facts)) - 1
