"""What matters in the output of JavaScript's test runners."""

from typing import Final

from .filter import Rank
from .rules import Rule, Rules
from .traces import FOREIGN_FRAME

_FRAMES: Final = (
    Rule(Rank.NOISE, FOREIGN_FRAME),
    Rule(Rank.LOCATION, r"\s+at .*:\d+:\d+\)?$|\s*❯ \S.*:\d+:\d+$"),
)
_SHOWN_SOURCE: Final = Rule(Rank.PLAIN, r"\s+(?:\d+ ?\||\|)")
_FAILING_SOURCE: Final = Rule(Rank.DETAIL, r"\s*> ?\d+ \|")
_COMPARED: Final = Rule(Rank.EVIDENCE, r"\s+(?:[Ee]xpected|[Rr]eceived|[Aa]ctual)[^:]{0,40}: ")

JEST: Final = Rules(
    Rule(Rank.SUMMARY, r"(?:Tests|Test Suites|Snapshots):\s+\d|Jest: |No tests found"),
    Rule(Rank.NOISE, r"(?:Time|Ran all test suites|Snapshot Summary|PASS )\b|Test Suites: .* passed, "),
    Rule(Rank.REPEAT, r"FAIL ", fails=True, then=Rank.PLAIN),
    Rule(Rank.NOISE, r"Summary of all failing tests", then=Rank.NOISE),
    Rule(Rank.FAILURE, r"\s+● (?!Console)", fails=True, then=Rank.DETAIL),
    Rule(Rank.CONTEXT, r"\s+● Console", then=Rank.PLAIN),
    Rule(Rank.NOISE, r"\s*(?:[✓√✔○] .*|\s*)$"),
    Rule(Rank.REPEAT, r"\s+[✕×✗] "),
    Rule(Rank.EVIDENCE, r"    (?:\w*Error\b|expect\()|    \S.*(?:failed|threw|rejected|[Tt]imed? ?out)"),
    _COMPARED,
    _FAILING_SOURCE,
    _SHOWN_SOURCE,
    *_FRAMES,
    Rule(Rank.SUMMARY, r"npm ERR! |npm error "),
    Rule(Rank.PLAIN, r"[-|]{3,}|.*\|\s+[\d.]+ \|\s+[\d.]+ \|"),
    default=Rank.PLAIN,
    block=r"\s+● ",
    evidence_below=2,
)

VITEST: Final = Rules(
    Rule(Rank.SUMMARY, r"\s+(?:Tests|Test Files)\s+\d|\s+Errors\s+\d|No test files found"),
    Rule(Rank.NOISE, r"\s+(?:Start at|Duration|RUN|DEV)\b|\s*[✓√✔↓] |\s*$|⎯|\s*[~^]+\s*$"),
    Rule(Rank.FAILURE, r"\s*FAIL\s+\S", fails=True, then=Rank.DETAIL),
    Rule(Rank.REPEAT, r"\s*(?:[×✗] |→ |❯ \S+ \(\d+ tests)"),
    Rule(Rank.EVIDENCE, r"[A-Za-z]*(?:Error|Exception|Failure)\b|[+-] \S"),
    _COMPARED,
    Rule(Rank.PLAIN, r"\s+\d+\|"),
    Rule(Rank.NOISE, r"\s+\|"),
    *_FRAMES,
    default=Rank.DETAIL,
    block=r"\s*FAIL\s+\S",
)

MOCHA: Final = Rules(
    Rule(Rank.SUMMARY, r"\s+\d+ (?:passing|failing|pending)\b"),
    Rule(Rank.NOISE, r"\s+[✓√✔] |\s*$|[.,!]+$|\s+- "),
    Rule(Rank.FAILURE, r"\s+\d+\) \S", fails=True, then=Rank.DETAIL),
    Rule(Rank.EVIDENCE, r"\s+(?:[A-Za-z]*(?:Error|Exception|AssertionError)\b|Uncaught )"),
    _COMPARED,
    *_FRAMES,
    Rule(Rank.DETAIL, r"\s+[+-] ?\S"),
    default=Rank.PLAIN,
)

TAP: Final = Rules(
    Rule(Rank.FAILURE, r"\s*not ok \d+(?! .*# (?:TODO|SKIP))", fails=True, then=Rank.DETAIL),
    Rule(Rank.NOISE, r"\s*ok \d+|TAP version|\s*# Subtest: |\s+duration_ms|\s+type: ", then=Rank.NOISE),
    Rule(Rank.SUMMARY, r"# (?:tests|pass|fail|failed|todo|skipped|cancelled)\b|Bail out!|1\.\.\d+$|# \{ total"),
    Rule(
        Rank.EVIDENCE,
        r"\s+(?:error|message|expected|actual|found|wanted|diff): *[|>][-+]?$",
        follow=r"(?:\s{6,}|\s{4}(?!\w+:))\S",
        follow_rank=Rank.EVIDENCE,
    ),
    Rule(Rank.EVIDENCE, r"\s+(?:error|message|expected|actual|found|wanted|diff):"),
    Rule(Rank.LOCATION, r"\s+(?:location|at|file|line):"),
    Rule(Rank.NOISE, FOREIGN_FRAME),
    Rule(Rank.NOISE, r"\s+(?:---|\.\.\.)$|\s+(?:Test\.|async Test\.|TestContext\.|Suite\.).*\(node:"),
    Rule(Rank.CONTEXT, r"\s+(?:failureType|code|name|operator|stack)"),
    default=Rank.PLAIN,
)

NODE_TEST: Final = Rules(
    Rule(Rank.SUMMARY, r"ℹ (?:tests|pass|fail|cancelled) "),
    Rule(Rank.NOISE, r"ℹ |\s*[✔▶﹣] |\s*$"),
    Rule(Rank.NOISE, r"✖ failing tests:", then=Rank.PLAIN),
    Rule(Rank.FAILURE, r"\s*✖ ", fails=True, then=Rank.DETAIL),
    Rule(Rank.LOCATION, r"test at \S+:\d+"),
    Rule(Rank.EVIDENCE, r"\s+(?:\w*Error\b.*|(?:actual|expected|operator): )"),
    *_FRAMES,
    default=Rank.PLAIN,
)
