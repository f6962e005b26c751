from penstock.tools.filters.filter import Document
from penstock.tools.filters.query import matching_lines

DOCUMENT = Document("the pump started\nthe penstock gate opened\ngate closed\nPENSTOCK pressure low\nnothing\n")


def test_the_phrase_and_all_words_match_in_any_case() -> None:
    assert matching_lines(DOCUMENT, "penstock gate") == [1]
    assert matching_lines(DOCUMENT, "gate penstock") == [1]
    assert matching_lines(DOCUMENT, "Penstock") == [1, 3]


def test_without_a_full_match_the_lines_with_most_words_do() -> None:
    assert matching_lines(DOCUMENT, "penstock closed") == [1, 2, 3]


def test_a_word_by_chance_is_no_match() -> None:
    assert matching_lines(DOCUMENT, "the quick brown fox jumps") == []
    assert matching_lines(DOCUMENT, "") == []
