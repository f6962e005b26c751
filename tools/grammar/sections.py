"""Pure: from starts of sections, each with a level, to nested definitions that reach to the next section of their level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .definition import Definition
from .spans import LineMap, clip

MAX_ENTRIES: Final = 5_000
MIN_ENTRIES: Final = 40
"""However short the file, this many entries may be shown before deeper levels are left out."""


@dataclass(frozen=True, slots=True)
class SectionStart:
    """Where a section begins; it ends before the next one of the same or a lower level."""

    line: int
    level: int
    kind: str
    name: str
    signature: str
    doc: str = ""
    last_line: int | None = None
    """Where it ends, if that is known from the text itself."""
    is_public: bool = True


def nest(starts: Sequence[SectionStart], lines: LineMap) -> tuple[Definition, ...]:
    """Give every start its end and its parents."""
    ends = [lines.count] * len(starts)
    stack: list[int] = []
    enclosing: list[tuple[int, str | None]] = []
    for index, start in enumerate(starts):
        while stack and starts[stack[-1]].level >= start.level:
            ends[stack.pop()] = max(start.line - 1, 1)
        parent = ".".join(starts[at].name for at in stack[-3:]) if stack else None
        enclosing.append((len(stack), clip(parent, 300) if parent else None))
        stack.append(index)
    out: list[Definition] = []
    for start, end, (depth, parent) in zip(starts, ends, enclosing, strict=True):
        last = start.last_line if start.last_line is not None else end
        while last > start.line and not lines.line(last).strip():
            last -= 1
        out.append(
            Definition(
                start.kind,
                start.name,
                start.line,
                max(start.line, last),
                start.signature,
                start.doc,
                depth,
                parent,
                start.is_public,
            )
        )
    return tuple(out)


def shallow(starts: Sequence[SectionStart], total_lines: int) -> tuple[list[SectionStart], int]:
    """Leave out the deepest levels until a sixth of the lines are named at most; also return how many were left out."""
    room = max(MIN_ENTRIES, total_lines // 6)
    levels = sorted({start.level for start in starts}, reverse=True)
    kept = list(starts)
    for level in levels[:-1]:
        if len(kept) <= room:
            break
        kept = [start for start in kept if start.level < level]
    kept = kept[:MAX_ENTRIES]
    return kept, len(starts) - len(kept)
