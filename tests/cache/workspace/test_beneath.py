"""The strategies against each other and against the kernel's own resolution, on random trees of links."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.cache.workspace.beneath import (
    FILE_FLAGS,
    O_PATH,
    Found,
    Openat2Opener,
    Opener,
    RootHandle,
    StepwiseOpener,
    best_opener,
)
from penstock.cache.workspace.finalpath import FinalPathOpener
from penstock.cache.workspace.paths import Flavour, RootPath

NAME = st.sampled_from(["a", "b", "c"])
COMPONENT = st.sampled_from(["a", "b", "c", "..", "."])
PATH = st.lists(COMPONENT, min_size=1, max_size=5).map("/".join)
TARGET = PATH | PATH.map("ROOT/{}".format) | st.sampled_from(["/", "/etc", "../outside", "ROOT", "ROOT/../outside"])
TREE = st.lists(st.tuples(st.lists(NAME, min_size=1, max_size=3).map("/".join), st.none() | st.just("") | TARGET), max_size=10)


@pytest.fixture
def handle(root: Path) -> Iterator[RootHandle]:
    """The root, held open."""
    fd = os.open(root, O_PATH)
    yield RootHandle(fd, RootPath(str(root), str(root)))
    os.close(fd)


def grow(root: Path, tree: list[tuple[str, str | None]]) -> None:
    """Make files (None), folders (empty) and links, where they fit."""
    for rel, target in tree:
        with contextlib.suppress(OSError):
            (root / rel).parent.mkdir(parents=True, exist_ok=True)
            if os.path.realpath((root / rel).parent).startswith(str(root)):
                if target is None:
                    (root / rel).write_text(rel)
                elif target == "":
                    (root / rel).mkdir()
                else:
                    (root / rel).symlink_to(target.replace("ROOT", str(root)))


def outcome(opener: Opener, root: RootHandle, path: str, flags: int) -> tuple[int, tuple[str, ...]] | str:
    parts = [part for part in path.split("/") if part != "."]
    try:
        found = opener.open([root], 0, parts, flags)
    except OSError as error:
        return type(error).__name__ if error.errno != 18 else "outside"
    try:
        return os.fstat(found.fd).st_ino, found.parts
    finally:
        os.close(found.fd)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREE, paths=st.lists(PATH, min_size=1, max_size=6), flags=st.sampled_from([FILE_FLAGS, O_PATH]))
def test_all_strategies_open_the_same_and_only_what_is_inside(
    tmp_path: Path, tree: list[tuple[str, str | None]], paths: list[str], flags: int
) -> None:
    base = Path(tempfile.mkdtemp(dir=os.path.realpath(tmp_path)))
    root = base / "root"
    root.mkdir()
    (base / "outside").mkdir()
    grow(root, tree)
    handle = RootHandle(os.open(root, O_PATH), RootPath(str(root), str(root)))
    try:
        for path in paths:
            stepwise = outcome(StepwiseOpener(), handle, path, flags)
            assert outcome(best_opener(), handle, path, flags) == stepwise
            if isinstance(stepwise, str):
                continue
            ino, parts = stepwise
            real = os.path.realpath(root / path)
            assert real == str(root.joinpath(*parts))
            assert os.stat(real).st_ino == ino
    finally:
        os.close(handle.fd)


def test_a_path_without_links_is_opened_by_one_system_call(handle: RootHandle, root: Path) -> None:
    class NoStepwise(StepwiseOpener):
        def open(self, roots: object, root: int, parts: object, flags: int) -> Found:
            raise AssertionError("not needed")

    try:
        opener = Openat2Opener(NoStepwise())
    except OSError:
        pytest.skip("no openat2 here")
    (root / "a").mkdir()
    (root / "a" / "f").touch()
    for path in ("a/f", "a/../a/f", "a"):
        assert isinstance(outcome(opener, handle, path, FILE_FLAGS), tuple)


def test_where_the_kernel_has_no_openat2_paths_are_walked(handle: RootHandle, root: Path) -> None:
    class Unavailable(Openat2Opener):
        def _openat2(self, dir_fd: int, path: bytes, flags: int, *, resolve: int) -> int:
            if resolve:  # a sandbox installed after the start
                raise PermissionError(1, "seccomp")
            return super()._openat2(dir_fd, path, flags, resolve=resolve)

    (root / "f").touch()
    assert isinstance(outcome(Unavailable(), handle, "f", FILE_FLAGS), tuple)


def test_each_flavour_has_its_strategy() -> None:
    assert isinstance(best_opener(Flavour.FOLDING), StepwiseOpener)
    assert isinstance(best_opener(Flavour.WINDOWS), FinalPathOpener)


def test_a_system_that_does_not_tell_final_paths_denies(handle: RootHandle, root: Path) -> None:
    (root / "f").touch()
    before = len(os.listdir("/proc/self/fd"))
    assert isinstance(outcome(FinalPathOpener(), handle, "f", FILE_FLAGS), str)
    assert len(os.listdir("/proc/self/fd")) == before
