"""Stable text comes first, breakpoints sit where a reader would cut, and nothing is lost on the way."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache import alignment
from penstock.cache.alignment import CacheBlock, align, cache_order_code, compute_delta, order_blocks, plan_breakpoints
from penstock.cache.tokens import TokenCount


class Words:
    """Counts words, so that figures in these tests can be checked by eye."""

    def count(self, text: str) -> TokenCount:
        return TokenCount(len(text.split()))


WORDS = Words()
LINE = st.sampled_from(["", "a", "b", "  c", "import x", "class K:", "## h", "---", "# note", "@d", ")", "x = (", "use io;"])
TEXT = st.lists(LINE, max_size=30).map("\n".join)
BLOCKS = st.lists(
    st.builds(CacheBlock, st.text("abc", min_size=1, max_size=3), TEXT, st.booleans(), st.integers(0, 2), st.integers(0, 9)),
    max_size=8,
    unique_by=lambda block: block.id,
)


def section(words: int) -> str:
    return "word " * (words - 1) + "end\n\n"


@given(BLOCKS, st.permutations(range(8)))
def test_the_order_of_arrival_never_shows(blocks: list[CacheBlock], places: list[int]) -> None:
    shuffled = [blocks[place] for place in places if place < len(blocks)]
    assert align(shuffled, WORDS) == align(blocks, WORDS)


@given(BLOCKS)
def test_stable_blocks_come_first_and_all_blocks_are_there(blocks: list[CacheBlock]) -> None:
    ordered = order_blocks(blocks)
    assert sorted(ordered, key=lambda block: block.id) == sorted(blocks, key=lambda block: block.id)
    flags = [block.is_stable for block in ordered]
    assert flags == sorted(flags, reverse=True)
    for left, right in itertools.pairwise(ordered):
        assert left.is_stable != right.is_stable or left.priority <= right.priority
    text = align(blocks, WORDS).text
    assert text.replace("\n", "") == "".join(block.content for block in ordered).replace("\n", "")


def test_a_changed_variable_block_leaves_the_stable_prefix_alone() -> None:
    stable = alignment.stable_block("rules", "always the same", WORDS, priority=5)
    before = align([alignment.variable_block("now", "one", WORDS), stable], WORDS)
    after = align([alignment.variable_block("now", "two", WORDS), stable], WORDS)
    assert before.text == "always the same\none"
    assert after.text == "always the same\ntwo"
    assert before.efficiency == 0.75


def test_two_blocks_of_one_id_are_refused() -> None:
    block = CacheBlock("a", "x", is_stable=True, priority=0, tokens=1)
    with pytest.raises(ValueError, match="distinct"):
        order_blocks([block, block])


def test_nothing_has_no_efficiency_and_no_breakpoints() -> None:
    empty = align([], WORDS)
    assert (empty.text, empty.breakpoints, empty.efficiency) == ("", (), 0.0)


@given(st.lists(st.integers(1, 900), max_size=40), st.integers(1, 5))
def test_breakpoints_are_few_far_apart_and_between_lines(sizes: list[int], cut: int) -> None:
    pieces = [(f"b{place}", "".join(section(size) for size in sizes[place::cut])) for place in range(cut)]
    text = "".join(piece for _, piece in pieces)
    found = plan_breakpoints(pieces, WORDS)
    assert len(found) <= alignment.MAX_BREAKPOINTS
    edges = [0, *(one.tokens for one in found)]
    assert all(right - left >= alignment.MIN_BREAKPOINT_TOKENS for left, right in itertools.pairwise(edges))
    for one in found:
        assert text[: one.offset].endswith("\n\n")
        assert one.tokens == WORDS.count(text[: one.offset]).tokens
    assert bool(found) == (sum(sizes) >= alignment.MIN_BREAKPOINT_TOKENS)
    if found:
        assert found[-1].offset == len(text)


def test_a_long_stable_text_gets_all_four_breakpoints_about_evenly() -> None:
    found = plan_breakpoints([("doc", section(100) * 100)], WORDS)
    assert [one.tokens for one in found] == [2_500, 5_000, 7_500, 10_000]


def test_a_breakpoint_stands_above_a_heading() -> None:
    text = "word\n" * 1_100 + "## Next\n" + "word\n" * 1_100
    found = plan_breakpoints([("doc", text)], WORDS)
    assert text[found[0].offset :].startswith("## Next")


def test_variable_text_is_never_in_a_cached_prefix() -> None:
    stable = alignment.stable_block("s", section(1_500), WORDS)
    variable = alignment.variable_block("v", section(5_000), WORDS)
    result = align([variable, stable], WORDS)
    assert [(one.block, one.tokens) for one in result.breakpoints] == [("s", 1_500)]


@given(TEXT, TEXT)
def test_prefix_change_and_suffix_make_up_the_current_text(previous: str, current: str) -> None:
    delta = compute_delta(previous, current, WORDS)
    old, new = previous.splitlines(keepends=True), current.splitlines(keepends=True)
    head = old[: delta.common_prefix_lines]
    tail = old[len(old) - delta.common_suffix_lines :]
    assert "".join(head) + delta.changed_content + "".join(tail) == current
    assert delta.common_prefix_lines + delta.common_suffix_lines <= min(len(old), len(new))
    assert delta.removed_lines == len(old) - delta.common_prefix_lines - delta.common_suffix_lines
    assert delta.added_lines == len(new) - delta.common_prefix_lines - delta.common_suffix_lines
    assert 0.0 <= delta.savings_ratio <= 1.0


def test_repeated_lines_are_not_counted_in_prefix_and_suffix_at_once() -> None:
    """Three equal lines become two: the seed counted five common lines in them."""
    delta = compute_delta("a\na\na\n", "a\na\n", WORDS)
    assert (delta.common_prefix_lines, delta.common_suffix_lines, delta.removed_lines, delta.added_lines) == (2, 0, 1, 0)


def test_one_changed_line_in_four() -> None:
    delta = compute_delta("line1\nline2\nline3\nline4", "line1\nline2\nmodified\nline4", WORDS)
    assert (delta.common_prefix_lines, delta.common_suffix_lines, delta.changed_content) == (2, 1, "modified\n")
    assert (delta.cached_prefix_tokens, delta.total_delta_tokens) == (2, 1)
    assert delta.savings_ratio == pytest.approx(2 / 3)


def test_two_empty_texts_save_nothing() -> None:
    assert compute_delta("", "", WORDS).savings_ratio == 0.0


@given(TEXT)
def test_reordering_keeps_every_line_and_says_where_it_was(code: str) -> None:
    lines = code.split("\n")
    result = cache_order_code(code)
    assert sorted(result.source_lines) == list(range(1, len(lines) + 1))
    assert result.text.split("\n") == [lines[place - 1] for place in result.source_lines]


@given(TEXT)
def test_reordering_twice_changes_nothing_more(code: str) -> None:
    once = cache_order_code(code).text
    assert cache_order_code(once).text == once


def test_imports_come_first_then_types_then_the_rest() -> None:
    code = "fn main() {}\nuse std::io;\nimport os\nstruct Foo;"
    assert cache_order_code(code).text.split("\n") == ["use std::io;", "import os", "struct Foo;", "fn main() {}"]


def test_a_statement_moves_whole_with_what_leads_it() -> None:
    code = "x = 1\n# why\nfrom a import (\n    b,\n)\n@final\nclass K:\n    y = 2\n\n    import late\n"
    assert cache_order_code(code).text.split("\n") == [
        *["# why", "from a import (", "    b,", ")"],
        *["@final", "class K:", "    y = 2", "", "    import late", "", "x = 1"],
    ]
