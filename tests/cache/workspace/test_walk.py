import itertools
import os
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.cache.deadline import Deadline
from penstock.cache.errors import DeadlineExceeded, NotARegularFile, OutsideWorkspace
from penstock.cache.ledger import Ledger
from penstock.cache.workspace.files import Workspace
from penstock.cache.workspace.gitfiles import GitFiles
from penstock.cache.workspace.values import WalkResult, WorkspaceLimits

MakeWorkspace = Callable[..., Workspace]
DescriptorsLeft = Callable[[int], AbstractContextManager[None]]
WITHOUT_GIT = GitFiles(None, {})


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        [
            "git",
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "-c",
            "protocol.file.allow=always",
            "-c",
            "init.defaultBranch=main",
            *words,
        ],
        cwd=folder,
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )


def fill(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def rels(result: WalkResult) -> list[str]:
    return [file.rel for file in result.files]


@pytest.fixture(params=["git", "scan"])
def walking(request: pytest.FixtureRequest, root: Path, make_workspace: MakeWorkspace) -> Workspace:
    """A workspace walked in either way; both must say the same."""
    if request.param == "git":
        git(root, "init", "-q")
        return make_workspace()
    return make_workspace(git=WITHOUT_GIT)


def test_ignored_files_links_and_git_itself_are_left_out(walking: Workspace, root: Path, tmp_path: Path) -> None:
    fill(root, "a/b.py", "c.py", "x.log", "build/out.py", "keep/x.log", "keep/.gitignore", "d/x.tmp")
    (root / ".gitignore").write_text("*.log\nbuild/\n/d/*.tmp\n")
    (root / "keep" / ".gitignore").write_text("!x.log\n")
    (root / "link.py").symlink_to("c.py")
    (root / "out").symlink_to(tmp_path / "project2")
    os.mkfifo(root / "fifo")
    result = walking.walk()
    assert rels(result) == [".gitignore", "a/b.py", "c.py", "keep/.gitignore", "keep/x.log"]
    assert result.skipped["symlink"] == 2
    assert result.is_complete
    for file in result.files:
        assert walking.stat(file.rel)[2] == file.stat


def test_a_walk_below_a_folder_names_files_from_the_root(walking: Workspace, root: Path) -> None:
    fill(root, "a/b/c.py", "a/d.py", "e.py", "a/x.log")
    (root / ".gitignore").write_text("*.log\n")
    (root / "link").symlink_to("a/b")
    assert rels(walking.walk("a")) == ["a/b/c.py", "a/d.py"]
    assert rels(walking.walk("a/b")) == rels(walking.walk("link")) == ["a/b/c.py"]
    assert rels(walking.walk(f"{root}/a/b")) == ["a/b/c.py"]
    with pytest.raises(NotARegularFile):
        walking.walk("e.py")
    with pytest.raises(OutsideWorkspace):
        walking.walk("..")


def test_secret_like_names_are_counted_and_not_listed(walking: Workspace, root: Path) -> None:
    fill(root, ".env", "a/id_rsa", ".env.example", "b.py", ".ssh/known_hosts")
    result = walking.walk()
    assert rels(result) == [".env.example", "b.py"]
    assert result.skipped == {"secret-like name": 3}


def test_a_capped_walk_says_so(root: Path, make_workspace: MakeWorkspace) -> None:
    fill(root, *(f"f{number:02}" for number in range(30)))
    for choice in ("scan", "git"):
        if choice == "git":
            git(root, "init", "-q")
        workspace = make_workspace(limits=WorkspaceLimits(max_walk_files=10), git=None if choice == "git" else WITHOUT_GIT)
        result = workspace.walk()
        assert len(result.files) == 10
        assert not result.is_complete
        assert result.seen > 10
        assert result.source == choice


def test_a_walk_out_of_its_own_time_is_partial_and_out_of_the_calls_time_fails(root: Path) -> None:
    fill(root, *(f"{number}/f" for number in range(600)))
    ticks = itertools.count()
    workspace = Workspace([root], ledger=Ledger(1 << 20), git=WITHOUT_GIT, clock=lambda: float(next(ticks)))
    result = workspace.walk()
    assert not result.is_complete
    with pytest.raises(DeadlineExceeded):
        workspace.walk(deadline=Deadline(5, clock=lambda: float(next(ticks))))
    workspace.close()


def test_a_deep_tree_is_cut_and_counted(walking: Workspace, root: Path) -> None:
    deep = root
    for _ in range(70):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "f").write_text("x")
    fill(root, "g")
    result = walking.walk()
    assert rels(result) == ["g"]
    assert result.skipped["too deep"] == 1
    assert not result.is_complete


