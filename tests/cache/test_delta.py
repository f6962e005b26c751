"""Unified diffs: exact for every pair of texts, or none at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.delta import PatchMismatch, apply_unified, split_lines, unified

texts = st.text(alphabet="ab\\@-+ \n\r…", max_size=120).map(str.encode)


@given(texts, texts, st.integers(0, 4))
@settings(max_examples=500)
def test_a_diff_turns_old_into_new_exactly(old: bytes, new: bytes, context: int) -> None:
    diff = unified(old, new, context=context)
    assert diff is not None
    assert apply_unified(old, diff) == new


@given(st.binary(max_size=60), st.binary(max_size=60))
@settings(max_examples=200)
def test_bytes_get_an_exact_diff_or_none(old: bytes, new: bytes) -> None:
    diff = unified(old, new)
    assert diff is None or apply_unified(old, diff) == new


@given(st.binary(max_size=200))
def test_split_lines_joins_back(data: bytes) -> None:
    assert b"".join(split_lines(data)) == data


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"", b"a\n"),
        (b"a\n", b""),
        (b"", b"a"),
        (b"a", b"a\n"),
        (b"a\n", b"a"),
        (b"a\r\nb\r\n", b"a\r\nb\n"),
        (b"a\nb", b"b"),
        (b"\n\n\n", b"\n\n"),
        (b"--- a\n+++ b\n", b"--- a\n+++ c\n"),
        (b"\\ No newline at end of file\n", b"\\ No newline at end of file"),
    ],
)
def test_odd_files_have_exact_diffs(old: bytes, new: bytes) -> None:
    diff = unified(old, new)
    assert diff is not None
    assert apply_unified(old, diff) == new


def test_equal_files_have_the_empty_diff() -> None:
    assert unified(b"a\n", b"a\n") == ""


def test_the_format_is_that_of_diff() -> None:
    old = b"".join(b"%d\n" % i for i in range(1, 10))
    new = old.replace(b"5\n", b"five\n")
    assert unified(old, new, context=1, names=("a/f", "b/f")) == "--- a/f\n+++ b/f\n@@ -4,3 +4,3 @@\n 4\n-5\n+five\n 6\n"


def test_text_that_is_not_utf8_has_no_diff() -> None:
    assert unified(b"\xff\n", b"\xfe\n") is None


@pytest.mark.parametrize(
    "diff", ["@@ -1 +1 @@\n-b\n+c\n", "@@ -9 +9 @@\n-a\n+c\n", "nonsense", "@@ -1 +1 @@\n-a\n", "@@ -1 +1 @@\n?a\n"]
)
def test_a_diff_of_other_bytes_is_refused(diff: str) -> None:
    with pytest.raises(PatchMismatch):
        apply_unified(b"a\n", diff)


def test_a_negative_context_is_refused() -> None:
    with pytest.raises(ValueError, match="context"):
        unified(b"", b"", context=-1)


def test_changes_far_apart_are_hunks_of_their_own() -> None:
    old = b"".join(b"%d\n" % number for number in range(100))
    new = old.replace(b"\n10\n", b"\nten\n").replace(b"\n90\n", b"\nninety\n")
    diff = unified(old, new, context=2, names=("a", "b"))
    assert diff is not None
    assert diff.count("@@ -") == 2
    assert apply_unified(old, diff) == new


def test_a_count_that_does_not_match_its_header_is_refused() -> None:
    with pytest.raises(PatchMismatch):
        apply_unified(b"a\nb\n", "@@ -1,1 +1,3 @@\n+x\n-a\n-b\n+y\n")
