"""What matters in the output of linters and type checkers: the first of every rule, where the others are, the totals."""

from typing import Final

from .filter import Rank
from .rules import Rule, Rules

_EXCERPT: Final = r"\s*\d* +\||\s*\||\s*\^|\s+= |\s{4,}|help: |\[[\w-]+\]$"

ESLINT: Final = Rules(
    Rule(Rank.SUMMARY, r"✖ \d+ problems?|\s+\d+ (?:errors?|warnings?).*potentially fixable|\d+ problems?"),
    Rule(Rank.ERROR, r"\s+\d+:\d+\s+error\s.*Parsing error", fails=True),
    Rule(Rank.ERROR, r"\s+\d+:\d+\s+error\b", key=r".*\s(\S+)\s*$", fails=True),
    Rule(Rank.WARNING, r"\s+\d+:\d+\s+warn(?:ing)?\b", key=r".*\s(\S+)\s*$"),
    Rule(Rank.DETAIL, r"(?:/|[A-Za-z]:\\|\w)[^:]*\.\w+$"),
    Rule(Rank.NOISE, r"\s*$"),
)

RUFF: Final = Rules(
    Rule(
        Rank.SUMMARY,
        r"Found \d+ errors?|\[\*\] \d+ fixable|All checks passed|\d+ files? (?:would be|reformatted"
        r"|left|already)|error: Failed",
    ),
    Rule(Rank.EVIDENCE, r"\S+:\d+:\d+: (?:invalid-syntax|SyntaxError|E9\d\d|F821|F822|F823)", fails=True),
    Rule(Rank.EVIDENCE, r"(?:F82[123]|E9\d\d) |invalid-syntax: ", fails=True),
    Rule(Rank.ERROR, r"\S+:\d+:\d+: [A-Z]+\d+ ", key=r": ([A-Z]+\d+) ", fails=True),
    Rule(Rank.ERROR, r"[A-Z]+\d+ .+", key=r"([A-Z]+\d+)", fails=True),
    Rule(Rank.LOCATION, r" +--> \S+:\d+", belongs=True),
    Rule(Rank.DETAIL, r"\d* *\|.*\^|help: "),
    Rule(Rank.PLAIN, r"\d+ [|+-]|\s*\|"),
    Rule(Rank.NOISE, r"\s*$"),
    default=Rank.PLAIN,
)

MYPY: Final = Rules(
    Rule(Rank.SUMMARY, r"Found \d+ errors? in|Success: no issues"),
    Rule(Rank.EVIDENCE, r"\S+:\d+(?::\d+)?: error: .*\[(?:syntax|name-defined|import[\w-]*)\]", fails=True),
    Rule(Rank.ERROR, r"\S+:\d+(?::\d+)?: error: .*", key=r"(\[[\w-]+\]\s*$|error: .{0,40})", follow=_EXCERPT, fails=True),
    Rule(Rank.CONTEXT, r"\S+:\d+(?::\d+)?: note: "),
    Rule(Rank.PLAIN, r"\s{4}"),
)

PYRIGHT: Final = Rules(
    Rule(Rank.SUMMARY, r"\d+ errors?, \d+ warnings?"),
    Rule(Rank.EVIDENCE, r"\s+\S+:\d+:\d+ - error: .*(?:is not defined|could not be resolved|is possibly unbound)", fails=True),
    Rule(Rank.ERROR, r"\s+\S+:\d+:\d+ - error: ", key=r"\((report\w+)\)|error: (.{0,40})", follow=r" {4}", fails=True),
    Rule(Rank.WARNING, r"\s+\S+:\d+:\d+ - warning: ", key=r"\((report\w+)\)|warning: (.{0,40})", follow=r" {4}"),
    Rule(Rank.DETAIL, r"/\S+$"),
    Rule(Rank.NOISE, r"WARNING: there is a new|Please install the new|No configuration file|Searching|\s*$"),
)

LINT: Final = Rules(
    Rule(
        Rank.SUMMARY,
        r"Your code has been rated|Found \d+|\d+ problems?|Error occurred when|\d+ (?:errors?"
        r"|warnings?|issues?)\b|All matched files",
    ),
    Rule(Rank.ERROR, r"\S+:\d+:\d+: (?:[EF]\d+|error)", key=r":\d+:\d+: ([A-Z]\d+|error: .{0,40})", fails=True),
    Rule(Rank.DETAIL, r"\S+:\d+:\d+: [CRI]\d+", key=r":\d+:\d+: ([A-Z]\d+)"),
    Rule(Rank.WARNING, r"\S+:\d+:\d+:? \S+", key=r":\d+:\d+:? \[?([A-Za-z]\w{0,30})"),
    Rule(Rank.ERROR, r"\[error\] \S+: ", fails=True),
    Rule(Rank.REPEAT, r"\[warn\] "),
    Rule(Rank.CONTEXT, r"\*{5,} Module"),
    Rule(Rank.NOISE, r"\s*$|-{5,}$"),
)
