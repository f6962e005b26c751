"""What a build does next: which files make a segment, which segments are merged. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .build import WantedFile
from .chunk import MAX_FILE_BYTES
from .manifest import SegmentEntry
from .values import IndexLimits

MERGE_BYTES: Final = 96_000_000
"""Size of the largest segment that merging makes: about 8 million postings, 320 MB in the worker."""
DEAD_RATIO: Final = 0.25
"""With more dead files than that a segment is written anew."""


@dataclass(frozen=True, slots=True)
class LiveSegmentEntry:
    """A segment of the manifest, with the mask of its live files."""

    entry: SegmentEntry
    mask: bytes
    dead_ratio: float


def plan_batch(files: Sequence[WantedFile], limits: IndexLimits, *, is_halved: bool = False) -> list[WantedFile]:
    """Take the files of the next segment: bounded in number and in bytes of text."""
    share = 2 if is_halved else 1
    batch: list[WantedFile] = []
    nbytes = 0
    for file in files:
        size = file.stat[1] if file.stat[1] <= MAX_FILE_BYTES else 0
        if batch and (len(batch) >= limits.batch_files // share or nbytes + size > limits.batch_bytes // share):
            break
        batch.append(file)
        nbytes += size
    return batch


def plan_merge(entries: Sequence[LiveSegmentEntry], max_segments: int) -> list[LiveSegmentEntry]:
    """Choose segments to merge: the smallest that fit together, if there are several small ones or much is dead.

    Order is kept. Each file is live in one segment only, so the masks make the merged one right whatever its place.
    """
    is_wasteful = any(entry.dead_ratio > DEAD_RATIO for entry in entries)
    small = sum(entry.entry.size < MERGE_BYTES // 4 for entry in entries)
    if not is_wasteful and len(entries) <= max_segments and small < 2:
        return []
    chosen: set[str] = set()
    room = MERGE_BYTES
    for entry in sorted(entries, key=lambda one: one.entry.size):
        if entry.entry.size > room:
            break
        room -= entry.entry.size
        chosen.add(entry.entry.name)
    picked = [entry for entry in entries if entry.entry.name in chosen]
    return picked if len(picked) > 1 or any(entry.dead_ratio > DEAD_RATIO for entry in picked) else []
