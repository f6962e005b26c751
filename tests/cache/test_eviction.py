"""The planners: seed 001's order and parameters, and victims that are never spare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.entry import Resident, Segment
from penstock.cache.eviction import (
    AutoCompact,
    Collapse,
    EvictionPlan,
    PressureAction,
    Snip,
    Spool,
    TimeDecayMicro,
    plan_eviction,
    plan_spool,
    plan_victims,
)
from penstock.cache.workspace.values import FileKey

residents = st.lists(
    st.builds(
        Resident,
        key=st.builds(FileKey, st.just(1), st.integers(), st.just("f")),
        rel=st.just("f"),
        sha256=st.just("0"),
        segment=st.sampled_from(Segment),
        weight=st.integers(1, 1 << 20),
        is_pinned=st.booleans(),
    ),
    max_size=30,
).map(lambda entries: sorted(entries, key=lambda entry: entry.segment is Segment.PROTECTED))


@given(residents, st.integers(0, 1 << 22))
def test_victims_are_unpinned_coldest_first_and_never_spare(entries: list[Resident], excess: int) -> None:
    victims = plan_victims(entries, excess_bytes=excess)
    assert not any(each.is_pinned for each in victims)
    coldest = [each for each in entries if not each.is_pinned]
    assert list(victims) == coldest[: len(victims)]
    freed = sum(each.weight for each in victims)
    assert freed >= excess or len(victims) == len(coldest)
    assert not victims or freed - victims[-1].weight < excess


@given(residents, st.integers(0, 1 << 22))
def test_only_the_named_segment_is_planned(entries: list[Resident], excess: int) -> None:
    victims = plan_victims(entries, excess_bytes=excess, segments=frozenset({Segment.PROBATIONARY}))
    assert all(each.segment is Segment.PROBATIONARY for each in victims)


@given(residents, st.integers(0, 1 << 20), st.integers(0, 1 << 20))
def test_more_pressure_never_takes_less(entries: list[Resident], one: int, other: int) -> None:
    fewer = plan_victims(entries, excess_bytes=min(one, other))
    assert plan_victims(entries, excess_bytes=max(one, other))[: len(fewer)] == fewer


@pytest.mark.parametrize("is_idle", [False, True])
@pytest.mark.parametrize("action", PressureAction)
def test_time_decay_comes_first_and_idle_implies_it(action: PressureAction, is_idle: bool) -> None:
    plan = plan_eviction(action, is_idle=is_idle, target_tokens=12_345, preserve_turns=3)
    assert not is_idle or isinstance(plan.ops[0], TimeDecayMicro)
    expected = {
        PressureAction.NONE: [],
        PressureAction.SNIP_COMPACT: [Snip(0.10)],
        PressureAction.MICRO_COMPACT: [TimeDecayMicro()],
        PressureAction.CONTEXT_COLLAPSE: [Collapse(12_345)],
        PressureAction.AUTO_COMPACT: [AutoCompact(3)],
    }[action]
    assert list(plan.ops[is_idle:]) == expected
    assert plan.is_empty is (not is_idle and action is PressureAction.NONE)
    assert plan.has_time_decay is (is_idle or action is PressureAction.MICRO_COMPACT)


def test_labels_and_what_they_do_to_the_prompt_prefix() -> None:
    ops = [Spool("h1"), Snip(0.1), TimeDecayMicro(), Collapse(5000), AutoCompact(2)]
    assert [op.label for op in ops] == ["spool", "snip", "time_decay_micro", "collapse", "auto_compact"]
    assert [op.invalidates_prefix_at for op in ops] == [None, 0, None, 0, 0]
    assert EvictionPlan(tuple(ops)).invalidates_prefix_at == 0
    assert EvictionPlan((Spool("h1"), TimeDecayMicro())).invalidates_prefix_at is None


@given(st.text(max_size=300), st.integers(0, 200), st.integers(0, 100))
def test_a_preview_is_a_prefix_of_whole_characters(output: str, threshold: int, preview: int) -> None:
    decision = plan_spool(output, threshold_bytes=threshold, preview_bytes=preview)
    size = len(output.encode())
    assert (decision is None) is (threshold == 0 or size <= threshold)
    if decision is not None:
        head, _, marker = decision.preview.rpartition("\n[… spooled: ")
        assert output.startswith(head)
        assert len(head.encode()) <= preview
        assert decision.original_bytes == size
        assert marker.startswith(f"{size:,} bytes in all")


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=">= 0"):
        plan_victims([], excess_bytes=-1)
    with pytest.raises(ValueError, match=">= 0"):
        plan_spool("", threshold_bytes=-1, preview_bytes=0)
    with pytest.raises(ValueError, match=">= 0"):
        plan_eviction(PressureAction.NONE, is_idle=False, target_tokens=-1, preserve_turns=0)
