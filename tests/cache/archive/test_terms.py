from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.terms import passages_of, query_terms_of, terms_of


def test_terms_are_whole_words_and_the_parts_of_identifiers() -> None:
    assert terms_of("class SessionCache: max_bytes") == ["class", "sessioncache", "session", "cache", "max_bytes", "max", "bytes"]


def test_a_query_of_stop_words_keeps_them() -> None:
    assert query_terms_of("The cache and the cache") == ("cache",)
    assert query_terms_of("the and") == ("the", "and")
    assert query_terms_of("!!") == ()


@given(st.text(alphabet=st.sampled_from("ab \n"), max_size=400), st.integers(4, 50))
def test_passages_are_a_prefix_of_the_text_and_bounded(text: str, size: int) -> None:
    passages = list(passages_of(text, passage_chars=size, limit=6))
    assert text.startswith("".join(passages))
    assert all(0 < len(passage) <= size for passage in passages)
    assert "".join(passages) == text or len(passages) == 6
