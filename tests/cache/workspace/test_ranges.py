from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.errors import InvalidArgument
from penstock.cache.workspace.ranges import MAX_RANGES, LineRange, format_ranges, parse_ranges, plan_ranges


def line_range(first: int, more: int) -> LineRange:
    return LineRange(first, first + more)


def line_part(line: int, column: int, more: int | None) -> LineRange:
    return LineRange(line, line, column, None if more is None else column + more)


numbers = st.integers(1, 60)
whole = st.builds(line_range, numbers, st.integers(0, 20))
opened = st.builds(LineRange, numbers, st.none())
tails = st.builds(LineRange, st.integers(-60, -1), st.none())
parts = st.builds(line_part, numbers, st.integers(1, 90), st.none() | st.integers(0, 20))
ranges = st.lists(whole | opened | tails | parts, min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", (LineRange(5, 5),)),
        ("10-40,80-", (LineRange(10, 40), LineRange(80, None))),
        ("-20", (LineRange(-20, None),)),
        (" 1 - 3 , 7 ", (LineRange(1, 3), LineRange(7, 7))),
        ("7:16385-", (LineRange(7, 7, 16385),)),
        ("7:1-100", (LineRange(7, 7, 1, 100),)),
        ("7:3", (LineRange(7, 7, 3, 3),)),
    ],
)
def test_ranges_are_read(text: str, expected: tuple[LineRange, ...]) -> None:
    assert parse_ranges(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "1,",
        "0",
        "0-5",
        "5-0",
        "40-10",
        "a",
        "1-2-3",
        "-0",
        "-",
        "1:0-",
        "1:5-2",
        "--5",
        "1 2",
        "1.5",
        "²",
        "٣",
        "9" * 5000,
        ":1",
        "1:",
    ],
)
def test_what_is_no_range_is_an_invalid_argument(text: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse_ranges(text)
    assert len(str(caught.value)) < 400
    assert caught.value.next_call


def test_too_many_ranges_are_refused() -> None:
    assert len(parse_ranges(",".join(["1"] * MAX_RANGES))) == MAX_RANGES
    with pytest.raises(InvalidArgument):
        parse_ranges(",".join(["1"] * (MAX_RANGES + 1)))


@given(st.text(alphabet="0123456789-,: x", max_size=20))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        found = parse_ranges(text)
    except InvalidArgument:
        return
    assert parse_ranges(format_ranges(found)) == found


@given(ranges)
def test_formatted_ranges_parse_back(items: list[LineRange]) -> None:
    assert list(parse_ranges(format_ranges(items))) == items


def lines_of(items: tuple[LineRange, ...] | list[LineRange], total: int) -> set[int]:
    found: set[int] = set()
    for item in items:
        first = total + item.first + 1 if item.first < 0 else item.first
        found.update(range(max(first, 1), (total if item.last is None else min(item.last, total)) + 1))
    return found


@given(ranges, st.integers(0, 50))
def test_a_plan_covers_the_asked_lines_in_order_and_once(items: list[LineRange], total: int) -> None:
    planned = plan_ranges(items, total)
    assert lines_of(planned, total) == lines_of(items, total)
    wholes = [item for item in planned if item.column is None]
    for before, after in pairwise(wholes):
        assert before.last is not None
        assert after.first > before.last + 1
    assert plan_ranges(planned, total) == planned


@given(ranges)
def test_without_a_total_the_widest_tail_comes_last(items: list[LineRange]) -> None:
    planned = plan_ranges(items)
    counts = [item.first for item in items if item.first < 0]
    assert [item.first for item in planned if item.first < 0] == ([min(counts)] if counts else [])
    assert not counts or planned[-1].first < 0


@pytest.mark.parametrize(
    "wrong",
    [
        (0, 1, None, None),
        (5, 4, None, None),
        (-1, 3, None, None),
        (1, 2, 3, None),
        (1, 1, 0, None),
        (1, 1, 5, 4),
        (1, 1, None, 4),
    ],
)
def test_a_range_is_checked_when_it_is_made(wrong: tuple[int, int, int | None, int | None]) -> None:
    with pytest.raises(ValueError, match="must be"):
        LineRange(*wrong)
