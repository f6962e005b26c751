import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.errors import InvalidArgument
from penstock.cache.workspace.ranges import LineRange, parse_ranges
from penstock.cache.workspace.text import count_lines, line_offsets, slice_lines
from penstock.cache.workspace.window import WindowReader

LINES = st.lists(st.text(alphabet="ab é世\r", max_size=60), max_size=30).map(lambda lines: "\n".join(lines).encode())


def line_range(first: int, more: int) -> LineRange:
    return LineRange(first, first + more)


RANGES = st.lists(
    st.builds(line_range, st.integers(1, 35), st.integers(0, 10))
    | st.builds(LineRange, st.integers(1, 35) | st.integers(-35, -1), st.none()),
    min_size=1,
    max_size=4,
)


def window(
    data: bytes, ranges: str, max_bytes: int = 64, *, counted: int = 1 << 20, block: int = 32, encoding: str = "utf-8"
) -> WindowReader:
    reader = WindowReader(
        lambda offset, length: data[offset : offset + length],
        len(data),
        encoding,
        max_bytes=max_bytes,
        check=lambda: None,
        counted_bytes=counted,
        block_bytes=block,
    )
    reader.run(parse_ranges(ranges))
    return reader


def asked(data: bytes, ranges: list[LineRange]) -> bytes:
    total = count_lines(data)
    wanted: set[int] = set()
    for item in ranges:
        first = max(1, total + item.first + 1) if item.first < 0 else item.first
        wanted.update(range(first, (total if item.last is None else min(item.last, total)) + 1))
    return b"".join(slice_lines(data, line, line) for line in sorted(wanted))


@settings(max_examples=200)
@given(LINES, RANGES, st.integers(64, 200))
def test_following_the_continuations_gives_exactly_the_asked_lines(data: bytes, ranges: list[LineRange], max_bytes: int) -> None:
    expected = asked(data, ranges)
    spelled = ",".join(str(item) for item in ranges)
    got = b""
    if not expected:
        if data:
            with pytest.raises(InvalidArgument):
                window(data, spelled, max_bytes)
        return
    offsets = line_offsets(data)
    for _ in range(200):
        step = window(data, spelled, max_bytes)
        assert sum(len(part.data) for part in step.parts) <= max_bytes
        for part in step.parts:
            start = offsets[part.first - 1] + part.column - 1
            assert data[start : start + len(part.data)] == part.data
            assert part.last == part.first + count_lines(part.data) - 1
            part.data.decode()
            got += part.data
        if step.is_complete:
            break
        spelled = step.next_lines
    assert got == expected


@given(LINES, st.integers(1, 12), st.integers(64, 300))
def test_the_tail_of_a_huge_file_is_its_last_whole_lines(data: bytes, count: int, max_bytes: int) -> None:
    if not data:
        return
    reader = window(data, f"-{count}", max_bytes, counted=0)
    [part] = reader.parts
    expected = asked(data, [LineRange(-count, None)])
    assert expected.endswith(part.data)
    assert part.last == -1
    assert len(part.data) <= max_bytes
    if reader.is_complete:
        assert part.data == expected
        assert part.first == -count_lines(expected)
    else:
        # As much as there is room for may be cut too: the byte before it, which says where its first line begins, is not read.
        assert len(expected) >= max_bytes
        assert part.column == 1 or len(part.data) > max_bytes - 4


def test_a_tail_larger_than_the_window_begins_at_a_line_or_inside_the_last() -> None:
    lines = b"".join(b"%030d\n" % number for number in range(20))
    [part] = window(lines, "-5", 70, counted=0).parts
    assert (part.first, part.data) == (-2, lines[-62:])
    reader = window("é".encode() * 200, "-5", 65, counted=0)
    [part] = reader.parts
    assert (part.data.decode(), part.column, reader.is_complete, reader.next_lines) == ("é" * 32, 0, False, "")
    reader = window(b"first\n" + lines, "1,-2", 200, counted=0)
    assert [part.data for part in reader.parts] == [b"first\n", lines[-62:]]
    assert reader.is_complete


def test_ranges_that_do_not_fit_any_more_are_named_for_the_next_call() -> None:
    data = b"a" * 50 + b"\n" + b"b" * 100 + b"\n" + b"c\n"
    reader = window(data, "1,2:5-,3")
    assert ([part.first for part in reader.parts], reader.next_lines) == ([1], "2:5-,3")


def test_a_line_larger_than_the_window_goes_on_by_column() -> None:
    data = b"short\n" + b"x" * 100 + b"\nlast"
    first = window(data, "1-3")
    assert ([part.data for part in first.parts], first.next_lines) == ([b"short\n"], "2-3")
    second = window(data, "2-3")
    assert (second.parts[0].data, second.parts[0].is_cut, second.next_lines) == (b"x" * 64, True, "2:65-,3")
    third = window(data, "2:65-,3")
    assert [part.data for part in third.parts] == [b"x" * 36 + b"\n", b"last"]
    assert third.parts[0].column == 65
    assert third.is_complete


def test_columns_end_at_the_end_of_their_line() -> None:
    data = b"abc\ndefgh\n"
    assert [part.data for part in window(data, "2:2-4").parts] == [b"efg"]
    assert window(data, "2:2-4").parts[0].is_cut
    assert [part.data for part in window(data, "1:3-100").parts] == [b"c\n"]
    assert [part.data for part in window(data, "1:4").parts] == [b"\n"]
    with pytest.raises(InvalidArgument):
        window(data, "1:5-")
    with pytest.raises(InvalidArgument):
        window(data, "3:1-")


def test_columns_inside_characters_move_inwards() -> None:
    data = "é世é\n".encode()
    [part] = window(data, "1:2-6").parts
    assert (part.data.decode(), part.column) == ("世", 3)


def test_a_wide_line_is_cut_between_characters_and_goes_on() -> None:
    data = ("\U0001f600" * 40 + "\n").encode("utf-16-le")
    spelled, got = "1", b""
    for _ in range(10):
        step = window(data, spelled, 66, encoding="utf-16-le")
        for part in step.parts:
            part.data.decode("utf-16-le")
            got += part.data
        if step.is_complete:
            break
        spelled = step.next_lines
    assert got == data


def test_lines_that_are_not_there_are_an_invalid_argument() -> None:
    with pytest.raises(InvalidArgument) as caught:
        window(b"a\nb\n", "7-9")
    assert "2 lines" in caught.value.why
    assert window(b"", "1-5").parts == []


def test_the_end_of_the_file_gives_the_number_of_lines() -> None:
    assert window(b"a\nb\nc", "2-").total_lines == 3
    assert window(b"a\nb\nc\n", "1").total_lines is None


def test_a_window_has_room_for_a_character() -> None:
    with pytest.raises(ValueError, match="max_bytes"):
        window(b"a", "1", 8)


def test_a_file_that_shrinks_meanwhile_is_no_trap() -> None:
    reader = WindowReader(lambda offset, length: b"", 1000, "utf-8", max_bytes=100, check=lambda: None, counted_bytes=0)
    with pytest.raises(InvalidArgument):
        reader.run(parse_ranges("-5"))