def test_a_tree_three_thousand_deep_breaks_nothing(root: Path, make_workspace: MakeWorkspace) -> None:
    here = os.getcwd()
    try:
        os.chdir(root)
        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(here)
    fill(root, "g")
    result = make_workspace(git=WITHOUT_GIT).walk()
    assert rels(result) == ["g"]
    assert not result.is_complete
    # rmtree is recursive: take the tree down from below.
    subprocess.run(["rm", "-rf", str(root / "d")], check=True)


def test_deleted_files_that_git_still_knows_are_dropped(root: Path, workspace: Workspace) -> None:
    fill(root, "a.py", "b/c.py", "d/e.py")
    git(root, "init", "-q")
    git(root, "add", "-A")
    (root / "a.py").unlink()
    subprocess.run(["rm", "-rf", str(root / "b")], check=True)
    result = workspace.walk()
    assert (rels(result), result.source, result.is_complete) == (["d/e.py"], "git", True)


def test_tracked_files_below_what_is_now_a_link_are_not_looked_at(root: Path, workspace: Workspace, tmp_path: Path) -> None:
    fill(root, "a/x", "b.py")
    git(root, "init", "-q")
    git(root, "add", "-A")
    subprocess.run(["rm", "-rf", str(root / "a")], check=True)
    (root / "a").symlink_to(tmp_path / "project2")
    assert rels(workspace.walk()) == ["b.py"]


def test_a_root_below_the_top_of_its_work_tree_is_listed(root: Path, make_workspace: MakeWorkspace) -> None:
    fill(root, "sub/a.py", "sub/x.log", "other.py")
    (root / ".gitignore").write_text("*.log\n")
    git(root, "init", "-q")
    result = make_workspace(roots=[root / "sub"]).walk()
    assert (rels(result), result.source) == (["a.py"], "git")


def test_a_root_that_a_larger_work_tree_ignores_is_scanned(root: Path, make_workspace: MakeWorkspace) -> None:
    """A home folder under git that ignores everything."""
    fill(root, "sub/a.py")
    (root / ".gitignore").write_text("*\n")
    git(root, "init", "-q")
    result = make_workspace(roots=[root / "sub"]).walk()
    assert (rels(result), result.source) == (["a.py"], "scan")


def test_submodules_and_nested_repositories_are_walked(root: Path, workspace: Workspace, tmp_path: Path) -> None:
    library = tmp_path / "library"
    fill(library, "lib.py", "x.log")
    (library / ".gitignore").write_text("*.log\n")
    git(library, "init", "-q")
    git(library, "add", "-A")
    git(library, "commit", "-qm", "x")
    fill(root, "a.py", "nested/n.py", "nested/n.log")
    git(root, "init", "-q")
    git(root, "submodule", "add", "-q", str(library), "vendor/library")
    git(root / "nested", "init", "-q")
    (root / "nested" / ".gitignore").write_text("*.log\n")
    assert rels(workspace.walk()) == [
        ".gitmodules",
        "a.py",
        "nested/.gitignore",
        "nested/n.py",
        "vendor/library/.gitignore",
        "vendor/library/lib.py",
    ]
    assert rels(workspace.walk("vendor/library")) == ["vendor/library/.gitignore", "vendor/library/lib.py"]


def test_a_root_inside_another_is_walked_once(root: Path, make_workspace: MakeWorkspace) -> None:
    fill(root, "a.py", "sub/b.py")
    assert rels(make_workspace(roots=[root, root / "sub"]).walk()) == ["a.py", "sub/b.py"]


def test_unreadable_folders_make_the_walk_incomplete(
    root: Path, make_workspace: MakeWorkspace, descriptors_left: DescriptorsLeft
) -> None:
    fill(root, "a.py", "b/c.py")
    workspace = make_workspace(git=WITHOUT_GIT)
    workspace.walk()
    with descriptors_left(2):  # the root and its listing, not that of the folder in it
        result = workspace.walk()
    assert not result.is_complete


def test_memory_of_a_walk_is_small(root: Path, make_workspace: MakeWorkspace) -> None:
    for number in range(4000):
        (root / f"file{number}").touch()
    workspace = make_workspace(git=WITHOUT_GIT)
    workspace.walk()
    tracemalloc.start()
    result = workspace.walk()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(result.files) == 4000
    assert kept < 4000 * 200
    assert peak < 4000 * 250


