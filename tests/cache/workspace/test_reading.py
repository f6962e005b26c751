"""What comes counts, not what a file claims: growing files, files of procfs, descriptors that fail."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.cache.deadline import UNBOUNDED, Deadline
from penstock.cache.errors import AccessDenied, FileTooLarge
from penstock.cache.ledger import Ledger
from penstock.cache.workspace.files import Workspace
from penstock.cache.workspace.jail import Jail
from penstock.cache.workspace.reading import FileReader, WallClock, read_at
from penstock.cache.workspace.secrets import SecretRule
from penstock.cache.workspace.values import SourceFile, WorkspaceLimits

ONE_MB = 1 << 20


def read_after(workspace: Workspace, path: str, change: Callable[[], object], cap: int = 10 * ONE_MB) -> SourceFile:
    """Open, let something happen, then read."""
    ledger = Ledger(1 << 28)
    reader = FileReader(ledger, WorkspaceLimits(max_file_bytes=cap), SecretRule(), WallClock(lambda: 0))
    with workspace.jail.open_file(path) as opened:
        change()
        source = reader.read(opened, Deadline(UNBOUNDED))
    assert ledger.used_bytes == 0
    return source


def test_a_file_that_grew_since_it_was_opened_is_read_to_its_end(workspace: Workspace, root: Path) -> None:
    (root / "f").write_bytes(b"x")
    data = os.urandom(3 * ONE_MB + 5)
    assert read_after(workspace, "f", lambda: (root / "f").write_bytes(data)).data == data


def test_a_file_that_grows_past_the_cap_is_refused(workspace: Workspace, root: Path) -> None:
    (root / "f").write_bytes(b"x")
    with pytest.raises(FileTooLarge):
        read_after(workspace, "f", lambda: (root / "f").write_bytes(b"y" * 3 * ONE_MB), cap=2 * ONE_MB)
    (root / "f").write_bytes(b"x")
    assert len(read_after(workspace, "f", lambda: (root / "f").write_bytes(b"y" * ONE_MB), cap=ONE_MB).data) == ONE_MB


def test_a_file_that_shrank_since_it_was_opened_is_read_as_it_is(workspace: Workspace, root: Path) -> None:
    (root / "f").write_bytes(b"x" * 1000)
    assert read_after(workspace, "f", lambda: os.truncate(root / "f", 3)).data == b"xxx"


def test_a_file_that_is_replaced_since_it_was_opened_is_the_one_that_was_opened(workspace: Workspace, root: Path) -> None:
    (root / "f").write_text("old")
    (root / "new").write_text("new!")
    source = read_after(workspace, "f", lambda: os.replace(root / "new", root / "f"))
    assert source.data == b"old"
    assert workspace.read("f").data == b"new!"


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs procfs")
def test_a_file_that_claims_to_be_empty_and_comes_in_small_pieces_is_read_whole() -> None:
    jail = Jail([Path("/proc/self")], kernel_devices=frozenset())
    reader = FileReader(Ledger(1 << 28), WorkspaceLimits(), SecretRule(), WallClock(lambda: 0))
    with jail.open_file("smaps") as opened:
        assert opened.stat.size == 0
        assert len(reader.read(opened, Deadline(UNBOUNDED)).data) > 8192
    jail.close()


def test_a_read_that_fails_denies(workspace: Workspace, root: Path) -> None:
    with workspace.jail.open_directory(".") as opened, pytest.raises(AccessDenied):
        read_at(opened, 0, 10)
