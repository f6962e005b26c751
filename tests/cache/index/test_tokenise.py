from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.index.tokenise import MAX_TOKEN_CHARS, STOP_WORDS, Tokeniser, expand_word, iterate_tokens


@pytest.mark.parametrize(
    ("word", "tokens"),
    [
        ("session", ["session"]),
        ("SessionCache", ["sessioncache", "session", "cache"]),
        ("session_cache", ["session_cache", "session", "cache"]),
        ("HTTPServer2", ["httpserver2", "http", "server"]),
        ("__init__", ["init"]),
        ("_private", ["private"]),
        ("MAX_SIZE", ["max_size", "max", "size"]),
        ("utf8", ["utf8", "utf"]),
        ("404", ["404"]),
        ("the", []),
        ("x", []),
        ("Straße", ["straße"]),
        ("größe_max", ["größe_max", "größe", "max"]),
        ("日本語", ["日本", "本語"]),
        ("读file", ["读", "file"]),
        ("a" * 65, []),
    ],
)
def test_a_word_gives_itself_and_its_parts(word: str, tokens: list[str]) -> None:
    assert list(expand_word(word)) == tokens


@given(st.text(max_size=200))
def test_tokens_are_bounded_lower_case_and_no_stop_words(text: str) -> None:
    for token in iterate_tokens(text):
        assert 0 < len(token) <= MAX_TOKEN_CHARS
        assert token not in STOP_WORDS


@given(st.text(max_size=200))
def test_counting_agrees_with_iterating(text: str) -> None:
    assert Tokeniser().count(text) == Counter(iterate_tokens(text))


@given(st.lists(st.text(max_size=8), max_size=30))
def test_a_full_memo_changes_nothing(words: list[str]) -> None:
    text = " ".join(words)
    assert Tokeniser(memo_words=2).count(text) == Tokeniser().count(text)


def test_a_megabyte_without_a_break_is_one_dropped_word() -> None:
    assert Tokeniser().count("a" * 1_000_000) == Counter()
