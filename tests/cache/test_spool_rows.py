"""Rows of the spool: round trips, and damage that is noticed instead of served."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.handles import Handle, HandleKind, Residency
from penstock.cache.spool_rows import Row, handle_of, pack, unpack

values = st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), st.text(max_size=9), st.binary(max_size=9))


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=9).map(lambda part: part * 200)))
def test_what_is_packed_is_unpacked(data: bytes) -> None:
    codec, packed = pack(data)
    assert len(packed) <= len(data)
    assert unpack((len(data), codec, packed)) == data


@given(values, values, values)
def test_damaged_payload_rows_are_bytes_or_none(size: int, codec: int, packed: bytes) -> None:
    found = unpack((size, codec, packed))
    assert found is None or isinstance(found, bytes)


def test_a_payload_that_inflates_beyond_its_size_is_damaged() -> None:
    codec, packed = pack(b"\0" * 1_000_000)
    assert unpack((1000, codec, packed)) is None


@given(st.tuples(values, values, st.sampled_from([b"tool_result", b"unheard of"]), *[values] * 7))
def test_damaged_handle_rows_are_handles_or_none(row: Row) -> None:
    found = handle_of(row)
    assert found is None or isinstance(found, Handle)


def test_a_handle_row_is_read_back() -> None:
    row: Row = (b"h1", b"ab" * 32, b"tool_result", b"a\xed\xb3\xbf", 3, 4, 1.0, 2.0, 1, 1)
    residency = Residency.spooled("spool:" + "ab" * 6)
    assert handle_of(row) == Handle("h1", HandleKind.TOOL_RESULT, residency, 3, "a\udcff", "ab" * 32, 4, 1.0, 2.0, True)
