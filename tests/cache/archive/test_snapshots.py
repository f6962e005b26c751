"""Histories of changes, snapshots and prunes: whatever is kept restores to the exact entry set it was taken of."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.archive.entries import Entry
from penstock.cache.archive.events import EventKind
from penstock.cache.archive.snapshots import (
    SnapshotBody,
    SnapshotHead,
    SnapshotPolicy,
    SnapshotReason,
    SnapshotStrategy,
    chain_of,
    is_wanted,
    materialise,
    plan_prune,
    plan_snapshot,
    snapshot_due,
)


def entry(key: int, version: int = 0) -> Entry:
    return Entry(f"{key:016x}", EventKind.READ, "read", f"f{key}", f"v{version}", (), (), 1, key, key + version)


@dataclass(slots=True)
class ChainModel:
    """A chain in memory, kept by the planners alone, beside full copies of every set."""

    policy: SnapshotPolicy
    heads: dict[int, SnapshotHead] = field(default_factory=dict[int, SnapshotHead])
    bodies: dict[int, SnapshotBody] = field(default_factory=dict[int, SnapshotBody])
    truth: dict[int, dict[str, Entry]] = field(default_factory=dict[int, dict[str, Entry]])
    last: int = 0

    def restore(self, snapshot: int) -> Mapping[str, Entry]:
        return materialise([self.bodies[id_] for id_ in chain_of(self.heads, snapshot)])

    def take(self, entries: dict[str, Entry], *, named: bool) -> None:
        newest = max(self.heads, default=None)
        previous = self.restore(newest) if newest is not None else None
        chain = len(chain_of(self.heads, newest)) if newest is not None else 0
        body = plan_snapshot(entries, previous, self.policy, chain=chain)
        self.last += 1
        self.heads[self.last] = SnapshotHead(self.last, None if body.is_full else newest, body.is_full, named)
        self.bodies[self.last] = body
        self.truth[self.last] = dict(entries)

    def prune(self, keep: int) -> None:
        plan = plan_prune(self.heads.values(), keep=keep)
        for id_ in plan.rebase:
            self.bodies[id_] = SnapshotBody(True, tuple(self.restore(id_).values()))
            self.heads[id_] = replace(self.heads[id_], parent=None, is_full=True)
        for id_ in plan.delete:
            del self.heads[id_], self.bodies[id_], self.truth[id_]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 12), st.integers(0, 3)),
        st.tuples(st.just("remove"), st.integers(0, 12), st.just(0)),
        st.tuples(st.just("snapshot"), st.booleans(), st.just(0)),
        st.tuples(st.just("prune"), st.integers(0, 4), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=1_000, deadline=None)
@given(steps, st.sampled_from(SnapshotStrategy), st.integers(0, 4))
def test_any_history_restores_to_the_exact_entry_sets(
    history: list[tuple[str, int, int]], strategy: SnapshotStrategy, max_chain: int
) -> None:
    """300 more histories go through the store: test_archive.py."""
    model = ChainModel(SnapshotPolicy(strategy, max_chain=max_chain))
    entries: dict[str, Entry] = {}
    for step, first, second in history:
        if step == "put":
            entries[f"{first:016x}"] = entry(first, second)
        elif step == "remove":
            entries.pop(f"{first:016x}", None)
        elif step == "snapshot":
            model.take(entries, named=bool(first))
        else:
            named = {id_ for id_, head in model.heads.items() if head.is_named}
            newest = set(sorted(model.heads, reverse=True)[:first])
            model.prune(first)
            assert set(model.heads) == named | newest
    for id_, expected in model.truth.items():
        assert model.restore(id_) == expected
        assert len(chain_of(model.heads, id_)) <= max_chain + 2


def test_a_delta_holds_only_what_changed() -> None:
    before = {f"{key:016x}": entry(key) for key in range(20)}
    after = {**before, f"{3:016x}": entry(3, 1)}
    del after[f"{4:016x}"]
    body = plan_snapshot(after, before, SnapshotPolicy(), chain=0)
    assert not body.is_full
    assert body.put == (entry(3, 1),)
    assert body.removed == (f"{4:016x}",)


def test_a_delta_larger_than_the_whole_is_stored_whole() -> None:
    before = {f"{key:016x}": entry(key) for key in range(20)}
    assert plan_snapshot({f"{99:016x}": entry(99)}, before, SnapshotPolicy(), chain=0).is_full


def test_the_full_strategy_never_takes_deltas() -> None:
    held = {f"{1:016x}": entry(1)}
    assert plan_snapshot(held, held, SnapshotPolicy(SnapshotStrategy.FULL), chain=0).is_full


def test_strategies_differ_in_when_they_want_a_snapshot() -> None:
    every = SnapshotPolicy(SnapshotStrategy.INCREMENTAL, every_events=5)
    assert not snapshot_due(every, events_since=4, best_changed_score=1.0)
    assert snapshot_due(every, events_since=5, best_changed_score=0.0)
    adaptive = SnapshotPolicy(SnapshotStrategy.ADAPTIVE, every_events=5, min_importance_threshold=0.6)
    assert not snapshot_due(adaptive, events_since=50, best_changed_score=0.5)
    assert snapshot_due(adaptive, events_since=1, best_changed_score=0.6)
    none = SnapshotPolicy(SnapshotStrategy.NONE)
    assert not snapshot_due(none, events_since=50, best_changed_score=1.0)
    assert not is_wanted(none, SnapshotReason.CLEAR)
    assert is_wanted(none, SnapshotReason.SAVE)


def test_a_broken_chain_is_an_error_never_a_smaller_set() -> None:
    heads = {2: SnapshotHead(2, 1, is_full=False), 3: SnapshotHead(3, None, is_full=False), 4: SnapshotHead(4, 4, is_full=False)}
    for snapshot in (2, 3, 4):
        with pytest.raises(ValueError, match="chain"):
            chain_of(heads, snapshot)
    with pytest.raises(ValueError, match="chain"):
        materialise([SnapshotBody(False, ())])


@pytest.mark.parametrize("bad", [{"every_events": 0}, {"max_snapshots": 0}, {"max_chain": -1}, {"min_importance_threshold": 2.0}])
def test_a_policy_outside_its_bounds_is_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        SnapshotPolicy(**bad)  # pyright: ignore[reportArgumentType]


def test_pruning_to_less_than_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="keep"):
        plan_prune([], keep=-1)
