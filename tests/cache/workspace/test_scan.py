import os
from collections.abc import Callable
from pathlib import Path

from penstock.cache.deadline import UNBOUNDED, Deadline
from penstock.cache.workspace.collector import WalkCollector
from penstock.cache.workspace.folder import Folder
from penstock.cache.workspace.ignore import IgnoreRules
from penstock.cache.workspace.scan import FolderScan
from penstock.cache.workspace.secrets import SecretRule
from penstock.cache.workspace.values import WorkspaceLimits


def scan(
    folder: Folder, *, is_kernel_device: Callable[[int], bool] = lambda device: False, max_names: int = 100
) -> WalkCollector:
    collector = WalkCollector(SecretRule(), WorkspaceLimits(), lambda: 0.0, Deadline(UNBOUNDED))
    FolderScan(collector, "", max_depth=64, max_names=max_names, is_kernel_device=is_kernel_device).scan(
        folder, "", IgnoreRules()
    )
    return collector


def folder_of(path: Path) -> Folder:
    return Folder(os.open(path, os.O_RDONLY), path.stat().st_dev, is_owned=True)


class BrokenFolder(Folder):
    """Says it cannot be entered."""

    def child(self, name: str) -> Folder:
        raise PermissionError(name)


def test_kernel_file_systems_below_are_passed_over(root: Path) -> None:
    (root / "a").mkdir()
    (root / "a" / "f").touch()
    (root / "g").touch()
    with folder_of(root) as folder:
        found = scan(folder, is_kernel_device=lambda device: True)
    assert [file.rel for file in found.table] == ["g"]
    assert found.skipped == {"kernel file system": 1}
    assert found.is_complete


def test_a_folder_that_cannot_be_entered_makes_the_scan_incomplete(root: Path) -> None:
    (root / "a").mkdir()
    (root / "g").touch()
    with BrokenFolder(os.open(root, os.O_RDONLY), 0, is_owned=True) as folder:
        found = scan(folder)
    assert ([file.rel for file in found.table], found.is_complete) == (["g"], False)
    assert found.skipped == {"unreadable": 1}


def test_more_folders_than_can_be_remembered_stop_the_scan(root: Path) -> None:
    for number in range(12):
        (root / f"d{number}").mkdir()
    with folder_of(root) as folder:
        found = scan(folder, max_names=10)
    assert not found.is_complete
