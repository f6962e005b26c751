import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.columns import (
    SqlValue,
    float_of,
    int_of,
    optional_float_of,
    optional_text_of,
    pack_text,
    storable,
    strings_of,
    text_of,
    unpack_text,
)

any_text = st.text(st.characters(exclude_categories=()))


@given(any_text)
def test_a_packed_text_comes_back_exactly(text: str) -> None:
    assert unpack_text(pack_text(text)) == text


@given(any_text)
def test_a_storable_text_is_utf8_and_the_same_where_it_could_be(text: str) -> None:
    stored = storable(text)
    stored.encode("utf-8")
    assert storable(stored) == stored


@pytest.mark.parametrize("value", [None, "text", b"", b"junk", zlib.compress(b"x" * 100)[:-5], zlib.compress(b"\0" * (65 << 20))])
def test_a_damaged_text_is_refused_and_never_inflates_without_bound(value: SqlValue) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack_text(value)


def test_a_value_of_another_type_is_a_damaged_row() -> None:
    for read, wrong in (
        (int_of, "1"),
        (float_of, "1"),
        (text_of, 1),
        (strings_of, "3"),
        (optional_text_of, 1),
        (optional_float_of, "x"),
    ):
        with pytest.raises(ValueError, match="damaged"):
            read(wrong)
    assert (optional_text_of(None), optional_float_of(None), float_of(1), strings_of('["a"]')) == (None, None, 1.0, ("a",))
