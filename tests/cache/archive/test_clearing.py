import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.clearing import ClearPolicy, ClearReason, clear_due, keywords_of, plan_clear
from penstock.cache.archive.entries import Entry
from penstock.cache.archive.events import EventKind, TouchedSpan
from penstock.cache.archive.importance import KeepReason


def entry(number: int, kind: EventKind = EventKind.READ, *, pinned: bool = False) -> Entry:
    span = (TouchedSpan(f"src/f{number}.py"),)
    return Entry(
        f"{number:016x}", kind, "read", f"f{number}.py", "text", (f"h{number}",), span, 1, number, number, is_pinned=pinned
    )


histories = st.lists(st.tuples(st.sampled_from(EventKind), st.booleans()), max_size=60).map(
    lambda some: [entry(number, kind, pinned=pinned) for number, (kind, pinned) in enumerate(some)]
)


@given(histories, st.floats(0, 1), st.integers(1, 100))
def test_what_is_kept_and_what_is_cleared_are_all_there_was(some: list[Entry], threshold: float, room: int) -> None:
    plan = plan_clear(some, ClearPolicy(threshold, max_entries=room))
    both = [one.entry for one in (*plan.kept, *plan.cleared)]
    assert sorted(both, key=lambda one: one.key) == sorted(some, key=lambda one: one.key)
    assert all(one.score >= threshold or one.entry.is_pinned for one in plan.kept)
    assert not any(one.entry.is_pinned for one in plan.cleared)


@given(histories, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_threshold_never_keeps_more(some: list[Entry], low: float, high: float) -> None:
    low, high = sorted((low, high))
    few = {one.entry.key for one in plan_clear(some, ClearPolicy(high)).kept}
    assert few <= {one.entry.key for one in plan_clear(some, ClearPolicy(low)).kept}


@pytest.mark.parametrize("wanted", ["h3", "src/f3.py", f"{3:016x}"])
def test_what_is_asked_for_is_kept_whatever_it_scores(wanted: str) -> None:
    plan = plan_clear([entry(number, EventKind.STATUS) for number in range(9)], ClearPolicy(1.0), keep=[wanted])
    assert [(one.entry.key, one.reason) for one in plan.kept] == [(f"{3:016x}", KeepReason.ASKED)]


def test_a_kind_and_a_folder_can_be_asked_for() -> None:
    some = [entry(1), entry(2, EventKind.SEARCH)]
    assert len(plan_clear(some, ClearPolicy(1.0), keep=["search"]).kept) == 1
    assert len(plan_clear(some, ClearPolicy(1.0), keep=["src"]).kept) == 2
    assert len(plan_clear(some, ClearPolicy(1.0), keep=["sr", ""]).kept) == 0


def test_a_clear_is_due_by_events_or_by_entries() -> None:
    policy = ClearPolicy(clear_after_events=10, max_entries=100)
    assert clear_due(policy, events_since_clear=9, entries=89) is None
    assert clear_due(policy, events_since_clear=10, entries=0) is ClearReason.CONVERSATION_LIMIT
    assert clear_due(policy, events_since_clear=0, entries=90) is ClearReason.MEMORY_THRESHOLD


def test_keywords_are_the_terms_of_most_entries() -> None:
    assert keywords_of([entry(1), entry(2)])[0] == "text"


@pytest.mark.parametrize("bad", [{"min_importance_to_preserve": 1.1}, {"clear_after_events": 0}, {"max_entries": 0}])
def test_a_policy_outside_its_bounds_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        ClearPolicy(**bad)  # pyright: ignore[reportArgumentType]
