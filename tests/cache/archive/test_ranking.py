from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.ranking import Ranked, TierStatistics, document_of, idf_of, query_of, rank
from penstock.cache.archive.terms import query_terms_of, terms_of

words = st.lists(st.sampled_from(["cache", "spoolFile", "x_y", "lease", "a", "ledger"]), max_size=20).map(" ".join)


def ranked_of(texts: Sequence[str], terms: Sequence[str], statistics: TierStatistics) -> list[Ranked]:
    query = query_of(terms, statistics)
    return rank([document_of(text, query) for text in texts], query)


@given(words)
def test_a_document_holds_exactly_the_querys_terms_of_its_text(text: str) -> None:
    query = query_of(query_terms_of("spool lease x_y"), TierStatistics(1, {}))
    document = document_of(text, query)
    assert sorted(document.held) == sorted(term for term in terms_of(text) if term in query.terms)


@given(st.lists(words, max_size=12), words)
def test_similarities_are_between_0_and_1_and_matched_terms_are_there(texts: list[str], asked: str) -> None:
    query = query_terms_of(asked)
    if not query:
        return
    frequencies = {term: sum(term in terms_of(text) for text in texts) for term in query}
    ranked = ranked_of(texts, query, TierStatistics(len(texts), frequencies))
    assert [one.similarity for one in ranked] == sorted((one.similarity for one in ranked), reverse=True)
    for one in ranked:
        assert 0 < one.similarity <= 1
        assert set(one.matched) == set(query) & set(terms_of(texts[one.index]))
    assert len(ranked) == sum(bool(set(query) & set(terms_of(text))) for text in texts)


def test_a_text_of_average_length_with_every_term_scores_one() -> None:
    query = ("cache", "lease")
    texts = ["cache lease one two", "cache three four five", "six seven eight nine"]
    ranked = ranked_of(texts, query, TierStatistics(3, {"cache": 2, "lease": 1}))
    assert ranked[0].similarity == pytest.approx(1.0)
    assert ranked[1].similarity == pytest.approx(idf_of(3, 2) / (idf_of(3, 2) + idf_of(3, 1)))


def test_an_unknown_word_lowers_the_similarity() -> None:
    """Half of a query that occurs nowhere cannot be found."""
    known = ranked_of(["cache x"], ("cache",), TierStatistics(9, {"cache": 1}))[0].similarity
    assert ranked_of(["cache x"], ("cache", "nowhere"), TierStatistics(9, {"cache": 1}))[0].similarity < known / 1.5


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_weights_are_never_negative(documents: int, frequency: int) -> None:
    assert idf_of(documents, frequency) > 0


def test_nothing_ranks_when_nothing_matches() -> None:
    assert ranked_of([], ("a",), TierStatistics(1, {})) == []
    assert ranked_of(["b c"], ("a",), TierStatistics(1, {})) == []
