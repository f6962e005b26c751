"""How long a search waits for a build."""

import math

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.index.patience import Patience

times = st.floats(0, 100)


@given(times, times, st.booleans(), st.booleans(), times, times, st.booleans())
def test_a_wait_ends_in_time_and_never_without_a_reason(
    now: float, more: float, is_first: bool, is_long: bool, later: float, expected_s: float, has_documents: bool
) -> None:
    patience = Patience.of(now, now + more, is_first=is_first, is_long=is_long)
    assert now <= patience.whole_until <= patience.until
    at = now + later
    is_over = patience.is_over(at, expected_s=expected_s, has_documents=has_documents)
    if at >= patience.until:
        assert is_over
    elif is_over:
        assert has_documents
        assert expected_s > patience.whole_until - at


def test_a_first_search_waits_half_its_time_for_something_to_search() -> None:
    patience = Patience.of(100.0, 120.0, is_first=True)
    assert not patience.is_over(109.0, expected_s=math.inf, has_documents=True)
    assert patience.is_over(110.0, expected_s=math.inf, has_documents=True)
    assert not patience.is_over(119.9, expected_s=math.inf, has_documents=False)


def test_a_later_search_only_glances_at_a_long_build_and_waits_for_a_short_one() -> None:
    patience = Patience.of(100.0, 120.0, is_first=False)
    assert patience.is_over(101.5, expected_s=600.0, has_documents=True)
    assert not patience.is_over(101.5, expected_s=10.0, has_documents=True)


def test_a_long_build_is_given_two_seconds_for_its_first_files_and_its_end_is_awaited_only_if_it_is_near() -> None:
    first = Patience.of(100.0, 120.0, is_first=True, is_long=True)
    assert not first.is_over(101.9, expected_s=600.0, has_documents=True)
    assert first.is_over(102.0, expected_s=600.0, has_documents=True)
    assert not first.is_over(119.9, expected_s=600.0, has_documents=False)
    later = Patience.of(100.0, 120.0, is_first=False, is_long=True)
    assert later.is_over(101.0, expected_s=20.0, has_documents=True)
    assert not later.is_over(101.0, expected_s=4.0, has_documents=True)
    assert later.is_over(111.0, expected_s=0.1, has_documents=True), "it took longer than it was expected to"
