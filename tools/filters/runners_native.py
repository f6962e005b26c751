"""What matters in the output of the test runners of Go, Rust, C and C++, and Ruby."""

import re
from collections.abc import Mapping
from typing import Final

from .filter import Document, Rank, Scores, lines_ranked, places_of
from .rules import Rule, Rules
from .traces import FOREIGN_FRAME

GO_TEST: Final = Rules(
    Rule(Rank.NOISE, r"\{.*\"Action\":\"(?:run|pass|start|cont|pause|skip)\"|\{.*\"Output\":\"(?:=== |\s*--- (?:PASS|SKIP)|ok )"),
    Rule(Rank.FAILURE, r"\{.*\"Action\":\"(?:fail|build-fail)\"", fails=True),
    Rule(Rank.EVIDENCE, r"\{.*\"Output\":\"(?:\s+\S+\.go:\d+|panic:|fatal error:)"),
    Rule(Rank.CONTEXT, r"\{.*\"Action\":\"output\""),
    Rule(Rank.NOISE, r"=== (?:RUN|PAUSE|CONT|NAME)|\s*--- PASS|ok  \t|\?   \t|PASS$|\s*$|testing: warning: no tests"),
    Rule(Rank.FAILURE, r"\s*--- FAIL", fails=True),
    Rule(Rank.NOISE, r"\s*--- SKIP"),
    Rule(Rank.SUMMARY, r"FAIL\t|FAIL$|DONE \d|coverage: ", fails=True),
    Rule(Rank.EVIDENCE, r"\s+[\w./-]+\.go:\d+: "),
    Rule(
        Rank.EVIDENCE,
        r"panic: |fatal error: |\s+panic: |\[signal |test timed out"
        r"|WARNING: DATA RACE",
        fails=True,
        then=Rank.DETAIL,
    ),
    Rule(Rank.ERROR, r"# \S+|\S+\.go:\d+:\d+: |\S+ \[(?:build|setup) failed\]", fails=True),
    Rule(Rank.NOISE, r"\t(?:/usr/local/go|/usr/lib/go|\S*/src/runtime/|\S*/src/testing/)|(?:testing|runtime)\.\S+\("),
    Rule(Rank.LOCATION, r"\t\S+\.go:\d+"),
    Rule(Rank.DETAIL, r"\s+(?:Error Trace|Error|Test|Messages|expected|actual|Diff):"),
    default=Rank.PLAIN,
)

_GO_TURN: Final = re.compile(
    r"=== (?:RUN|NAME|CONT) +(?P<on>\S+)|\s*--- (?P<end>FAIL|PASS|SKIP|BENCH): (?P<of>\S+)"
    r"|\{.*\"Action\":\"(?P<act>fail|pass|skip|output)\".*\"Test\":\"(?P<name>[^\"]+)\""
)


def score_go_test(document: Document) -> Scores:
    """Rank the output of `go test`: what tests that passed have logged, and what is logged again, explains no failure."""
    scores = GO_TEST(document)
    plain = document.ruled
    turns = document.told(lambda line: _GO_TURN.match(line) is not None)
    marks = {number: found for number in places_of(turns, (True,)) if (found := _GO_TURN.match(plain[number]))}
    results = {
        found["of"] or found["name"]: (found["end"] or found["act"]).upper()
        for found in marks.values()
        if not found["on"] and found["act"] != "output"
    }
    if "FAIL" not in results.values():
        return scores
    current, seen = "", set[tuple[str, str]]()
    for number in sorted({*marks, *lines_ranked(scores.ranks, Rank.EVIDENCE)}):
        if number in marks:
            current = marks[number]["on"] or marks[number]["of"] or marks[number]["name"]
        if scores.ranks[number] == Rank.EVIDENCE:
            line = plain[number][plain[number].find('"Output"') :] if plain[number][:1] == "{" else plain[number]
            if current and not _has_failed(current, results):
                scores.ranks[number] = Rank.PLAIN
            elif (current, line) in seen:
                scores.ranks[number] = Rank.REPEAT
            seen.add((current, line))
    return scores


def _has_failed(test: str, results: Mapping[str, str]) -> bool:
    """Whether `test` failed; of one that has no result of its own, whether what it is part of has."""
    while test:
        if test in results:
            return results[test] == "FAIL"
        test = test.rpartition("/")[0]
    return True


