"""How long a search waits for a build."""

import math

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.index.patience import Patience

times = st.floats(0, 100)


@given(times, times, st.booleans(), times, times, st.booleans())
def test_a_wait_ends_in_time_and_never_without_a_reason(
    now: float, more: float, is_first: bool, later: float, expected_s: float, has_documents: bool
) -> None:
    patience = Patience.of(now, now + more, is_first=is_first)
    at = now + later
    is_over = patience.is_over(at, expected_s=expected_s, has_documents=has_documents)
    if at >= patience.until:
        assert is_over
    elif is_over:
        assert has_documents
        assert expected_s > patience.until - at


def test_a_first_search_waits_half_its_time_for_something_to_search() -> None:
    patience = Patience.of(100.0, 120.0, is_first=True)
    assert not patience.is_over(109.0, expected_s=math.inf, has_documents=True)
    assert patience.is_over(110.0, expected_s=math.inf, has_documents=True)
    assert not patience.is_over(119.9, expected_s=math.inf, has_documents=False)


def test_a_later_search_only_glances_at_a_long_build_and_waits_for_a_short_one() -> None:
    patience = Patience.of(100.0, 120.0, is_first=False)
    assert patience.is_over(101.5, expected_s=600.0, has_documents=True)
    assert not patience.is_over(101.5, expected_s=10.0, has_documents=True)
