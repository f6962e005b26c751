"""Test runners: what explains a failure is kept, what passing tests print is not."""

from penstock.tools.filters.data import score_markup
from penstock.tools.filters.filter import Document, Rank
from penstock.tools.filters.runners_js import TAP
from penstock.tools.filters.runners_native import DOTNET_TEST, score_go_test
from penstock.tools.filters.runners_python import PYTEST

GO = """=== RUN   TestA
=== RUN   TestA/one
    a_test.go:3: log one
=== RUN   TestA/two
    a_test.go:3: got 1, want 2
    a_test.go:3: got 1, want 2
--- FAIL: TestA (0.00s)
    --- PASS: TestA/one (0.00s)
    --- FAIL: TestA/two (0.00s)
FAIL
"""


def test_what_a_passing_go_test_logs_is_no_evidence() -> None:
    ranks = score_go_test(Document(GO)).ranks
    assert ranks[2] == Rank.PLAIN
    assert ranks[4] == Rank.EVIDENCE
    assert ranks[5] == Rank.REPEAT


def test_the_values_that_tap_prints_below_their_names_are_evidence() -> None:
    lines = [
        "not ok 1 eq",
        "  ---",
        "    expected: |-",
        "      'a'",
        "    actual: |-",
        "      'b'",
        "    at: x (a.js:1:2)",
        "  ...",
    ]
    ranks = TAP(Document("\n".join(lines))).ranks
    assert [ranks[number] for number in (2, 3, 4, 5)] == [Rank.EVIDENCE] * 4


def test_a_long_test_name_leaves_one_underscore_and_heads_a_failure() -> None:
    ranks = PYTEST(Document("= FAILURES =\n_ test_a[long name] _\n_ _ _ _ _\nE   AssertionError: x\n")).ranks
    assert ranks[1] == Rank.REPEAT
    assert ranks[2] == Rank.CONTEXT


def test_a_junit_report_keeps_case_failure_and_first_line_said() -> None:
    text = '<testsuites>\n<testcase name="ok"/>\n<testcase name="bad">\n<failure type="x">\nwhy\nmore\n</failure>\n'
    ranks = score_markup(Document(text)).ranks
    assert [ranks[n] for n in (2, 3, 4, 5)] == [Rank.FAILURE, Rank.FAILURE, Rank.EVIDENCE, Rank.DETAIL]
    assert ranks[1] < Rank.LAST


def test_a_failed_dotnet_test_keeps_name_values_and_place() -> None:
    lines = [
        "  Passed Shop.A [1 ms]",
        "  Failed Shop.B [12 ms]",
        "  Error Message:",
        "   Assert.Equal() Failure: Values differ",
        "Expected: 4",
        "Actual:   3",
        "  Stack Trace:",
        "     at Shop.B() in /app/Tests.cs:line 22",
        "Failed!  - Failed:     1, Passed:     1, Skipped:     0, Total:     2",
    ]
    ranks = DOTNET_TEST(Document("\n".join(lines))).ranks
    expected = [
        Rank.FAILURE,
        Rank.EVIDENCE,
        Rank.EVIDENCE,
        Rank.EVIDENCE,
        Rank.EVIDENCE,
        Rank.CONTEXT,
        Rank.LOCATION,
        Rank.SUMMARY,
    ]
    assert list(ranks) == [Rank.NOISE, *expected]
