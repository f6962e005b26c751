"""What a build does next."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.index.build import WantedFile
from penstock.cache.index.buildplan import BatchQueue, WantedFiles, with_merged
from penstock.cache.index.chunk import MAX_FILE_BYTES
from penstock.cache.index.manifest import SegmentEntry
from penstock.cache.index.values import IndexLimits

LIMITS = IndexLimits(batch_files=64, batch_bytes=100_000, build_lanes=2)
sizes = st.lists(st.one_of(st.integers(0, 200_000), st.just(MAX_FILE_BYTES + 1)), max_size=300)


def wanted(file_sizes: list[int]) -> WantedFiles:
    return WantedFiles.of([(f"{n:04}.py", (n, size, 0, 0)) for n, size in enumerate(file_sizes)])


@given(sizes)
def test_every_file_is_in_one_batch_in_order_and_batches_are_bounded(file_sizes: list[int]) -> None:
    files, taken = wanted(file_sizes), list[WantedFile]()
    queue = BatchQueue(files, LIMITS)
    while queue:
        batch = queue.take()
        assert 1 <= len(batch) <= 64
        text = [file.stat[1] for file in batch if file.stat[1] <= MAX_FILE_BYTES]
        assert sum(text) <= 100_000 or len(text) == 1
        taken += batch
    assert taken == list(files)


def test_files_that_did_not_fit_come_again_first() -> None:
    queue = BatchQueue(wanted([1] * 100), LIMITS)
    first = queue.take()
    queue.give_back(first[3:])
    assert queue.take() == first[3:]
    assert queue.take()[0].path == "0064.py"


def test_a_long_build_begins_with_small_batches() -> None:
    queue = BatchQueue(wanted([1] * 1_000), LIMITS)
    assert [len(queue.take()) for _ in range(13)] == [2, 2, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 64]


@given(st.lists(st.integers(0, 99), max_size=20), st.data())
def test_choosing_files_twice_is_choosing_once(positions: list[int], data: st.DataObject) -> None:
    files = wanted(list(range(100)))
    once = files.chosen(np.asarray(positions, np.int64))
    assert list(once) == [files[at] for at in positions]
    again = data.draw(st.lists(st.integers(0, len(positions) - 1), max_size=10)) if positions else []
    assert list(once.chosen(np.asarray(again, np.int64))) == [files[positions[at]] for at in again]
    assert once.table().keys.tolist() == [hash(f"{at:04}.py") for at in positions]


@given(st.lists(st.booleans(), min_size=1, max_size=20).filter(any))
def test_a_merged_segment_stands_where_its_newest_source_stood(is_source: list[bool]) -> None:
    entries = [SegmentEntry(str(place), "", 1) for place in range(len(is_source))]
    sources = {entry.name for entry, chosen in zip(entries, is_source, strict=True) if chosen}
    names = [entry.name for entry in with_merged(entries, sources, SegmentEntry("merged", "", 1))]
    newest = max(int(name) for name in sources)
    kept = [entry.name for entry in entries if entry.name not in sources]
    assert names == [name for name in kept if int(name) < newest] + ["merged"] + [name for name in kept if int(name) > newest]
