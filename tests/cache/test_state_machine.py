"""The cache against a model of its clients: 0 stale bytes, 0 false stubs, an exact ledger, 0 lost items."""

import math
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from penstock.cache.content import ContentAccessor
from penstock.cache.deadline import Deadline
from penstock.cache.handles import Handle
from penstock.cache.receipts import ReceiptBook
from penstock.cache.shelf import Shelf
from tests.cache.process import Server
from tests.cache.world import FULL, HEAD, NAMES, World

STEPS = 10_000


@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_thousand_random_steps_break_no_promise(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed)
    try:
        for _ in range(STEPS):
            world.step()
        world.check_all_handles()
        summary = world.summary()
    finally:
        world.close()
    for what in ("contents", "stubs", "diffs", "restored", "left: weight", "left: pressure", "left: explicit", "left: replaced"):
        assert summary[what] > 10, f"the run proves nothing about {what}: {summary}"


names = st.sampled_from(NAMES[:5])
clients = st.integers(0, 1)


class CacheMachine(RuleBasedStateMachine):
    """The same world, its steps chosen and shrunk by hypothesis."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name), 0)

    @rule(who=clients, name=names, asked=st.sampled_from([FULL, HEAD]), quotes=st.booleans())
    def read(self, who: int, name: str, asked: object, quotes: bool) -> None:
        self.world.server.receipts.tick_call()
        self.world.read(who, name, FULL if asked == FULL else HEAD, quotes=quotes)

    @rule(
        name=names,
        kind=st.sampled_from(["edit_a_line", "edit_in_place", "edit_unseen", "rename_over", "delete", "replace_by_link"]),
    )
    def change(self, name: str, kind: str) -> None:
        getattr(self.world, kind)(name)

    @rule(name=names, kind=st.sampled_from(["lossy", "evict", "pin"]))
    def use(self, name: str, kind: str) -> None:
        getattr(self.world, kind)(name)

    @rule()
    def compress(self) -> None:
        self.world.compress()

    @rule(at=st.integers(0, 100))
    def restore(self, at: int) -> None:
        given = list(self.world.given.values())
        if given:
            self.world.restore(given[at % len(given)])

    @rule(kind=st.integers(0, 4))
    def pressure(self, kind: int) -> None:
        self.world.pressure(kind)

    @rule(who=clients)
    def compact(self, who: int) -> None:
        self.world.compact(who)

    @rule(kill=st.booleans())
    def restart(self, kill: bool) -> None:
        self.world.restart(kill=kill)

    @rule(is_full=st.booleans())
    def disk(self, is_full: bool) -> None:
        self.world.disk.is_full = is_full

    @rule()
    def days_pass(self) -> None:
        self.world.days_pass()

    @invariant()
    def the_ledger_is_exact(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        self.world.check_all_handles()
        self.world.close()
        self.folder.cleanup()


TestCacheMachine = CacheMachine.TestCase
TestCacheMachine.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)


def run_until_broken(world: World, steps: int) -> None:
    try:
        for _ in range(steps):
            world.step()
        world.check_all_handles()
    finally:
        world.close()


class Forgetful(ReceiptBook):
    """Never notices that a client's context shrank, and lets receipts prove for ever."""

    def _notice_epoch(self) -> None:
        return

    def _refusal(self, receipt: object, path: str) -> str:
        return "" if receipt else "unknown or used"


class Trusting(ContentAccessor):
    """Believes the cache without looking at the file."""

    def fetch(self, path: str, *, fresh: bool = False, deadline: Deadline):
        rel, key, stat = self._workspace.stat(path)
        entry = self._session.get(key)
        found = super().fetch(path, fresh=fresh, deadline=deadline)
        if entry is None:
            return found
        return type(found)(rel, key, stat, entry.data, entry.sha256)


@pytest.mark.parametrize(
    "fault", ["receipts that never die", "trust without a check", "drop without spooling", "a careless ledger"]
)
def test_the_harness_catches_what_it_is_for(tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative controls: the same steps on a broken cache must fail."""

    class BrokenWorld(World):
        def start(self) -> Server:
            server = super().start()
            if fault == "receipts that never die":
                server.receipts = Forgetful()
            elif fault == "trust without a check":
                server.content = Trusting(server.workspace, server.session)
            elif fault == "drop without spooling":
                monkeypatch.setattr(server.disk_spool, "put", pretend_to_put)
            return server

    def pretend_to_put(handle: Handle, data: bytes) -> Handle:
        return replace(handle, expires_s=math.inf)

    def settle_nothing(shelf: Shelf) -> None:
        pass

    if fault == "a careless ledger":
        monkeypatch.setattr(Shelf, "_settle", settle_nothing)
    world = BrokenWorld(tmp_path, 3)
    with pytest.raises(AssertionError):
        run_until_broken(world, 3000)
