from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.entries import Entry
from penstock.cache.archive.events import EventKind
from penstock.cache.archive.importance import (
    DEFAULT_MIN_IMPORTANCE,
    KIND_WEIGHTS,
    KeepReason,
    importance_of,
    score_entries,
)


def entry(kind: EventKind = EventKind.READ, last: int = 0, **changes: object) -> Entry:
    return replace(Entry("k", kind, "read", "a.py", "text", (), (), 1, 0, last), **changes)  # pyright: ignore[reportArgumentType]


entries = st.builds(
    entry,
    st.sampled_from(EventKind),
    st.integers(0, 5_000),
    count=st.integers(1, 500),
    engagements=st.integers(0, 500),
    is_error=st.booleans(),
    is_pinned=st.booleans(),
)


def test_every_kind_has_a_weight_between_0_and_1() -> None:
    assert set(KIND_WEIGHTS) == set(EventKind)
    assert all(0 < weight <= 1 for weight in KIND_WEIGHTS.values())


@given(entries, st.integers(0, 10_000))
def test_a_score_is_between_0_and_1(one: Entry, newest: int) -> None:
    assert 0 <= importance_of(one, newest_seq=newest).score <= 1


@given(entries)
def test_more_use_never_lowers_a_score(one: Entry) -> None:
    before = importance_of(one, newest_seq=5_000).score
    assert importance_of(replace(one, count=one.count + 1), newest_seq=5_000).score >= before
    assert importance_of(replace(one, engagements=one.engagements + 1), newest_seq=5_000).score >= before
    assert importance_of(replace(one, last_seq=one.last_seq + 1), newest_seq=5_001).score >= before - 1e-9
    assert importance_of(replace(one, is_error=True), newest_seq=5_000).score >= before


def test_goals_decisions_and_failures_outlive_any_age() -> None:
    for kind in (EventKind.GOAL, EventKind.DECISION, EventKind.FAILURE, EventKind.OPEN_END):
        assert importance_of(entry(kind), newest_seq=100_000).score >= DEFAULT_MIN_IMPORTANCE
    assert importance_of(entry(EventKind.SEARCH, is_error=True), newest_seq=100_000).score >= DEFAULT_MIN_IMPORTANCE


def test_a_file_read_once_is_kept_while_recent_or_engaged() -> None:
    assert importance_of(entry(last=100), newest_seq=105).score >= DEFAULT_MIN_IMPORTANCE
    assert importance_of(entry(last=100), newest_seq=300).score < DEFAULT_MIN_IMPORTANCE
    engaged = importance_of(entry(last=100, count=4, engagements=5), newest_seq=10_000)
    assert engaged.score >= DEFAULT_MIN_IMPORTANCE
    assert engaged.reason is KeepReason.ENGAGED


def test_pinned_entries_come_first() -> None:
    scored = score_entries([entry(EventKind.GOAL), entry(EventKind.STATUS, key="p", is_pinned=True)])
    assert [one.entry.key for one in scored] == ["p", "k"]
    assert scored[0].reason is KeepReason.PINNED
