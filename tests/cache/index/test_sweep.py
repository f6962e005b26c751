"""When a search walks, and what it does while a long walk goes on."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.cache.deadline import UNBOUNDED, Deadline
from penstock.cache.errors import CallCancelled
from penstock.cache.index.sweep import Sweeper
from penstock.cache.index.values import IndexLimits
from penstock.cache.ledger import Ledger
from penstock.cache.workspace.files import Workspace
from penstock.cache.workspace.gitfiles import GitFiles
from penstock.cache.workspace.secrets import SecretRule

IMPATIENT = IndexLimits(first_walk_s=0.001, walk_wait_s=0.001, cheap_walk_s=0.0, small_walk_files=0, walk_every_s=0.001)


class Gate(SecretRule):
    """Judges names, and stops at one of them until it is opened: a walk that takes as long as the test says."""

    def __init__(self, stop_at: str) -> None:
        super().__init__()
        self._stop_at = stop_at
        self.is_reached = threading.Event()
        self.is_open = threading.Event()

    def denies_name(self, rel: str) -> bool:
        if rel == self._stop_at:
            self.is_reached.set()
            assert self.is_open.wait(30)
        return super().denies_name(rel)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate("c.txt")
    yield gate
    gate.is_open.set()


@pytest.fixture
def workspace(root: Path, gate: Gate) -> Iterator[Workspace]:
    for name in "abcde":
        (root / f"{name}.txt").write_text("walrus\n")
    workspace = Workspace([root], ledger=Ledger(1 << 20), secrets=gate, git=GitFiles(None, {}))
    yield workspace
    workspace.close()


def test_a_search_goes_on_with_what_a_long_first_walk_has_met_so_far(workspace: Workspace, gate: Gate) -> None:
    sweeper = Sweeper(workspace, IMPATIENT)
    sweeper.take(Deadline(UNBOUNDED))
    assert gate.is_reached.wait(30)
    walk = sweeper.take(Deadline(UNBOUNDED))
    assert walk is not None
    assert ([file.rel for file in walk.files], walk.is_complete, walk.total) == (["a.txt", "b.txt"], False, 3)
    assert len(walk.table.keys) == 2
    gate.is_open.set()
    while not (walk := sweeper.take(Deadline(UNBOUNDED))) or not walk.is_complete:
        pass
    assert (len(walk.files), walk.total, sweeper.walks) == (5, 5, 1)


def test_searches_share_one_long_walk_and_later_ones_do_without(workspace: Workspace, gate: Gate) -> None:
    gate.is_open.set()
    sweeper = Sweeper(
        workspace, IndexLimits(first_walk_s=30, walk_wait_s=0.001, cheap_walk_s=0.0, small_walk_files=0, walk_every_s=0.001)
    )
    assert sweeper.take(Deadline(UNBOUNDED)) is not None
    gate.is_open.clear()
    gate.is_reached.clear()
    while not gate.is_reached.is_set():
        assert sweeper.take(Deadline(UNBOUNDED)) is None
    assert sweeper.take(Deadline(UNBOUNDED)) is None
    assert sweeper.age_s > 0
    gate.is_open.set()
    while sweeper.take(Deadline(UNBOUNDED)) is None:
        pass
    assert sweeper.walks == 2


def test_a_cancelled_search_stops_waiting_and_closing_stops_the_walk(workspace: Workspace, gate: Gate) -> None:
    sweeper = Sweeper(workspace, IndexLimits(first_walk_s=60))
    deadline = Deadline(UNBOUNDED)
    deadline.cancel()
    with pytest.raises(CallCancelled):
        sweeper.take(deadline)
    assert gate.is_reached.wait(30)
    sweeper.close()
    gate.is_open.set()


def test_a_cheap_walk_is_made_anew_by_every_search(workspace: Workspace, root: Path, gate: Gate) -> None:
    gate.is_open.set()
    sweeper = Sweeper(workspace, IndexLimits())
    for number in range(3):
        (root / f"new{number}.txt").touch()
        walk = sweeper.take(Deadline(UNBOUNDED))
        assert walk is not None
        assert len(walk.files) == 6 + number
    assert sweeper.walks == 3
