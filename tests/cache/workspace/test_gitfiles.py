import os
import subprocess
from pathlib import Path

import pytest

from penstock.cache.deadline import UNBOUNDED, Deadline
from penstock.cache.errors import CallCancelled, OutsideWorkspace, SecretDenied
from penstock.cache.workspace.files import Workspace
from penstock.cache.workspace.gitfiles import GitFiles, is_work_tree


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words],
        cwd=folder,
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )


@pytest.fixture
def repository(root: Path) -> Path:
    """A work tree with one commit and changes on top of it."""
    (root / "sub").mkdir()
    for name in ("a.txt", "sub/b.txt", ".env", "key.txt"):
        (root / name).write_text(f"old {name}")
    (root / "key.txt").write_text("-----BEGIN PRIVATE KEY-----\n" + "A" * 64 + "\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "x")
    (root / "a.txt").write_text("new")
    return root


def test_a_committed_version_is_read_without_the_work_tree(repository: Path, workspace: Workspace) -> None:
    assert workspace.committed("a.txt") == b"old a.txt"
    assert workspace.committed("sub/../sub/b.txt") == b"old sub/b.txt"
    for path in ("none.txt", "sub", ".", "-x", "a.txt:b", "--help"):
        assert workspace.committed(path) is None


def test_committed_secrets_and_paths_outside_are_refused(repository: Path, workspace: Workspace) -> None:
    (repository / "key.txt").write_text("harmless now")
    for path in (".env", "key.txt", "SUB/../.ENV"):
        with pytest.raises(SecretDenied):
            workspace.committed(path)
    with pytest.raises(OutsideWorkspace):
        workspace.committed("../x")


def test_a_committed_version_above_the_cap_is_not_returned(repository: Path) -> None:
    lister = GitFiles.find([repository])
    assert lister.committed(str(repository), "a.txt", max_bytes=9) == b"old a.txt"
    assert lister.committed(str(repository), "a.txt", max_bytes=8) is None


@pytest.mark.parametrize("setting", ["core.fsmonitor", "diff.external", "core.pager", "core.sshCommand", "filter.x.smudge"])
def test_reading_a_committed_version_runs_nothing(repository: Path, workspace: Workspace, tmp_path: Path, setting: str) -> None:
    marker = tmp_path / "executed"
    (tmp_path / "evil").write_text(f"#!/bin/sh\ntouch {marker}\n")
    (tmp_path / "evil").chmod(0o755)
    (repository / ".gitattributes").write_text("* filter=x diff=x\n")
    git(repository, "config", setting, str(tmp_path / "evil"))
    git(repository, "config", "diff.x.textconv", str(tmp_path / "evil"))
    marker.unlink(missing_ok=True)
    assert workspace.committed("a.txt") == b"old a.txt"
    assert not marker.exists()


def test_a_missing_object_of_a_partial_clone_is_not_fetched(repository: Path, workspace: Workspace, tmp_path: Path) -> None:
    """A promisor remote with a transport of the repository's own choice would run it."""
    marker = tmp_path / "executed"
    words = ["git", "rev-parse", "HEAD:a.txt"]
    blob = subprocess.run(words, cwd=repository, check=True, capture_output=True, text=True).stdout.strip()
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    for key, value in (
        ("remote.evil.url", f"ext::sh -c touch% {marker}"),
        ("remote.evil.promisor", "true"),
        ("remote.evil.partialclonefilter", "blob:none"),
        ("extensions.partialClone", "evil"),
        ("core.repositoryformatversion", "1"),
        ("protocol.ext.allow", "always"),
    ):
        git(repository, "config", key, value)
    assert workspace.committed("a.txt") is None
    assert not marker.exists()


def test_without_git_there_is_nothing(repository: Path) -> None:
    for lister in (GitFiles(None, {}), GitFiles("/nonexistent/git", {})):
        assert lister.list_names(str(repository), under="", max_names=10, deadline=Deadline(UNBOUNDED)) is None
        assert lister.committed(str(repository), "a.txt", max_bytes=10) is None


def test_names_are_listed_once_and_below_a_folder(repository: Path) -> None:
    lister = GitFiles.find([repository])
    found = lister.list_names(str(repository), under="sub", max_names=10, deadline=Deadline(UNBOUNDED))
    assert found is not None
    assert (found.names, found.seen, found.is_complete) == ([b"sub/b.txt"], 1, True)
    capped = lister.list_names(str(repository), under="", max_names=2, deadline=Deadline(UNBOUNDED))
    assert capped is not None
    assert (len(capped.names), capped.seen, capped.is_complete) == (2, 4, False)


def test_a_cancelled_call_stops_git(repository: Path) -> None:
    deadline = Deadline(UNBOUNDED)
    deadline.cancel()
    with pytest.raises(CallCancelled):
        GitFiles.find([repository]).list_names(str(repository), under="", max_names=10, deadline=deadline)


def test_the_environment_of_the_caller_does_not_reach_git(repository: Path, tmp_path: Path) -> None:
    """GIT_DIR, GIT_CONFIG_COUNT and their like would redirect it."""
    environment = dict(os.environ) | {"GIT_DIR": str(tmp_path), "GIT_TRACE": str(tmp_path / "trace"), "GIT_INDEX_FILE": "/none"}
    found = GitFiles.find([repository], environment).list_names(
        str(repository), under="", max_names=9, deadline=Deadline(UNBOUNDED)
    )
    assert found is not None
    assert len(found.names) == 4
    assert not (tmp_path / "trace").exists()


def test_a_work_tree_is_known_by_its_git_folder_or_file(repository: Path, tmp_path: Path) -> None:
    assert is_work_tree(str(repository / "sub"))
    (tmp_path / "linked").mkdir()
    assert not is_work_tree(str(tmp_path / "linked"))
    (tmp_path / "linked" / ".git").write_text("gitdir: x")
    assert is_work_tree(str(tmp_path / "linked"))
