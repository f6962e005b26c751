"""The freshness rule: what is served was on disk during the call."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.content import RACY_NS, REHASH_BYTES, ContentAccessor, is_trusted
from penstock.cache.deadline import Deadline
from penstock.cache.entry import CacheEntry
from penstock.cache.errors import PathNotFound
from penstock.cache.ledger import Ledger
from penstock.cache.session import SessionCache
from penstock.cache.workspace.files import Workspace
from penstock.cache.workspace.values import FileKey, FileStat, SourceFile
from tests.cache.files import source

LATER = 10 * RACY_NS


class Disk:
    """One file whose bytes and stat can be set apart from each other."""

    def __init__(self, data: bytes, *, mtime_ns: int = 1) -> None:
        self.file = source("a", data, mtime_ns=mtime_ns)
        self.reads = 0

    def write(self, data: bytes, *, mtime_ns: int = 1, is_changing: bool = False) -> None:
        self.file = source("a", data, mtime_ns=mtime_ns, is_changing=is_changing)

    def read(self, path: str, *, deadline: Deadline) -> SourceFile:
        self.reads += 1
        return self.file

    def stat(self, path: str) -> tuple[str, FileKey, FileStat]:
        return self.file.rel, self.file.key, self.file.stat


def accessor(disk: Disk, *, now_ns: int = LATER) -> tuple[ContentAccessor, SessionCache]:
    session = SessionCache(Ledger(64 << 20))
    return ContentAccessor(disk, session, wall_ns=lambda: now_ns), session


def test_a_small_file_is_read_and_hashed_in_every_call() -> None:
    """Same size, same times, other bytes: no stat can tell."""
    disk = Disk(b"one")
    content, _ = accessor(disk)
    assert content.fetch("a", deadline=Deadline(1)).data == b"one"
    disk.write(b"two")
    found = content.fetch("a", deadline=Deadline(1))
    assert (found.data, found.was_cached) == (b"two", False)
    assert content.fetch("a", deadline=Deadline(1)).was_cached
    assert disk.reads == 3


def test_a_large_old_file_is_trusted_by_its_stat() -> None:
    disk = Disk(b"x" * (REHASH_BYTES + 1))
    content, _ = accessor(disk)
    first = content.fetch("a", deadline=Deadline(1))
    again = content.fetch("a", deadline=Deadline(1))
    assert (again.data, again.was_cached) == (first.data, True)
    assert disk.reads == 1
    assert content.statistics().trusted == 1


def test_fresh_reads_whatever_the_cache_knows() -> None:
    disk = Disk(b"x" * (REHASH_BYTES + 1))
    content, _ = accessor(disk)
    content.fetch("a", deadline=Deadline(1))
    content.fetch("a", fresh=True, deadline=Deadline(1))
    assert disk.reads == 2


@pytest.mark.parametrize("age_ns", [0, RACY_NS])
def test_a_large_file_inside_the_racy_window_is_read_again(age_ns: int) -> None:
    disk = Disk(b"x" * (REHASH_BYTES + 1), mtime_ns=LATER - age_ns)
    content, _ = accessor(disk)
    content.fetch("a", deadline=Deadline(1))
    disk.write(b"y" * (REHASH_BYTES + 1), mtime_ns=LATER - age_ns)
    assert content.fetch("a", deadline=Deadline(1)).data[:1] == b"y"


def test_a_changing_file_is_served_and_not_cached() -> None:
    disk = Disk(b"one")
    content, session = accessor(disk)
    disk.write(b"half", is_changing=True)
    found = content.fetch("a", deadline=Deadline(1))
    assert (found.data, found.is_changing, found.is_kept) == (b"half", True, False)
    assert session.statistics().entries == 0
    assert content.statistics().changing == 1


stats = st.builds(
    FileStat,
    dev=st.integers(1, 2),
    ino=st.integers(1, 2),
    size=st.integers(1, 2),
    mtime_ns=st.integers(1, 2),
    ctime_ns=st.sampled_from([1, 2, LATER]),
    mode=st.just(0o100644),
)


@given(stats, stats)
def test_trust_needs_every_field_equal_and_old(before: FileStat, now: FileStat) -> None:
    entry = CacheEntry("a", FileKey(1, 1, "a"), before, b"", "", read_at_ns=LATER)
    if is_trusted(entry, now):
        assert before == now
        assert max(now.mtime_ns, now.ctime_ns) + RACY_NS < LATER


def test_a_real_workspace_is_never_stale(tmp_path: Path) -> None:
    """The ways in which editors and tools change files, each with the times put back."""
    (tmp_path / "a").write_bytes(b"one")
    ledger = Ledger(1 << 20)
    workspace = Workspace([tmp_path], ledger=ledger)
    content = ContentAccessor(workspace, SessionCache(ledger))
    try:
        assert content.fetch("a", deadline=Deadline(9)).data == b"one"
        times = (tmp_path / "a").stat()
        (tmp_path / "a").write_bytes(b"two")
        os.utime(tmp_path / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
        assert content.fetch("a", deadline=Deadline(9)).data == b"two"
        (tmp_path / "b").write_bytes(b"six")
        os.utime(tmp_path / "b", ns=(times.st_atime_ns, times.st_mtime_ns))
        (tmp_path / "b").replace(tmp_path / "a")
        assert content.fetch("a", deadline=Deadline(9)).data == b"six"
        (tmp_path / "c").write_bytes(b"ten")
        (tmp_path / "a").unlink()
        (tmp_path / "a").symlink_to("c")
        assert content.fetch("a", deadline=Deadline(9)).data == b"ten"
        (tmp_path / "c").unlink()
        with pytest.raises(PathNotFound):
            content.fetch("a", deadline=Deadline(9))
    finally:
        workspace.close()
