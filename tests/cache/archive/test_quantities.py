from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.quantities import Quantity, parse_quantity


@pytest.mark.parametrize(
    ("token", "following", "dimension", "value", "uses"),
    [
        ("30", "s", "time", 30, True),
        ("30s", "", "time", 30, False),
        ("0.5", "min", "time", 30, True),
        ("2", "hours", "time", 7200, True),
        ("1,500", "ms", "time", Fraction(3, 2), True),
        ("64", "MiB", "bytes", 64 << 20, True),
        ("64MB", "", "bytes", 64_000_000, False),
        ("10k", "", "", 10_000, False),
        ("two", "million", "", 2_000_000, True),
        ("50%", "", "ratio", Fraction(1, 2), False),
        ("0x10", "", "", 16, False),
        ("-5", "", "", -5, False),
        ("twelve", "files", "", 12, False),
    ],
)
def test_a_number_with_its_unit_is_one_value(token: str, following: str, dimension: str, value: Fraction, uses: bool) -> None:
    assert parse_quantity(token, following) == (Quantity(dimension, Fraction(value)), uses)


@pytest.mark.parametrize("token", ["3.11.2", "2026-11-21", "3.10", "10-20", "utf8", "5m", "100Mb", "", "1,2", "h12"])
def test_versions_dates_and_what_is_ambiguous_are_no_quantities(token: str) -> None:
    assert parse_quantity(token) is None


@given(st.text(max_size=12), st.text(max_size=8))
def test_any_text_is_read_without_an_error(token: str, following: str) -> None:
    parse_quantity(token, following)
