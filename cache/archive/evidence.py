"""Where a fact comes from, and whether that still stands. Pure.

Evidence is a file, or a range of its lines, by hash: no text is copied. A range is found again after edits elsewhere by
looking for a window of lines with the same hash, first by the hash of its first line.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, cast

_SPAN: Final = re.compile(r"(?P<path>.+?):(?P<first>\d+)(?:-(?P<last>\d+))?")
MAX_EVIDENCE: Final = 8


class Standing(Enum):
    """What has become of a piece of evidence."""

    HOLDS = "holds"
    MOVED = "moved"
    CHANGED = "changed"
    GONE = "gone"
    UNREADABLE = "unreadable"
    """The file is there but may not or cannot be read now."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file or a range of it, as it was when the fact was recorded."""

    path: str
    lines: tuple[int, int] | None
    sha256: str
    """Of the whole file's bytes, or of the range's lines joined by a newline, without the last newline."""
    first_line: str = ""
    """First 16 hex digits of the SHA-256 of the range's first line."""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence looked at again."""

    evidence: Evidence
    standing: Standing
    lines: tuple[int, int] | None = None
    """Where the range is now, for HOLDS and MOVED."""

    def __str__(self) -> str:
        was = self.evidence.lines
        place = self.evidence.path + (f":{was[0]}-{was[1]}" if was else "")
        if self.standing is Standing.MOVED and self.lines:
            return f"{place} moved to lines {self.lines[0]}-{self.lines[1]}"
        return f"{place} {self.standing.value}"


def parse_evidence(text: str) -> tuple[str, tuple[int, int] | None]:
    """Read `path`, `path:10` or `path:10-20`.

    Raises:
        ValueError: The range is empty or begins before line 1, or the path is empty.
    """
    text = text.strip()
    match = _SPAN.fullmatch(text)
    if not match:
        if not text:
            raise ValueError("evidence must be path or path:first-last, got an empty text")
        return text, None
    first = int(match["first"])
    last = int(match["last"] or first)
    if not 1 <= first <= last:
        raise ValueError(f"evidence lines must be 1 or more and ascending, got {first}-{last}")
    return match["path"], (first, last)


def evidence_of(path: str, data: bytes, lines: tuple[int, int] | None, *, commit: str = "") -> Evidence:
    """Return the evidence for `lines` of a file with these bytes.

    Raises:
        ValueError: The file has fewer lines.
    """
    if lines is None:
        return Evidence(path, None, hashlib.sha256(data).hexdigest(), commit=commit)
    rows = data.split(b"\n")
    count = len(rows) - (1 if rows[-1] == b"" else 0)
    first, last = lines
    if last > count:
        raise ValueError(f"{path} has {count} lines, evidence asks for {first}-{last}")
    return Evidence(path, lines, _hash_of(rows[first - 1 : last]), _short_hash(rows[first - 1]), commit)


def look_again(evidence: Evidence, data: bytes | None) -> Finding:
    """Compare evidence with the file's bytes now; None when the file is gone. Of several places the nearest counts."""
    if data is None:
        return Finding(evidence, Standing.GONE)
    if evidence.lines is None:
        same = hashlib.sha256(data).hexdigest() == evidence.sha256
        return Finding(evidence, Standing.HOLDS if same else Standing.CHANGED)
    rows = data.split(b"\n")
    first, last = evidence.lines
    size = last - first + 1
    if last <= len(rows) and _hash_of(rows[first - 1 : last]) == evidence.sha256:
        return Finding(evidence, Standing.HOLDS, evidence.lines)
    starts = (at for at in range(len(rows) - size + 1) if _short_hash(rows[at]) == evidence.first_line)
    for at in sorted(starts, key=lambda at: (abs(at + 1 - first), at)):
        if _hash_of(rows[at : at + size]) == evidence.sha256:
            return Finding(evidence, Standing.MOVED, (at + 1, at + size))
    return Finding(evidence, Standing.CHANGED)


def encode_evidence(evidence: Iterable[Evidence]) -> list[dict[str, object]]:
    """Return evidence as JSON objects."""
    encoded: list[dict[str, object]] = []
    for one in evidence:
        value: dict[str, object] = {"path": one.path, "lines": list(one.lines) if one.lines else None, "sha256": one.sha256}
        value |= {"first": one.first_line} if one.first_line else {}
        value |= {"commit": one.commit} if one.commit else {}
        encoded.append(value)
    return encoded


def decode_evidence(value: object) -> tuple[Evidence, ...]:
    """Return the evidence that `encode_evidence` wrote.

    Raises:
        ValueError: The value is something else.
    """
    found: list[Evidence] = []
    try:
        for item in cast("list[dict[str, object]]", value)[:MAX_EVIDENCE]:
            lines = cast("list[int] | None", item["lines"])
            span = (int(lines[0]), int(lines[1])) if lines else None
            found.append(
                Evidence(str(item["path"]), span, str(item["sha256"]), str(item.get("first", "")), str(item.get("commit", "")))
            )
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError("not evidence") from error
    return tuple(found)


def load_evidence(text: str) -> tuple[Evidence, ...]:
    """Return the evidence in a stored JSON text.

    Raises:
        ValueError: The text is something else.
    """
    return decode_evidence(json.loads(text))


def _hash_of(rows: list[bytes]) -> str:
    return hashlib.sha256(b"\n".join(rows)).hexdigest()


def _short_hash(row: bytes) -> str:
    return hashlib.sha256(row).hexdigest()[:16]
