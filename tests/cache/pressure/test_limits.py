"""Limits and the ratio p."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.pressure.limits import (
    MB,
    WORKER_FLOOR_BYTES,
    EffectiveLimit,
    plan_rss_limit,
    plan_worker_bytes,
    ratio_of,
    retained_cap,
)

sizes = st.integers(1, 1 << 45)


def test_a_large_machine_allows_512_mb_above_the_baseline() -> None:
    limit = plan_rss_limit(90 * MB, 16384 * MB)
    assert (limit.limit_bytes, limit.growth_bytes) == (602 * MB, 512 * MB)


def test_a_container_allows_half_of_its_limit() -> None:
    assert plan_rss_limit(90 * MB, 512 * MB).limit_bytes == 256 * MB


def test_a_container_hardly_larger_than_the_baseline_still_leaves_room_to_grow() -> None:
    limit = plan_rss_limit(90 * MB, 200 * MB)
    assert limit.limit_bytes == 145 * MB
    assert "half-way" in limit.reason


@given(st.integers(0, 1 << 45), sizes, sizes)
def test_the_limit_lies_above_the_baseline_and_never_above_512_mb_of_growth(baseline: int, effective: int, growth: int) -> None:
    limit = plan_rss_limit(baseline, effective, growth_bytes=growth)
    assert 0 < limit.growth_bytes <= growth
    assert limit.limit_bytes <= max(effective, baseline + 1)


@given(st.integers(0, 1 << 45), sizes)
def test_what_may_be_excused_keeps_the_process_below_its_effective_limit(baseline: int, effective: int) -> None:
    limit = plan_rss_limit(baseline, effective)
    excused = retained_cap(limit, effective)
    assert 0 <= excused <= limit.growth_bytes
    assert excused == 0 or limit.limit_bytes + excused <= 0.8 * effective


@pytest.mark.parametrize(("baseline", "effective", "growth"), [(-1, 1, 1), (0, 0, 1), (0, 1, 0)])
def test_impossible_numbers_are_refused(baseline: int, effective: int, growth: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        plan_rss_limit(baseline, effective, growth_bytes=growth)


def test_the_smallest_limit_is_the_effective_one() -> None:
    limit = EffectiveLimit.smallest_of({"total memory": 9, "cgroup": 5, "RLIMIT_DATA": 7})
    assert (limit.limit_bytes, limit.source) == (5, "cgroup")
    with pytest.raises(ValueError, match="candidates"):
        EffectiveLimit.smallest_of({})


def test_a_ratio_is_never_negative() -> None:
    assert ratio_of(-5, 10) == 0.0
    assert ratio_of(5, 10) == 0.5


shared_limits = st.integers(64, 1 << 20).map(lambda megabytes: megabytes * MB)


@given(st.integers(1, 4096), st.integers(0, 2000), shared_limits, st.integers(1, 8))
def test_the_workers_fit_beside_the_server_or_get_their_least(wanted: int, baseline: int, shared: int, children: int) -> None:
    effective = EffectiveLimit.smallest_of({"cgroup v2 /app memory.max": shared, "RLIMIT_DATA": 64 * MB})
    limit = plan_rss_limit(baseline * MB, shared)
    each = plan_worker_bytes(wanted * MB, limit, effective, children)
    assert each <= wanted * MB
    assert each <= WORKER_FLOOR_BYTES or limit.limit_bytes + children * each <= shared


def test_an_rlimit_does_not_divide_among_the_workers() -> None:
    effective = EffectiveLimit.smallest_of({"RLIMIT_DATA": 1024 * MB, "total memory": 16 * 1024 * MB})
    assert plan_worker_bytes(1024 * MB, plan_rss_limit(100 * MB, 1024 * MB), effective, 3) == 1024 * MB
    alone = EffectiveLimit.smallest_of({"RLIMIT_DATA": 1024 * MB})
    assert plan_worker_bytes(1024 * MB, plan_rss_limit(100 * MB, 1024 * MB), alone, 3) == 1024 * MB


def test_a_small_container_leaves_its_workers_less() -> None:
    effective = EffectiveLimit.smallest_of({"cgroup v2 / memory.max": 2048 * MB})
    assert plan_worker_bytes(1024 * MB, plan_rss_limit(118 * MB, 2048 * MB), effective, 3) == (2048 - 630) * MB // 3


@pytest.mark.parametrize(("wanted", "children"), [(0, 3), (1, 0)])
def test_worker_limits_must_be_positive(wanted: int, children: int) -> None:
    with pytest.raises(ValueError, match="children"):
        plan_worker_bytes(wanted, plan_rss_limit(0, MB), EffectiveLimit(MB, ""), children)
