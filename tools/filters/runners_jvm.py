"""What matters in the output of Maven, Gradle and JUnit."""

from typing import Final

from .filter import Rank
from .rules import Rule, Rules
from .traces import FOREIGN_FRAME

_BOILERPLATE: Final = (
    r"\[ERROR\] (?:-> \[Help|To see the full|Re-run Maven|For more information|\[Help \d\]|Please refer|After correcting|\s*$)"
    r"|\[ERROR\]\s+mvn <goals>"
)

MAVEN: Final = Rules(
    Rule(Rank.NOISE, _BOILERPLATE),
    Rule(
        Rank.SUMMARY,
        r"\[(?:INFO|ERROR)\] BUILD (?:SUCCESS|FAILURE)"
        r"|(?:\[\w+\] )?Tests run: \d+, Failures: \d+, Errors: \d+, Skipped: \d+$",
    ),
    Rule(Rank.SUMMARY, r"(?:\[ERROR\] )?Failed to execute goal|\[INFO\] .*\. (?:FAILURE|SKIPPED) \["),
    Rule(
        Rank.FAILURE,
        r"Failed tests:|Tests in error:|\[ERROR\] (?:Failures"
        r"|Errors):",
        fails=True,
        follow=r"(?:\[ERROR\] )?  \S",
        follow_rank=Rank.FAILURE,
    ),
    Rule(Rank.REPEAT, r".*<<< (?:FAILURE|ERROR)!", fails=True, then=Rank.PLAIN),
    Rule(
        Rank.ERROR,
        r"\[ERROR\] COMPILATION ERROR|\[ERROR\] \S+\.(?:java|kt"
        r"|scala):\[\d+,\d+\]",
        fails=True,
        follow=r"(?:\[ERROR\])?   ?\S",
    ),
    Rule(Rank.ERROR, r"\[(?:ERROR|FATAL)\] ", key=r"\] (.{0,80})"),
    Rule(Rank.WARNING, r"\[WARNING\] \S", key=r"\[WARNING\] ([^\d\[]{0,60})"),
    Rule(
        Rank.NOISE,
        r"\[WARNING\]\s*$|\[INFO\].*|\[DEBUG\]|(?:Downloading|Downloaded|Progress)\b|\s*$|-{20,}|=+$"
        r"|Results ?:|\[main\]",
    ),
    Rule(Rank.NOISE, FOREIGN_FRAME),
    Rule(Rank.EVIDENCE, r"(?:Caused by: )?[a-z][\w$]*(?:\.[\w$]+)+(?:Error|Exception|Failure)\b"),
    Rule(Rank.LOCATION, r"\s+at .*\.(?:java|kt|scala|groovy):\d+\)"),
    Rule(Rank.CONTEXT, r"Running \S+|\s+\.\.\. \d+ more"),
    default=Rank.PLAIN,
)

GRADLE: Final = Rules(
    Rule(Rank.SUMMARY, r"BUILD (?:FAILED|SUCCESSFUL) in|FAILURE: Build|\d+ tests? completed|\d+ actionable tasks?"),
    Rule(Rank.FAILURE, r"> Task \S+ FAILED|\S.* > .* FAILED$|Execution failed for task", fails=True),
    Rule(Rank.NOISE, r"> Task |Download |Starting a Gradle Daemon|\s*$|<[=-]+>|Welcome to Gradle|\S.* > .* PASSED$"),
    Rule(Rank.CONTEXT, r"\* What went wrong:", fails=True, then=Rank.ERROR),
    Rule(
        Rank.NOISE,
        r"\* (?:Try|Get more help)|> Run with|> Get more help|Deprecated Gradle features"
        r"|You can use '--",
        then=Rank.NOISE,
    ),
    Rule(Rank.ERROR, r"e: |\S+\.(?:java|kt|groovy):\d+: error:", fails=True, follow=r"\s+\S|\^"),
    Rule(Rank.WARNING, r"w: |\S+\.(?:java|kt|groovy):\d+: warning:", key=r"(?:warning:|w: \S+) (.{0,60})", follow=r"\s+\S"),
    Rule(Rank.NOISE, FOREIGN_FRAME),
    Rule(Rank.EVIDENCE, r"\s+(?:Caused by: )?[a-z][\w$]*(?:\.[\w$]+)+(?:Error|Exception|Failure)\b"),
    Rule(Rank.LOCATION, r"\s+at .*\.(?:java|kt|groovy):\d+\)?"),
    default=Rank.PLAIN,
)
