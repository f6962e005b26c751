"""The package's state as plain data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from penstock.cache.pressure.limits import MB
from penstock.cache.pressure.snapshot import KEPT, pressure_snapshot

if TYPE_CHECKING:
    from .conftest import Rig


def test_a_snapshot_before_the_first_sample_is_complete_and_calm(rig: Rig) -> None:
    snapshot = pressure_snapshot(rig.guard, rig.gauge, rig.orchestrator, now_s=rig.clock())
    assert set(snapshot) == {"pressure", "memory", "ledger", "evictions"}
    assert (snapshot["pressure"]["level"], snapshot["pressure"]["p"]) == ("NORMAL", 0.0)
    assert json.loads(json.dumps(snapshot)) == snapshot


def test_a_snapshot_explains_what_left_and_when(rig: Rig) -> None:
    rig.guard.sample()
    rig.evictor.store("a", 97 * MB)
    rig.guard.after_call()
    rig.clock.advance(5)
    snapshot = pressure_snapshot(rig.guard, rig.gauge, rig.orchestrator, now_s=rig.clock())
    (round_,) = snapshot["evictions"]["last"]
    assert (round_["ago_s"], round_["action"], round_["freed_bytes"]) == (5.0, "EMERGENCY_DROP", 97 * MB)
    assert snapshot["pressure"]["history"] == [{"ago_s": 5.0, "level": "CRITICAL", "p": 0.97, "driver": "ledger"}]
    assert snapshot["ledger"]["peak_bytes"] == 97 * MB
    assert snapshot["memory"]["effective_source"] == "total memory"


def test_a_snapshot_stays_small(rig: Rig) -> None:
    for _ in range(KEPT * 3):
        rig.clock.advance(61)
        rig.evictor.store("a", 97 * MB)
        rig.guard.after_call()
        rig.clock.advance(61)
        rig.guard.after_call()
    snapshot = pressure_snapshot(rig.guard, rig.gauge, rig.orchestrator, now_s=rig.clock())
    assert len(snapshot["evictions"]["last"]) == KEPT
    assert len(json.dumps(snapshot)) < 20_000
