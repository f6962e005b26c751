import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.errors import InvalidArgument
from penstock.cache.index.query import MAX_QUERY_CHARS, MAX_TERMS, names_path, parse_query


def test_repeats_count_with_their_logarithm_and_later_lines_less() -> None:
    weights = parse_query("cache miss\n\ncache hit").weights
    assert weights["miss"] == 1.0
    assert weights["hit"] == 0.6
    assert 1.0 < weights["cache"] < 1.6


def test_words_of_the_task_weigh_less_unless_they_are_code() -> None:
    assert parse_query("fix parser").weights["fix"] == 0.5
    assert parse_query("`fix` parser").weights["fix"] == 1.0
    assert parse_query("fix() parser").weights["fix"] == 1.0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("parse_header", "parse_header"),
        ("`Session.get()`", "get"),
        ("std::vector", "vector"),
        ("Class#method", "method"),
        ("two words", ""),
        ("ab-cd", ""),
    ],
)
def test_a_query_that_is_one_identifier_is_known_as_such(text: str, name: str) -> None:
    assert parse_query(text).name == name


def test_identifiers_phrases_and_paths_are_found() -> None:
    query = parse_query('in src/app/main.py and sphinx.ext.autodoc: readFile says "no such file" for x_y')
    assert {"readfile", "x_y"} <= query.identifiers
    assert query.phrases == ("no such file",)
    assert {"src/app/main.py", "sphinx/ext/autodoc"} <= set(query.paths)


@pytest.mark.parametrize(
    ("mention", "path", "is_named"),
    [
        ("app/main.py", "src/app/main.py", True),
        ("app/main", "src/app/main.py", True),
        ("main.py", "src/app/main.py", True),
        ("pp/main.py", "src/app/main.py", False),
        ("src/app/main.py", "src/app/main.py", True),
        ("app", "src/app/main.py", False),
    ],
)
def test_a_mention_names_the_end_of_a_path(mention: str, path: str, *, is_named: bool) -> None:
    assert names_path(mention, path) is is_named


@pytest.mark.parametrize("text", ["", " ", "the of", "?", "x" * (MAX_QUERY_CHARS + 1)])
def test_nothing_to_search_for_is_refused_with_the_next_call(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        parse_query(text)
    assert refused.value.next_call


@given(st.text(max_size=400))
def test_any_text_is_refused_or_gives_positive_weights(text: str) -> None:
    try:
        query = parse_query(text)
    except InvalidArgument:
        return
    assert 0 < len(query.weights) <= MAX_TERMS
    assert all(weight > 0 for weight in query.weights.values())
    assert set(query.tokens) == set(query.weights)


def test_a_long_text_that_quotes_something_is_no_search_for_a_phrase() -> None:
    assert parse_query('it says "no such file"').phrases
    assert not parse_query('it fails\n\nand says "no such file"').phrases
    assert not parse_query("word " * 50 + '"no such file"').phrases
