"""A workspace on a temporary folder, and the strategies of opening."""

import os
import resource
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from penstock.cache.ledger import Ledger
from penstock.cache.workspace.beneath import Openat2Opener, Opener, StepwiseOpener
from penstock.cache.workspace.files import Workspace
from penstock.cache.workspace.finalpath import FinalPathOpener
from penstock.cache.workspace.gitfiles import GitFiles
from penstock.cache.workspace.jail import Jail
from penstock.cache.workspace.paths import Flavour
from penstock.cache.workspace.reading import WallClock
from penstock.cache.workspace.secrets import SecretRule
from penstock.cache.workspace.values import WorkspaceLimits

MakeWorkspace = Callable[..., Workspace]


def proc_opener() -> Opener:
    """The strategy for Windows, told by /proc where a descriptor is."""
    return FinalPathOpener(lambda fd: os.readlink(f"/proc/self/fd/{fd}"), Flavour.POSIX)


@pytest.fixture(params=[Openat2Opener, StepwiseOpener, proc_opener])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Every strategy; one that this kernel does not have is skipped."""
    try:
        return request.param()
    except OSError:
        pytest.skip(f"{request.param.__name__} is not available here")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty root with something secret beside it."""
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "project2").mkdir()
    (tmp_path / "project2" / "x").write_text("outside")
    (tmp_path / "outside.txt").write_text("outside")
    return root


@pytest.fixture
def jail(root: Path, opener: Opener) -> Iterator[Jail]:
    """A jail on the root, once for each strategy."""
    jail = Jail([root], opener=opener)
    yield jail
    jail.close()


@pytest.fixture
def make_workspace(root: Path) -> Iterator[MakeWorkspace]:
    """Make workspaces on the root that are closed after the test."""
    made: list[Workspace] = []

    def make(
        *,
        ledger: Ledger | None = None,
        limits: WorkspaceLimits | None = None,
        secrets: SecretRule | None = None,
        wall_clock: WallClock | None = None,
        git: GitFiles | None = None,
        roots: list[Path] | None = None,
    ) -> Workspace:
        workspace = Workspace(
            roots or [root], ledger=ledger or Ledger(1 << 28), limits=limits, secrets=secrets, wall_clock=wall_clock, git=git
        )
        made.append(workspace)
        return workspace

    yield make
    for workspace in made:
        workspace.close()


@pytest.fixture
def workspace(make_workspace: MakeWorkspace) -> Workspace:
    """A workspace on the root with default limits."""
    return make_workspace()


@pytest.fixture
def descriptors_left() -> Callable[[int], AbstractContextManager[None]]:
    """Let the process open only so many more files, for the time of a `with` block."""

    @contextmanager
    def limited(count: int) -> Generator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        held: list[int] = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 16, hard))
        try:
            with suppress(OSError):
                while True:
                    held.append(os.open("/dev/null", os.O_RDONLY))
            for _ in range(count):
                os.close(held.pop())
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for fd in held:
                os.close(fd)

    return limited
