"""Unified diffs, as git, diff and patch tools write them. Pure.

File headers say what changed and go first, then hunk headers, then the changed lines; the unchanged lines around them last.
Every file keeps its first changed lines before any keeps all of them. Lines inside a hunk are counted by its header, so that a
removed line that begins with `-- ` is never taken for a file header.
"""

import re
from dataclasses import dataclass
from typing import Final

from .filter import Document, Rank, Scores

_HUNK: Final = re.compile(r"@@+ -\d+(?:,(\d+))? (?:-\d+(?:,\d+)? )*\+\d+(?:,(\d+))? @@")
_GENERATED: Final = re.compile(
    r"diff --git .*(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|Cargo\.lock|go\.sum"
    r"|\.min\.(?:js|css)|\.map|\.snap)\b"
)
_HEADER: Final = re.compile(
    r"(diff --(?:git|cc|combined) |Index: |diff -\S* |Only in |Binary files )|( \d+ files? changed)|( \S.* \| +(?:\d+|Bin))"
    r"|(index [0-9a-f]+(?:\.\.|,)|old mode|new mode|similarity index|dissimilarity|--- |={20,}$|$)"
    r"|(\+\+\+ |rename |copy |deleted file|new file)"
)
_HEADER_RANKS: Final = (Rank.CONTEXT, Rank.LAST, Rank.SUMMARY, Rank.REPEAT, Rank.NOISE, Rank.DETAIL)
"""By the group that matches; the first for none."""
_FIRST_CHANGES: Final = 6
"""Changed lines of each file that are kept before the others."""


@dataclass(slots=True)
class _Place:
    """Where in a diff the next line is."""

    old: int = 0
    new: int = 0
    """Lines of either side that the hunk still has."""
    changes: int = 0
    """Changed lines of this file so far."""
    is_generated: bool = False
    files: int = 0
    added: int = 0
    removed: int = 0

    def rank(self, line: str) -> Rank:
        first = line[:1]
        if (self.old > 0 or self.new > 0) and first in ("+", "-", " ", ""):
            return self._rank_in_hunk(first, line)
        if first == "\\":
            return Rank.NOISE
        hunk = _HUNK.match(line) if first == "@" else None
        if hunk:
            self.old, self.new = int(hunk[1] or 1), int(hunk[2] or 1)
            return Rank.PLAIN if self.is_generated else Rank.REPEAT
        self.old = self.new = 0
        return self._rank_of_header(line)

    def _rank_in_hunk(self, first: str, line: str) -> Rank:
        if first == "+":
            self.new -= 1
            self.added += 1
        elif first == "-":
            self.old -= 1
            self.removed += 1
        else:
            self.old -= 1
            self.new -= 1
            return Rank.NOISE if not line or line.isspace() else Rank.PLAIN
        self.changes += 1
        if self.is_generated:
            return Rank.PLAIN
        if not line[1:].strip():
            return Rank.CONTEXT
        return Rank.DETAIL if self.changes <= _FIRST_CHANGES else Rank.CONTEXT

    def _rank_of_header(self, line: str) -> Rank:
        if line.startswith(("  ", "++")) and not line.startswith("+++ "):
            return Rank.CONTEXT  # no header begins so: a line of a hunk whose header is not there
        found = _HEADER.match(line)
        rank = _HEADER_RANKS[(found.lastindex or 0) if found else 0]
        if rank == Rank.LAST:
            self.changes = 0
            self.files += 1
            self.is_generated = _GENERATED.match(line) is not None
        elif line.startswith("--- "):
            self.changes = 0
        return rank


def score_diff(document: Document) -> Scores:
    """Rank the lines of a diff."""
    scores = Scores(bytearray(len(document)))
    rank_diff(document, scores, 0)
    return scores


def rank_diff(document: Document, scores: Scores, start: int) -> None:
    """Rank the lines from `start` on, which are a diff, in `scores`."""
    place = _Place()
    rank = place.rank
    lines = document.ruled
    for number in range(start, len(lines)):
        scores.ranks[number] = rank(lines[number])
    if place.files > 1:
        scores.derived.append(f"{place.files:,} files, +{place.added:,} −{place.removed:,} lines")
