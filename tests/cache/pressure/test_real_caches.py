"""The guard and the orchestrator over the real session cache, evictor and spool."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from penstock.cache.content import ContentAccessor
from penstock.cache.deadline import UNBOUNDED, Deadline
from penstock.cache.entry import RemovalCause, SessionLimits
from penstock.cache.evictor import Evictor
from penstock.cache.handles import HandleTable, handle_id
from penstock.cache.ledger import Ledger
from penstock.cache.payloads import PayloadStore
from penstock.cache.pressure.gauge import PressureGauge
from penstock.cache.pressure.guard import MemoryGuard
from penstock.cache.pressure.homeostasis import TARGET_RATIO, Action
from penstock.cache.pressure.levels import PressureLevel
from penstock.cache.pressure.orchestrator import EvictionOrchestrator
from penstock.cache.session import SessionCache
from penstock.cache.spool_sqlite import SqliteSpool
from penstock.cache.workspace.files import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import FakeClock, FakeProbe, Rig

BUDGET = 2_000_000
FILE_BYTES = 40_000
NORMAL, SOFT, MEDIUM, HARD, CRITICAL = PressureLevel


@dataclass
class Server:
    """Everything between a file and the guard, over a real folder."""

    root: Path
    ledger: Ledger
    session: SessionCache
    contents: ContentAccessor
    payloads: PayloadStore
    evictor: Evictor
    orchestrator: EvictionOrchestrator
    guard: MemoryGuard
    files: dict[str, bytes]

    def read(self, name: str) -> bytes:
        """Read as the tool does: through the cache, then the guard's look."""
        data = self.contents.fetch(name, deadline=Deadline(UNBOUNDED)).data
        self.guard.after_call()
        return data

    def fill(self, ratio: float, *, reads: int = 1) -> None:
        """Read files, without the guard looking, until the ledger is so full."""
        for name in self.files:
            if self.ledger.used_bytes / BUDGET >= ratio:
                return
            for _ in range(reads):
                self.contents.fetch(name, deadline=Deadline(UNBOUNDED))


@pytest.fixture
def server(tmp_path: Path, rig: Rig) -> Iterator[Server]:
    clock: FakeClock = rig.clock
    probe: FakeProbe = rig.probe
    root = tmp_path / "root"
    root.mkdir()
    generator = random.Random(3)
    files = {f"f{number:03}.txt": generator.randbytes(FILE_BYTES // 2).hex().encode() for number in range(80)}
    for name, data in files.items():
        (root / name).write_bytes(data)
    ledger = Ledger(BUDGET)
    workspace = Workspace([root], ledger=ledger)
    session = SessionCache(ledger, limits=SessionLimits(protected_ratio=0.95))
    spool = SqliteSpool(tmp_path / "spool")
    payloads = PayloadStore(HandleTable(), spool, session=session, workspace=workspace)
    evictor = Evictor(session, payloads, ledger)
    ledger.add_reclaimer(evictor.reclaim)
    gauge = PressureGauge(ledger, probe, clock=clock)
    orchestrator = EvictionOrchestrator(evictor, rig.index, gauge, allocator=rig.allocator, clock=clock)
    guard = MemoryGuard(gauge, relief=orchestrator.on_pressure, clock=clock)
    guard.sample()
    try:
        contents = ContentAccessor(workspace, session)
        yield Server(root, ledger, session, contents, payloads, evictor, orchestrator, guard, files)
    finally:
        spool.close()
        workspace.close()


@pytest.mark.parametrize(
    ("ratio", "level", "action"),
    [
        (0.71, SOFT, Action.TRIM_OUTPUTS),
        (0.82, MEDIUM, Action.EVICT_PROBATIONARY),
        (0.91, HARD, Action.UNLOAD_INDICES),
        (0.96, CRITICAL, Action.EMERGENCY_DROP),
    ],
)
def test_each_level_answers_with_its_action(server: Server, ratio: float, level: PressureLevel, action: Action) -> None:
    server.fill(ratio)
    server.guard.after_call()
    assert server.guard.level is level
    (explanation,) = server.orchestrator.statistics().explanations
    assert explanation.action is action
    if level > SOFT:
        assert server.ledger.used_bytes <= TARGET_RATIO * BUDGET
        assert explanation.helped


def test_everything_an_emergency_drops_can_be_restored_byte_for_byte(server: Server) -> None:
    server.fill(0.97, reads=2)
    held = [resident.rel for resident in server.session.residents()]
    server.guard.after_call()
    assert server.session.residents() == []
    for name in held:
        server.root.joinpath(name).unlink()  # not from the file: from the spool
    evicted = [item for item in server.evictor.statistics().recent if item.cause is RemovalCause.PRESSURE]
    assert {item.name for item in evicted} == set(held)
    for item in evicted:
        assert server.payloads.load(item.handle_id).data == server.files[item.name]


def test_a_pinned_file_outlives_an_emergency(server: Server) -> None:
    server.fill(0.97)
    name = server.session.residents()[0].rel
    assert server.evictor.pin(name)
    server.guard.after_call()
    assert [resident.rel for resident in server.session.residents()] == [name]


def test_medium_leaves_what_was_read_again(server: Server) -> None:
    for name in list(server.files)[:10]:
        server.contents.fetch(name, deadline=Deadline(UNBOUNDED))
        server.contents.fetch(name, deadline=Deadline(UNBOUNDED))
    server.fill(0.84)
    server.guard.after_call()
    left = {resident.rel for resident in server.session.residents()}
    assert left >= set(list(server.files)[:10])


def test_protected_content_alone_leads_to_escalation_and_relief(server: Server, rig: Rig) -> None:
    """Trimming and evicting probationary entries cannot help here; a later round may do more."""
    actions: list[Action] = []
    for _ in range(6):
        rig.clock.advance(61)
        server.fill(0.83, reads=2)
        explanation = server.orchestrator.on_pressure(MEDIUM)
        assert explanation is not None
        actions.append(explanation.action)
        if server.ledger.used_bytes <= TARGET_RATIO * BUDGET:
            break
    assert server.ledger.used_bytes <= TARGET_RATIO * BUDGET
    assert actions == sorted(actions)


def test_mixed_reads_stay_within_the_budget_and_lose_nothing(server: Server) -> None:
    generator = random.Random(5)
    names = list(server.files)
    for _ in range(600):
        name = generator.choice(names)
        assert server.read(name) == server.files[name]
        assert server.ledger.used_bytes <= BUDGET
    for name, data in server.files.items():
        found = server.payloads.handles.get(handle_id(server.contents.fetch(name, deadline=Deadline(UNBOUNDED)).sha256))
        if found is not None:
            assert server.payloads.load(found.id).data == data
    assert server.orchestrator.statistics().rounds > 0
    assert server.orchestrator.statistics().failures == 0
