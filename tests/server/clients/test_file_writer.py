"""Files are replaced in one step or not at all; modes and links stay."""

import os
from pathlib import Path

import pytest

from penstock.server.clients.file_writer import check_writable, read_file, remove_folders, replace_file
from penstock.server.clients.refusal import EditRefused


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"{}")
    path.chmod(0o640)
    assert replace_file(path, b"[]", expected=b"{}") == ()
    assert path.read_bytes() == b"[]"
    assert path.stat().st_mode & 0o777 == 0o640
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize(("is_shared", "mode"), [(False, 0o600), (True, 0o644)])
def test_a_new_file_is_private_unless_a_project_shares_it(tmp_path: Path, is_shared: bool, mode: int) -> None:
    path = tmp_path / "x" / "y" / "a.json"
    made = replace_file(path, b"{}", expected=None, is_shared=is_shared)
    assert path.stat().st_mode & 0o777 == mode
    assert made == (tmp_path / "x" / "y", tmp_path / "x")
    replace_file(path, None, expected=b"{}")
    remove_folders(made)
    assert names(tmp_path) == []


def test_a_folder_with_other_files_stays(tmp_path: Path) -> None:
    path = tmp_path / "x" / "a.json"
    made = replace_file(path, b"{}", expected=None)
    (tmp_path / "x" / "other").write_bytes(b"")
    replace_file(path, None, expected=b"{}")
    remove_folders(made)
    assert names(tmp_path / "x") == ["other"]


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_bytes(b"{}")
    link.symlink_to(target)
    replace_file(link, b"[]", expected=b"{}")
    assert link.is_symlink()
    assert target.read_bytes() == b"[]"


def test_a_file_that_is_no_longer_what_was_read_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"{1}")
    for expected in (b"{}", None):
        with pytest.raises(EditRefused):
            replace_file(path, b"[]", expected=expected)
    assert path.read_bytes() == b"{1}"
    assert names(tmp_path) == ["a.json"]


def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"{}")
    path.chmod(0o444)
    with pytest.raises(EditRefused):
        replace_file(path, b"[]", expected=b"{}")
    assert path.read_bytes() == b"{}"
    assert path.stat().st_mode & 0o777 == 0o444


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EditRefused):
        read_file(tmp_path)
    (tmp_path / "file").write_bytes(b"")
    assert read_file(tmp_path / "file" / "below") is None
    with pytest.raises(EditRefused):
        check_writable(tmp_path / "file" / "below")


def test_a_file_too_large_for_a_configuration_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(21 * 1024 * 1024)
    with pytest.raises(EditRefused):
        read_file(path)


def test_a_failing_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    """A folder that appears under the name of the file makes the rename fail."""
    path = tmp_path / ("n" * 250)  # the temporary name is longer than a name can be
    with pytest.raises(EditRefused):
        replace_file(path, b"[]", expected=None)
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_takes_no_files_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    folder.chmod(0o555)
    with pytest.raises(EditRefused):
        replace_file(folder / "a.json", b"{}", expected=None)
    folder.chmod(0o755)