@pytest.mark.parametrize(
    "setting", ["core.fsmonitor", "core.hooksPath", "core.pager", "pager.ls-files", "core.sshCommand", "core.editor"]
)
def test_a_hostile_repository_runs_nothing(root: Path, workspace: Workspace, tmp_path: Path, setting: str) -> None:
    marker = tmp_path / "executed"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("evil", "post-index-change", "query-watchman", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (hooks / name).chmod(0o755)
    fill(root, "a.py", "b.py")
    git(root, "init", "-q")
    git(root, "add", "a.py")
    git(root, "config", setting, str(hooks if setting == "core.hooksPath" else hooks / "evil"))
    os.utime(root / "a.py", (1, 1))
    assert rels(workspace.walk()) == ["a.py", "b.py"]
    assert not marker.exists()


def test_the_fsmonitor_of_that_test_does_run_without_protection(root: Path, tmp_path: Path) -> None:
    """The control: the same repository, listed as anyone would."""
    marker = tmp_path / "executed"
    (tmp_path / "evil").write_text(f"#!/bin/sh\ntouch {marker}\n")
    (tmp_path / "evil").chmod(0o755)
    fill(root, "a.py")
    git(root, "init", "-q")
    git(root, "config", "core.fsmonitor", str(tmp_path / "evil"))
    git(root, "ls-files", "--cached", "--others", "--exclude-standard")
    assert marker.exists()


def test_an_embedded_bare_repository_runs_nothing(root: Path, make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    (tmp_path / "evil").write_text(f"#!/bin/sh\ntouch {marker}\n")
    (tmp_path / "evil").chmod(0o755)
    git(root, "init", "-q")
    bare = root / "data"
    bare.mkdir()
    git(bare, "init", "-q", "--bare")
    git(bare, "config", "core.bare", "false")
    git(bare, "config", "core.worktree", str(bare))
    git(bare, "config", "core.fsmonitor", str(tmp_path / "evil"))
    fill(root, "data/f.py", "a.py")
    assert "a.py" in rels(make_workspace().walk())
    make_workspace(roots=[bare]).walk()
    assert not marker.exists()


def test_a_repository_that_git_refuses_is_scanned(root: Path, workspace: Workspace) -> None:
    fill(root, "a.py", ".git/HEAD", "x.log")
    (root / ".gitignore").write_text("*.log\n")
    result = workspace.walk()
    assert (rels(result), result.source) == ([".gitignore", "a.py"], "scan")


def test_a_repository_that_makes_git_hang_is_scanned(root: Path, make_workspace: MakeWorkspace) -> None:
    git(root, "init", "-q")
    os.mkfifo(root / ".gitignore")
    fill(root, "a.py")
    lister = GitFiles("/usr/bin/env", {"PATH": os.environ["PATH"]}, timeout_s=0.3)
    hanging = GitFiles(GitFiles.find([root]).program, {"PATH": os.environ["PATH"]}, timeout_s=0.3)
    for chosen in (lister, hanging):
        start = time.perf_counter()
        result = make_workspace(git=chosen).walk()
        assert time.perf_counter() - start < 5
        assert rels(result) == ["a.py"]
        assert result.source == "scan"


def test_a_git_inside_the_workspace_is_not_used(root: Path) -> None:
    (root / "git").write_text("#!/bin/sh\n")
    (root / "git").chmod(0o755)
    assert repr(GitFiles.find([root], {"PATH": str(root)})) == "<GitFiles None>"
    assert repr(GitFiles.find([root], {"PATH": ""})) == "<GitFiles None>"


NAMES = st.sampled_from(["a", "b", "c.py", "d.log", "e.tmp", "src", "build", "x y"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), min_size=1, max_size=12)
PATTERNS = st.lists(
    st.sampled_from(
        [
            "*.log",
            "*.tmp",
            "build/",
            "/a",
            "!d.log",
            "src/*.py",
            "**/b",
            "a/**",
            "!build/",
            "x\\ y",
            "/src/**/c.py",
            "*",
            "!*/",
            "# c",
            "",
        ]
    ),
    max_size=4,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=PATHS, top=PATTERNS, below=PATTERNS)
def test_a_scan_finds_what_git_finds(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], top: list[str], below: list[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    for path in paths:
        if not (root / path).is_dir() and not any((root / parent).is_file() for parent in Path(path).parents):
            fill(root, path)
    (root / ".gitignore").write_text("\n".join(top))
    if (root / "src").is_dir():
        (root / "src" / ".gitignore").write_text("\n".join(below))
    git(root, "init", "-q")
    by_git, by_scan = (Workspace([root], ledger=Ledger(1 << 20), git=lister) for lister in (None, WITHOUT_GIT))
    expected = by_git.walk()
    if expected.source == "git":
        assert rels(by_scan.walk()) == rels(expected)
    by_git.close()
    by_scan.close()
