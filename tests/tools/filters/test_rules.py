"""Filters as tables of rules."""

import re

from penstock.tools.filters.families import FAMILIES
from penstock.tools.filters.filter import Document, Rank
from penstock.tools.filters.rules import Rule, Rules, class_of, lines_with, signal_of


def ranks(rules: Rules, *lines: str) -> list[int]:
    return list(rules(Document("\n".join(lines) + "\n")).ranks)


def test_the_first_rule_that_matches_wins() -> None:
    rules = Rules(Rule(Rank.ERROR, "ab"), Rule(Rank.NOISE, "a"))
    assert ranks(rules, "abc", "axx", "other") == [Rank.ERROR, Rank.NOISE, Rank.PLAIN]


def test_the_first_of_a_class_counts_more_than_its_repeats() -> None:
    rules = Rules(Rule(Rank.ERROR, r"E\d+", key=r"(E\d+)", follow=r"  ", fails=True))
    got = ranks(rules, "E1 at a", "  code", "E1 at b", "  code", "E2 at c")
    assert got == [Rank.ERROR, Rank.DETAIL, Rank.REPEAT, Rank.PLAIN, Rank.ERROR]


def test_a_location_repeats_what_its_error_repeats() -> None:
    rules = Rules(Rule(Rank.ERROR, r"error\[", key=r"\[(\w+)"), Rule(Rank.LOCATION, " --> ", belongs=True))
    got = ranks(rules, "error[E1]", " --> a:1", "error[E1]", " --> b:2")
    assert got == [Rank.ERROR, Rank.LOCATION, Rank.REPEAT, Rank.REPEAT]


def test_then_ranks_the_lines_until_the_next() -> None:
    rules = Rules(Rule(Rank.CONTEXT, "START", then=Rank.DETAIL), Rule(Rank.CONTEXT, "END", then=Rank.NOISE), words=False)
    assert ranks(rules, "x", "START", "x", "x", "END", "x")[1:] == [20, 40, 40, 20, 0]


def test_a_block_that_reports_what_another_reported_keeps_its_evidence_alone_and_after_others() -> None:
    rules = Rules(Rule(Rank.FAILURE, "FAIL"), Rule(Rank.EVIDENCE, "E "), Rule(Rank.DETAIL, " "), block="FAIL")
    got = ranks(rules, "FAIL a", " code", "E sum 1 is off", "FAIL b", " code", "E sum 2 is off")
    assert got == [Rank.FAILURE, Rank.DETAIL, Rank.EVIDENCE, Rank.FAILURE, Rank.NOISE, Rank.AGAIN]


def test_words_find_errors_that_no_rule_knows() -> None:
    got = ranks(Rules(Rule(Rank.NOISE, "ok")), "ok no error", "disk ERROR 5", "plain", "disk ERROR 6", "warning: low")
    assert got == [Rank.NOISE, Rank.ERROR, Rank.PLAIN, Rank.REPEAT, Rank.WARNING]


def test_a_line_that_says_there_was_no_error_is_none() -> None:
    for line in (
        "0 errors, 0 warnings",
        "no errors found",
        "errors: 0",
        "failed=0",
        "Finished without errors",
        "error_handler.py",
    ):
        assert signal_of(line) is None, line


def test_reports_are_told_by_their_form() -> None:
    for line in (
        "ERROR x",
        "foo: error: x",
        "java.io.IOException: gone",
        "level=error msg=x",
        "make failed",
        "permission denied",
    ):
        assert signal_of(line) is Rank.ERROR, line
    for line in ("warning: x", "DeprecationWarning: x", "[WARN] y"):
        assert signal_of(line) is Rank.WARNING, line


def test_classes_ignore_numbers() -> None:
    assert class_of("job 12 failed after 3s") == class_of("job 999 failed after 14s")


def test_lines_with_finds_every_line_once_also_where_lower_case_is_longer() -> None:
    assert lines_with("İİİ error\nx\nError error\n".lower().encode(), (b"error",)) == [0, 2]


def test_no_rule_has_groups_of_its_own() -> None:
    """The number of the matched group names the rule."""
    tables = [family.score for family in FAMILIES if isinstance(family.score, Rules)]
    assert len(tables) > 30
    for table in tables:
        assert [rule.pattern for rule in table.rules if re.compile(rule.pattern).groups] == []
        assert len(table.rules) < 255


def test_lines_alike_but_for_their_digits_are_told_apart_where_a_rule_names_one() -> None:
    rules = Rules(Rule(Rank.ERROR, r"E9\d "), default=Rank.PLAIN, words=False)
    assert list(rules(Document("E91 a\nE21 a\n")).ranks) == [Rank.ERROR, Rank.PLAIN]