CARGO_TEST: Final = Rules(
    Rule(
        Rank.NOISE,
        r"test .* \.\.\. (?:ok|ignored)|running \d+ tests?$|\s*$|\s+(?:Compiling|Finished|Running"
        r"|Doc-tests|Fresh|Downloaded) ",
    ),
    Rule(Rank.REPEAT, r"test .* \.\.\. FAILED", fails=True),
    Rule(Rank.SUMMARY, r"test result: FAILED|error: test failed|error: could not compile|error: \d+ targets? failed", fails=True),
    Rule(Rank.SUMMARY, r"test result: ok\. [1-9]"),
    Rule(Rank.NOISE, r"test result: ok|failures:$|successes:$|note: run with|note: Some details", then=Rank.DETAIL),
    Rule(Rank.REPEAT, r"---- .* (?:stdout|stderr) ----"),
    Rule(Rank.FAILURE, r"    [\w:]+$", fails=True),
    Rule(
        Rank.EVIDENCE,
        r"thread '.*panicked at|assertion .*failed|\s+(?:left|right): |Error: "
        r"|called `",
        follow=r"[^\s-]",
        follow_rank=Rank.EVIDENCE,
    ),
    Rule(Rank.WARNING, r"warning(?:\[\w+\])?: ", key=r"(warning(?:\[\w+\])?: .{0,60})", follow=r"\s*(?:-->|\||\d+ \||=|\.\.\.)"),
    Rule(
        Rank.ERROR,
        r"error(?:\[\w+\])?: ",
        key=r"(error(?:\[\w+\])?: .{0,60})",
        follow=r"\s*(?:-->|\||\d+ \||="
        r"|\.\.\.)",
        fails=True,
    ),
    Rule(Rank.NOISE, r"stack backtrace:", then=Rank.NOISE),
    Rule(Rank.NOISE, r"\s+at (?:/rustc/|\S*/library/|/usr/)|\s+\d+: (?:core|std|alloc|__rust|<fn|rust_begin|test)\S*"),
    Rule(Rank.LOCATION, r"\s+at \S+:\d+:\d+"),
    Rule(Rank.CONTEXT, r"\s+\d+: "),
    default=Rank.DETAIL,
)

DOTNET_TEST: Final = Rules(
    Rule(Rank.SUMMARY, r"(?:Failed|Passed)! +- |Total tests: |Test Run (?:Failed|Aborted)|\s+(?:Passed|Failed|Total): *\d"),
    Rule(
        Rank.NOISE, r"\s+(?:Passed|Skipped) \S|\s*$|Starting test execution|A total of|Microsoft \(R\)|Copyright", then=Rank.PLAIN
    ),
    Rule(Rank.FAILURE, r"\s+Failed \S", fails=True, then=Rank.DETAIL),
    Rule(Rank.CONTEXT, r"\s+Stack Trace:", then=Rank.DETAIL),
    Rule(Rank.NOISE, FOREIGN_FRAME),
    Rule(Rank.LOCATION, r"\s+at .* in \S+:line \d+"),
    Rule(Rank.EVIDENCE, r"\s+Error Message:|\s*(?:Expected|Actual|But was)\b.*:", follow=r"\s{2,}\S", follow_rank=Rank.EVIDENCE),
    Rule(Rank.ERROR, r".*: error \w+: ", key=r"error (\w+)", fails=True),
    default=Rank.PLAIN,
)

CTEST: Final = Rules(
    Rule(Rank.SUMMARY, r"\d+% tests passed|Errors while running CTest|No tests were found|The following tests FAILED"),
    Rule(Rank.FAILURE, r"\t\s*\d+ - .* \(.*\)|\s*\d+ - .*\((?:Failed|Subprocess|Timeout|SEGFAULT|Not Run|Exit)", fails=True),
    Rule(
        Rank.NOISE,
        r"\s*\d+/\d+ Test +#\d+: .*Passed|\s+Start +\d+: |Test project|Internal ctest|Total Test time"
        r"|\s*$",
        then=Rank.PLAIN,
    ),
    Rule(Rank.REPEAT, r"\s*\d+/\d+ Test +#\d+: .*\*\*\*", fails=True, then=Rank.DETAIL),
    Rule(Rank.EVIDENCE, r".*(?:[Aa]ssert|[Ee]rror|[Ff]ail|[Mm]ismatch|expected|[Ee]xception|Segmentation)"),
    default=Rank.PLAIN,
)

RSPEC: Final = Rules(
    Rule(Rank.SUMMARY, r"\d+ examples?, \d+ failures?|An error occurred while loading"),
    Rule(Rank.FAILURE, r"rspec \S+:\d+|rspec '\S+\[", fails=True),
    Rule(Rank.NOISE, r"Pending: |Finished in|Randomized|Top \d+ slowest|[.F*E]+$|\s*$|Failed examples:", then=Rank.NOISE),
    Rule(Rank.REPEAT, r"Failures:", fails=True, then=Rank.DETAIL),
    Rule(Rank.FAILURE, r"  \d+\) \S"),
    Rule(Rank.EVIDENCE, r"\s+(?:Failure/Error: |expected|got:|\w+(?:::\w+)*Error:?$)", follow=r"       \S"),
    Rule(Rank.LOCATION, r"\s+# \./\S+:\d+"),
    Rule(Rank.NOISE, r"\s+# /|" + FOREIGN_FRAME),
    Rule(Rank.REPEAT, r"\s+.*\(FAILED - \d+\)$"),
    default=Rank.NOISE,
)
