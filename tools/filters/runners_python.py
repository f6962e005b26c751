"""What matters in the output of Python's test runners."""

from typing import Final

from .filter import Rank
from .rules import Rule, Rules

_HEADING: Final = r"_+ (?!_ ).* _+$"
"""Of one failure's report: a long name leaves room for one underscore on either side."""

PYTEST: Final = Rules(
    Rule(Rank.SUMMARY, r"=* ?\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?)\b.* in [\d.]+s"),
    Rule(Rank.SUMMARY, r"=+ no tests (?:ran|collected)|!+ .* !+$|(?:ERROR|INTERNALERROR|Exit): |INTERNALERROR> \S*Error"),
    Rule(Rank.CONTEXT, r"=+ (?:FAILURES|ERRORS) =+$", then=Rank.PLAIN, fails=True),
    Rule(Rank.NOISE, r"=+ (?:warnings summary|PASSES).* =+$", then=Rank.PLAIN),
    Rule(Rank.NOISE, r"=+ short test summary info =+$", then=Rank.PLAIN),
    Rule(Rank.NOISE, r"=+ .* =+$", then=Rank.NOISE),
    Rule(Rank.FAILURE, r"(?:FAILED|ERROR) \S", fails=True),
    Rule(Rank.REPEAT, _HEADING, fails=True),
    Rule(
        Rank.EVIDENCE,
        r"E   +(?:[A-Za-z_.]*(?:assert|Error|Exception|Failed|Warning|Exit|Interrupt)\b|(?:\w+\.)*[A-Z]\w*(?::|$))",
    ),
    Rule(Rank.DETAIL, r"E(?: |$)|> "),
    Rule(Rank.LOCATION, r"[^\s:]+\.\w+:\d+: [A-Z]\w+$"),
    Rule(Rank.PLAIN, r" {4,}(?:raise|except|assert|if|elif|with|return|def|class|for|while)\b"),
    Rule(Rank.CONTEXT, r"[^\s:]+\.\w+:\d+: *$|_ _ _"),
    Rule(Rank.WARNING, r"  (?:/?[^\s:]+):\d+: \w*Warning: ", key=r":\d+: (\w*Warning: .{0,80})", follow=r"    \S"),
    Rule(Rank.REPEAT, r"(?:\[gw\d+\].* )?\S.*\b(?:FAILED|ERROR)\b(?: .*)?\s+\[ *\d+%\]|\[gw\d+\] \[ *\d+%\] (?:FAILED|ERROR) "),
    Rule(Rank.NOISE, r"\S.*\b(?:PASSED|SKIPPED|XFAIL|XPASS)\b|\S*\.py [.sxXFERpP]+ *(?:\[ *\d+%\])?$|[.sxXFE]+ *\[ *\d+%\]$"),
    Rule(
        Rank.NOISE, r"(?:platform|cachedir|rootdir|plugins|configfile|testpaths|collecting|hypothesis profile|asyncio:)\b.*|\s*$"
    ),
    Rule(Rank.CONTEXT, r"-+ Captured .* -+$|collected \d+"),
    default=Rank.NOISE,
    block=_HEADING,
)

UNITTEST: Final = Rules(
    Rule(Rank.FAILURE, r"(?:FAIL|ERROR|UNEXPECTED SUCCESS): ", fails=True, then=Rank.DETAIL),
    Rule(Rank.SUMMARY, r"Ran \d+ tests? in |FAILED \(|OK(?: \(|$)|NO TESTS RAN"),
    Rule(Rank.NOISE, r"={20,}$|-{20,}$|\s*$|[.sxFEu]+$"),
    Rule(Rank.REPEAT, r".* \.\.\. (?:FAIL|ERROR)$"),
    Rule(Rank.NOISE, r".* \.\.\. (?:ok|skipped.*|expected failure)$|System check|(?:Creating|Destroying) test database"),
    Rule(Rank.LOCATION, r"  File \"[^\"]+\", line \d+"),
    Rule(Rank.EVIDENCE, r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Failure)\b"),
    Rule(Rank.DETAIL, r"Traceback \(most recent call last\)"),
    default=Rank.NOISE,
)
