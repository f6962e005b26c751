"""Excerpts of outputs too large to hold."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.filters.engine import compress_document
from penstock.tools.filters.excerpt import excerpt
from penstock.tools.filters.filter import Focus
from tests.tools.filters.conftest import check_whole, rough

OUTPUTS = st.lists(
    st.one_of(st.binary(max_size=40), st.just(b"some ERROR here"), st.just(b"plain line")).map(lambda line: line + b"\n"),
    max_size=200,
).map(b"".join)


@given(OUTPUTS, st.integers(1, 500))
def test_lines_and_skips_add_up(data: bytes, end_bytes: int) -> None:
    document = excerpt(data, len(data), end_bytes=end_bytes)
    total = data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
    if b"\n" * 2 not in data and data.find(b"\n") < end_bytes:
        assert abs(document.total_lines - total) <= 2  # a line longer than the ends counts in both of its parts
    result = compress_document(document, Focus(60), rough)
    check_whole(result)


def test_the_ends_and_the_errors_between_are_there() -> None:
    lines = [b"line %d\n" % i for i in range(10_000)]
    lines[5000] = b"fatal: planted\n"
    data = b"".join(lines)
    document = excerpt(data, len(data), end_bytes=2000)
    assert document.total_lines == 10_000
    assert "fatal: planted" in document.lines
    assert {"line 0", "line 9999", "line 4998", "line 5002"} <= set(document.lines)
    result = compress_document(document, Focus(200), rough)
    assert "fatal: planted" in result.text
    at = 0
    for line in result.body_lines():
        if line.startswith("… "):
            first, last = map(int, line.split("(")[1].split(")")[0].split("-"))
            assert first == at + 1
            at = last
        else:
            at += 1
            assert line == lines[at - 1].decode().rstrip("\n")
    assert at == 10_000


def test_one_endless_line_is_cut_at_the_ends() -> None:
    data = b"x" * 100_000
    document = excerpt(data, len(data), end_bytes=1000)
    assert len(document.text) <= 2100


def test_a_query_is_looked_for_in_the_middle() -> None:
    data = b"".join(b"line %d of text\n" % i for i in range(5000))
    assert "line 2500 of text" in excerpt(data, len(data), end_bytes=500, query="line 2500").text
