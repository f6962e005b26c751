"""The pages of a mapped index: what is let go of leaves RSS, and reads as before."""

import hashlib
import sys
from collections import Counter
from pathlib import Path

import pytest

from penstock.cache.index.analyse import AnalysedChunk, FileAnalysis
from penstock.cache.index.assemble import Assembler
from penstock.cache.index.chunk import FileStatus
from penstock.cache.index.segment import FileRow, Segment, open_segment, write_segment
from penstock.cache.index.state import IndexState

FILES = 3000


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    """About 2 MB on disk."""
    assembler = Assembler()
    for number in range(FILES):
        digest = hashlib.sha256(b"%d" % number).digest()[:16]
        tokens = [f"word_{number}_{place}" for place in range(20)]
        row = FileRow(f"{number:05}.py", number, 400, 5, 6, digest, FileStatus.INDEXED, 10, is_racy=False)
        assembler.add(row, FileAnalysis(FileStatus.INDEXED, 10, (AnalysedChunk(1, 10, (), 20, dict(Counter(tokens))),)))
    path = tmp_path / "one.seg"
    sha256, size = write_segment(path, assembler.arrays())
    return open_segment(path, sha256=sha256, size=size)


def resident_bytes(name: str) -> int:
    """Return how much of the file of that name is resident in this process."""
    kilobytes, is_in = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first = line.split(maxsplit=1)[0]
        if not first.endswith(":"):
            is_in = line.endswith(name)
        elif is_in and first == "Rss:":
            kilobytes += int(line.split()[1])
    return kilobytes << 10


def read_all(segment: Segment) -> tuple[list[bytes], int, list[str]]:
    return segment.terms(), int(segment.post_doc.sum()), list(segment.paths())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_released_pages_leave_rss_and_come_back_with_the_same_bytes(segment: Segment) -> None:
    state = IndexState().adopted([segment], 1)
    before = read_all(segment)
    assert resident_bytes("one.seg") > segment.nbytes // 4
    state.release_pages(kept_bytes=segment.nbytes)
    assert resident_bytes("one.seg") > 0, "small maps are kept"
    state.release_pages()
    assert resident_bytes("one.seg") == 0
    assert read_all(segment) == before
