"""The line differ: every answer re-applies, the usual edit is small, the worst input is bounded."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.lines import Change, diff_lines

lines = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"}\n", b"\n", b"x"]), max_size=40)


def apply_changes(old: list[bytes], new: list[bytes], changes: list[Change]) -> list[bytes]:
    result: list[bytes] = []
    at = 0
    for change in changes:
        result += old[at : change.old_start]
        result += new[change.new_start : change.new_end]
        at = change.old_end
    return result + old[at:]


def shortest_script(old: list[bytes], new: list[bytes]) -> int:
    """Textbook longest common subsequence."""
    row = [0] * (len(new) + 1)
    for a in old:
        before = row[:]
        for j, b in enumerate(new):
            row[j + 1] = before[j] + 1 if a == b else max(row[j], before[j + 1])
    return len(old) + len(new) - 2 * row[-1]


@given(lines, lines)
@settings(max_examples=300)
def test_changes_turn_old_into_new(old: list[bytes], new: list[bytes]) -> None:
    changes = diff_lines(old, new)
    assert apply_changes(old, new, changes) == new


@given(lines, lines)
@settings(max_examples=300)
def test_changes_ascend_and_never_touch(old: list[bytes], new: list[bytes]) -> None:
    changes = diff_lines(old, new)
    for change in changes:
        assert change.old_end > change.old_start or change.new_end > change.new_start
    for first, second in itertools.pairwise(changes):
        assert first.old_end < second.old_start
        assert second.old_start - first.old_end == second.new_start - first.new_end


@given(st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n"]), max_size=30), st.lists(st.sampled_from([b"a\n", b"b\n"]), max_size=30))
@settings(max_examples=300)
def test_a_short_script_is_the_shortest(old: list[bytes], new: list[bytes]) -> None:
    length = sum(c.old_end - c.old_start + c.new_end - c.new_start for c in diff_lines(old, new))
    assert length == shortest_script(old, new)


def test_a_small_edit_of_a_long_file_is_a_small_change() -> None:
    old = [b"line %d\n" % i for i in range(5000)]
    new = old[:]
    for at in (10, 900, 2500, 4999):
        new[at] = b"edited\n"
    assert len(diff_lines(old, new)) == 4


def test_unrelated_files_end_within_the_step_budget() -> None:
    rng = random.Random(1)
    vocabulary = [b"word %d\n" % i for i in range(20)]
    old = [rng.choice(vocabulary) for _ in range(5000)]
    new = [rng.choice(vocabulary) for _ in range(5000)]
    assert apply_changes(old, new, diff_lines(old, new)) == new


@pytest.mark.parametrize("edits", [100, 1000, 4000])
def test_many_edits_are_found_between_unique_lines(edits: int) -> None:
    """More than the quick search looks for: anchors take over, and the diff stays near the number of edits."""
    rng = random.Random(edits)
    old = [b"}\n" if rng.random() < 0.3 else b"line %d\n" % rng.randrange(1 << 30) for _ in range(5000)]
    new = old[:]
    for number in range(edits):
        at = rng.randrange(len(new))
        if number % 3 == 0:
            new[at] = b"changed %d\n" % number
        elif number % 3 == 1:
            del new[at]
        else:
            new.insert(at, b"new %d\n" % number)
    changes = diff_lines(old, new)
    assert apply_changes(old, new, changes) == new
    size = sum(change.old_end - change.old_start + change.new_end - change.new_start for change in changes)
    assert size <= 1.5 * edits


def test_shuffled_lines_keep_an_ascending_part() -> None:
    old = [b"line %d\n" % number for number in range(2000)]
    new = old[:]
    random.Random(1).shuffle(new)
    changes = diff_lines(old, new)
    assert apply_changes(old, new, changes) == new
    assert sum(change.old_end - change.old_start for change in changes) < 2000
