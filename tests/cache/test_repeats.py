"""Blocks sent once per call: every reference leads to the same bytes, which are shown."""

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.delta import split_lines
from penstock.cache.repeats import Repeat, plan_repeats

LICENCE = b"# The same licence in every file, and long enough to be worth it.\n" * 6 + b"\n"
NOTICE = b"# A second paragraph that several files have in common, word for word.\n" * 5 + b"\n"
texts = st.lists(st.sampled_from([LICENCE, NOTICE, b"x = 1\n", b"\n", b"y = 2"]), max_size=6).map(b"".join)


def lines_of(text: bytes, first: int, last: int) -> bytes:
    return b"".join(split_lines(text)[first - 1 : last])


@given(st.lists(texts, max_size=5))
@settings(max_examples=200)
def test_a_reference_leads_to_the_same_lines_that_are_shown(files: list[bytes]) -> None:
    repeats = plan_repeats(files)
    left_out = {(each.text, line) for each in repeats for line in range(each.first, each.last + 1)}
    for each in repeats:
        assert each.of_text < each.text
        here = lines_of(files[each.text], each.first, each.last)
        assert here == lines_of(files[each.of_text], each.of_first, each.of_last)
        assert len(here) == each.size_bytes
        assert not {(each.of_text, line) for line in range(each.of_first, each.of_last + 1)} & left_out


def test_a_header_is_sent_once() -> None:
    files = [LICENCE + NOTICE + b"a = 1\n", b"# b\n\n" + LICENCE + NOTICE + b"b = 1\n", b"c = 1\n"]
    assert plan_repeats(files) == (Repeat(1, 3, 15, 0, 1, len(LICENCE + NOTICE)),)


def test_nothing_is_left_out_of_one_text() -> None:
    assert plan_repeats([LICENCE + LICENCE]) == ()
    assert plan_repeats([]) == ()
