"""Grammars that are missing or of another version."""

from dataclasses import replace

import pytest

from penstock.tools.grammar.parsing import ParseRefused, load_grammar, matches, parse
from penstock.tools.grammar.table import LANGUAGE_BY_NAME, LANGUAGES
from penstock.tools.languages import outline

PYTHON = LANGUAGE_BY_NAME["python"]
KOTLIN = LANGUAGE_BY_NAME["kotlin"]
EXPLODING = b"""{{}
e
 ] }

private fun secret() = 1

    enum class Kind { ROUND, FLA~T }
}
[interface Areaouble): euoblD
}

object Registry {
    fun add(shape: Shape<Int>) {}
}

typealias Box = Shape<Int>

fun <T> Shape><T.helper(n: Int)ble = n.toDouble()
val answe>

fun <T> Shape><T.helper(n: Int)ble `= n.toDouble()
val answer"""
"""Found by fuzzing: left alone, the parser takes 35 s and 3.9 GB for it."""


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


def test_a_parse_that_gets_no_further_ends_by_its_steps_not_by_the_clock() -> None:
    with pytest.raises(ParseRefused, match=r"^the grammar got stuck at line \d+$"):
        parse(KOTLIN, EXPLODING, timeout_s=1_000)
    found = outline("a.kt", EXPLODING)
    assert found.fallback is not None
    assert "the grammar got stuck at line" in found.fallback
    assert "Registry" in {one.name for one in found.definitions}


def test_balancing_a_long_list_at_the_end_is_not_taken_for_being_stuck() -> None:
    """The parser stays at the last byte for 1,100 reports here: more than is allowed anywhere near the beginning."""
    data = b"X = [" + b"(0, 'M', 'a'),\n" * 6_000 + b"]\n"
    assert not parse(PYTHON, data, timeout_s=1_000).tree.root_node.has_error


def test_two_queries_in_one_walk_find_what_each_finds_alone() -> None:
    parsed = parse(PYTHON, b"def f():\n    return g(h.i())\n")
    together = matches(PYTHON, parsed, PYTHON.patterns, PYTHON.calls)
    assert len(together) == len(matches(PYTHON, parsed, PYTHON.patterns)) + len(matches(PYTHON, parsed, PYTHON.calls)) == 3
