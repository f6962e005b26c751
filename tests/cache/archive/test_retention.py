import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.retention import DAY_S, RetentionPolicy, SessionAge, is_active, plan_maintenance, plan_trim

NOW = 1_800_000_000.0

sessions = st.lists(
    st.builds(
        SessionAge,
        st.integers(0, 10**6).map(str),
        st.floats(-10 * DAY_S, 400 * DAY_S).map(lambda age: NOW - age),
        st.integers(0, 3),
        st.integers(0, 100),
        st.booleans(),
        st.booleans(),
    ),
    max_size=20,
    unique_by=lambda session: session.id,
)


@given(sessions, st.integers(0, 10**9))
def test_maintenance_never_removes_an_active_or_never_cleared_session(some: list[SessionAge], used: int) -> None:
    plan = plan_maintenance(some, RetentionPolicy(), now_s=NOW, used_bytes=used)
    by_id = {session.id: session for session in some}
    for id_ in plan.remove:
        session = by_id[id_]
        assert session.clears > 0
        assert not session.is_current
        assert NOW - session.active_s > 30 * DAY_S
    for id_ in plan.clear:
        assert not is_active(by_id[id_], RetentionPolicy(), now_s=NOW)
    assert not set(plan.remove) & set(plan.clear)


def test_idle_sessions_are_cleared_for_room_least_recently_active_first() -> None:
    some = [SessionAge("young", NOW - 2 * DAY_S, 0, 5), SessionAge("old", NOW - 9 * DAY_S, 0, 5), SessionAge("live", NOW, 0, 5)]
    assert plan_maintenance(some, RetentionPolicy(), now_s=NOW, used_bytes=0).clear == ()
    assert plan_maintenance(some, RetentionPolicy(), now_s=NOW, used_bytes=1 << 40).clear == ("old", "young")


def test_a_named_session_lives_longer() -> None:
    some = [SessionAge("named", NOW - 60 * DAY_S, 1, 0, True), SessionAge("other", NOW - 60 * DAY_S, 1)]
    assert plan_maintenance(some, RetentionPolicy(), now_s=NOW, used_bytes=0).remove == ("other",)


def test_a_clock_that_was_set_back_makes_sessions_active() -> None:
    assert is_active(SessionAge("future", NOW + DAY_S, 1), RetentionPolicy(), now_s=NOW)


@given(st.lists(st.integers(1, 1000), max_size=50), st.integers(-10, 40_000))
def test_a_trim_takes_the_oldest_and_never_the_newest_tenth(sizes: list[int], excess: int) -> None:
    numbered = list(enumerate(sizes, 1))
    until = plan_trim(numbered, excess=excess)
    if excess <= 0 or not sizes:
        assert until == 0
        return
    freed = sum(size for seq, size in numbered if seq <= until)
    assert freed >= excess or until == max(1, len(sizes) - len(sizes) // 10)
    assert sum(size for seq, size in numbered if seq < until) < excess


@pytest.mark.parametrize("bad", [{"active_s": 0}, {"max_bytes": 1}, {"max_events": 0}])
def test_a_policy_outside_its_bounds_is_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        RetentionPolicy(**bad)
