"""A folder as a descriptor, and as a path where descriptors cannot be listed; both keep to what is really there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.cache.workspace.folder import Folder

Open = Callable[[Path], Folder]


def by_descriptor(path: Path) -> Folder:
    return Folder(os.open(path, os.O_RDONLY), path.stat().st_dev, is_owned=True)


def by_path(path: Path) -> Folder:
    return Folder(str(path), path.stat().st_dev, is_owned=False)


@pytest.fixture(params=[by_descriptor, by_path])
def open_folder(request: pytest.FixtureRequest) -> Open:
    """Either way to hold a folder."""
    return request.param


def test_a_folder_lists_stats_reads_and_descends(open_folder: Open, root: Path) -> None:
    (root / "a").mkdir()
    (root / "a" / "f").write_text("hello")
    with open_folder(root) as folder, folder.child("a") as child:
        with os.scandir(child.at) as entries:
            assert [entry.name for entry in entries] == ["f"]
        assert child.stat("f").st_size == folder.stat("a/f").st_size == 5
        assert child.read("f", 3) == b"hel"
        assert child.device == root.stat().st_dev


def test_links_are_neither_entered_nor_read(open_folder: Open, root: Path, tmp_path: Path) -> None:
    (root / "folder").symlink_to(tmp_path / "project2")
    with open_folder(root) as folder:
        with pytest.raises(OSError, match=r".*"):
            folder.child("folder")
        with pytest.raises(OSError, match=r".*"):
            folder.child("none")
        assert os.path.islink(root / "folder")
        assert folder.stat("folder").st_ino == os.lstat(root / "folder").st_ino


def test_only_regular_files_are_read(open_folder: Open, root: Path) -> None:
    os.mkfifo(root / "fifo")
    (root / "sub").mkdir()
    with open_folder(root) as folder:
        assert [folder.read(name, 10) for name in ("fifo", "sub", "none")] == [b"", b"", b""]


def test_a_linked_ignore_file_is_not_followed(root: Path, tmp_path: Path) -> None:
    """Git does not follow one either."""
    (root / ".gitignore").symlink_to(tmp_path / "outside.txt")
    with by_descriptor(root) as folder:
        assert folder.read(".gitignore", 10) == b""
