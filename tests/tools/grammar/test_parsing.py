"""Grammars that are missing or of another version."""

from dataclasses import replace

import pytest

from penstock.tools.grammar.parsing import ParseRefused, load_grammar, matches, parse
from penstock.tools.grammar.table import LANGUAGE_BY_NAME, LANGUAGES

PYTHON = LANGUAGE_BY_NAME["python"]


def test_a_missing_wheel_is_a_refusal_that_names_the_language() -> None:
    with pytest.raises(ParseRefused, match="no grammar for python"):
        load_grammar(replace(PYTHON, module="no_such_grammar_wheel"))


def test_a_query_for_another_version_is_a_refusal() -> None:
    with pytest.raises(ParseRefused, match="another version"):
        matches(PYTHON, parse(PYTHON, b"x = 1\n"), "(no_such_node) @x")


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_every_query_of_the_table_fits_the_installed_grammar(language: object) -> None:
    rule = next(one for one in LANGUAGES if one is language)
    parsed = parse(rule, b"\n")
    assert matches(rule, parsed, rule.patterns) is not None
    if rule.calls:
        assert not any("callee" in captured for _, captured in matches(rule, parsed, rule.patterns, rule.calls))
    # A comment type that no grammar has would never be cut, silently.
    for kind in rule.comments:
        assert parsed.grammar.id_for_node_kind(kind, True) is not None, kind


def test_no_two_languages_claim_one_extension_or_name() -> None:
    claimed = [claim for language in LANGUAGES for claim in (*language.extensions, *language.names)]
    assert len(claimed) == len(set(claimed))
    assert len(LANGUAGE_BY_NAME) == len(LANGUAGES)


def test_an_error_of_very_many_tokens_is_refused() -> None:
    """A query over such a node is quadratic (measured: 6 s for 60,000 parentheses)."""
    with pytest.raises(ParseRefused, match="cannot make sense"):
        parse(PYTHON, b"x = " + b"(" * 60_000)


def test_two_queries_in_one_walk_find_what_each_finds_alone() -> None:
    parsed = parse(PYTHON, b"def f():\n    return g(h.i())\n")
    together = matches(PYTHON, parsed, PYTHON.patterns, PYTHON.calls)
    assert len(together) == len(matches(PYTHON, parsed, PYTHON.patterns)) + len(matches(PYTHON, parsed, PYTHON.calls)) == 3
