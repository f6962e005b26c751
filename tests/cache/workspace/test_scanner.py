import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.workspace.scanner import LineScanner, ReadAt, line_unit
from penstock.cache.workspace.text import count_lines, line_offsets, slice_lines

LINES = st.lists(st.binary(max_size=9), max_size=25).map(b"\n".join)
BLOCKS = st.sampled_from([1, 4, 7, 64])


def reader(data: bytes) -> ReadAt:
    return lambda offset, length: data[offset : offset + length]


def scan(data: bytes, block_bytes: int = 4, encoding: str = "latin-1") -> LineScanner:
    return LineScanner(reader(data), line_unit(encoding), lambda: None, block_bytes)


@given(LINES, st.lists(st.integers(1, 30), min_size=1, max_size=4).map(sorted), BLOCKS)
def test_seeking_forward_finds_each_line_where_it_begins(data: bytes, lines: list[int], block_bytes: int) -> None:
    scanner = scan(data, block_bytes)
    offsets = line_offsets(data)
    for line in lines:
        assert scanner.seek(line) == (line <= len(offsets))
        if line <= len(offsets):
            assert scanner.offset == offsets[line - 1]
        else:
            assert scanner.total_lines == len(offsets)


@given(LINES, st.integers(1, 12), st.none() | st.integers(1, 12), st.integers(0, 80), BLOCKS)
def test_reading_gives_the_lines_or_more_than_there_is_room_for(
    data: bytes, line: int, count: int | None, room: int, block_bytes: int
) -> None:
    scanner = scan(data, block_bytes)
    if not scanner.seek(line):
        return
    expected = slice_lines(data, line, count_lines(data) if count is None else line + count - 1)
    got, is_all = scanner.read(count, room)
    if is_all:
        assert got == expected
        assert len(got) <= room
    else:
        assert len(got) > room
        assert expected.startswith(got)


@given(LINES, BLOCKS)
def test_counting_to_the_end_counts_all_lines(data: bytes, block_bytes: int) -> None:
    assert scan(data, block_bytes).count_to_end() == count_lines(data)


@given(LINES, st.integers(1, 8), st.integers(0, 12), BLOCKS)
def test_a_line_reaches_as_far_as_it_is_long(data: bytes, line: int, length: int, block_bytes: int) -> None:
    scanner = scan(data, block_bytes)
    if scanner.seek(line):
        assert scanner.reaches(length) == (len(slice_lines(data, line, line)) > length)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@given(
    text=st.lists(st.text(alphabet="a\u0a00\u010a\u0a0a\U0001f600", max_size=5), max_size=9).map("\n".join),
    block=st.sampled_from([4, 64]),
)
def test_wide_encodings_have_the_lines_of_their_text(encoding: str, text: str, block: int) -> None:
    """U+0A00 and U+010A hold the byte of a newline, in either half."""
    data = text.encode(encoding)
    lines = text.split("\n")
    total = len(lines) - (not lines[-1])
    assert scan(data, block, encoding).count_to_end() == total
    scanner = scan(data, block, encoding)
    for number in range(1, total + 1):
        assert scanner.seek(number)
        got, _ = scanner.read(1, 1 << 16)
        assert got.decode(encoding).rstrip("\n") == lines[number - 1]


@given(st.text(alphabet="aé世\U0001f600", min_size=1, max_size=20), st.integers(4, 60))
def test_a_cut_falls_between_characters(text: str, end: int) -> None:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le"):
        data = text.encode(encoding)
        cut = line_unit(encoding).cut_before(data, end)
        assert 0 < cut <= max(end, 4)
        assert text.startswith(data[:cut].decode(encoding))


@given(st.text(alphabet="aé世\U0001f600", min_size=1, max_size=20), st.integers(0, 60))
def test_a_start_inside_a_character_moves_to_the_next(text: str, offset: int) -> None:
    for encoding in ("utf-8", "utf-16-le", "utf-32-le"):
        data = text.encode(encoding)
        rest = data[offset:]
        if encoding == "utf-16-le" and "\U0001f600" in text:
            continue  # the second half of a surrogate pair begins at an even offset too
        skip = line_unit(encoding).next_start(rest, offset)
        assert text.endswith(rest[skip:].decode(encoding))


def test_a_scan_notices_that_its_time_is_over() -> None:
    def over() -> None:
        raise TimeoutError

    scanner = LineScanner(reader(b"a\nb\n"), line_unit("utf-8"), over)
    with pytest.raises(TimeoutError):
        scanner.seek(2)
