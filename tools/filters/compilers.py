"""What matters in the output of compilers: the first of every class of error and warning, the places of the others."""

from typing import Final

from .filter import Rank
from .rules import Rule, Rules

_GCC_EXCERPT: Final = r"\s+(?:\d+ )?\||\s+[~^]+\s*$|\s{4,}\S"
_PATH: Final = r"(?:[A-Za-z]:)?[^\s:()]+"

GCC: Final = Rules(
    Rule(Rank.ERROR, rf"{_PATH}:\d+(?::\d+)?: (?:fatal )?error: ", key=r"error: (.{0,60})", follow=_GCC_EXCERPT, fails=True),
    Rule(
        Rank.WARNING, rf"{_PATH}:\d+(?::\d+)?: warning: ", key=r"(\[-W[\w=+-]+\]|warning: .{0,40})\s*$", follow=_GCC_EXCERPT,
    ),
    Rule(Rank.CONTEXT, rf"{_PATH}:\d+(?::\d+)?: note: ", follow=_GCC_EXCERPT, follow_rank=Rank.PLAIN),
    Rule(Rank.PLAIN, rf"{_PATH}: (?:In|At) |In file included from|\s+from {_PATH}:\d+"),
    Rule(Rank.ERROR, r".*(?:undefined reference to|multiple definition of|cannot find -l|ld returned"
        r"|collect2: error)", fails=True),
    Rule(Rank.SUMMARY, r"\d+ (?:errors?|warnings?)(?: and \d+ \w+)? generated|compilation terminated"),
    Rule(Rank.NOISE, r"\s*$"),
)  # fmt: skip

_RUST_EXCERPT: Final = r"\s+\||\s*\d+ +[|+-]|\s+= |\.\.\.$|\s+\.\.\.|(?:help|note): "

CARGO_BUILD: Final = Rules(
    Rule(
        Rank.SUMMARY,
        r"(?:error|warning): (?:could not compile|aborting due|build failed|`[^`]+` \(.*\) generated)"
        r"|\s+Finished ",
    ),
    Rule(Rank.ERROR, r"error(?:\[\w+\])?: ", key=r"(error(?:\[\w+\])?: .{0,50})", follow=_RUST_EXCERPT, fails=True),
    Rule(
        Rank.WARNING,
        r"warning(?:\[\w+\])?: ",
        key=r"(warning(?:\[\w+\])?: [^`]{0,50})",
        follow=_RUST_EXCERPT,
        follow_rank=Rank.CONTEXT,
    ),
    Rule(Rank.LOCATION, r"\s+--> \S+:\d+:\d+", follow=_RUST_EXCERPT, belongs=True),
    Rule(
        Rank.NOISE,
        r"\s+(?:Compiling|Checking|Downloading|Downloaded|Updating|Locking|Adding|Fresh|Blocking"
        r"|Building|Dirty|Documenting)\b",
    ),
    Rule(Rank.NOISE, r"\s*$|For more information about|Some errors have detailed"),
    Rule(Rank.ERROR, r"thread '.*panicked at|error: |Caused by:", follow=r"  ", fails=True),
    default=Rank.PLAIN,
)

GO_BUILD: Final = Rules(
    Rule(Rank.ERROR, r"(?:vet: )?\S+\.go:\d+:\d+: ", key=r": ([^:]{0,60})", follow=r"\t", fails=True),
    Rule(Rank.DETAIL, r"# \S+"),
    Rule(Rank.ERROR, r"go: (?!downloading|finding|found|extracting)|\S+ imports|note: module requires"),
    Rule(Rank.NOISE, r"go: (?:downloading|finding|found|extracting)"),
    Rule(Rank.SUMMARY, r"too many errors|exit status \d+"),
)

JAVAC: Final = Rules(
    Rule(
        Rank.ERROR,
        r"\S+\.(?:java|kt|scala):\d+: (?:error"
        r"|warning: \[removal\])",
        key=r"error: (.{0,60})",
        follow=r"\s+\S|\s*\^",
        fails=True,
    ),
    Rule(Rank.WARNING, r"\S+\.(?:java|kt|scala):\d+: warning", key=r"warning: (\[\w+\]|.{0,40})", follow=r"\s+\S"),
    Rule(Rank.EVIDENCE, r"\s+symbol: ", belongs=True),
    Rule(Rank.ERROR, r"(?:error|e): ", fails=True),
    Rule(Rank.SUMMARY, r"\d+ (?:errors?|warnings?)$"),
    Rule(Rank.CONTEXT, r"Note: "),
)

TSC: Final = Rules(
    Rule(
        Rank.EVIDENCE,
        r"\S.*?(?:\(\d+,\d+\): |:\d+:\d+ - )error TS(?:1\d{3}|2304|2305|2307|2552"
        r"|2792):",
        key=r"error (TS\d+)",
        fails=True,
    ),
    Rule(Rank.ERROR, r"\S.*?(?:\(\d+,\d+\): |:\d+:\d+ - )error TS\d+", key=r"error (TS\d+)", follow=r"  \S", fails=True),
    Rule(Rank.ERROR, r"error TS\d+", key=r"error (TS\d+)", fails=True),
    Rule(Rank.SUMMARY, r"Found \d+ errors?|\[.*\] Found \d+"),
    Rule(
        Rank.PLAIN,
        r"\d+ |\s+\d+  \S|Errors  Files|(?:Files|Lines|Identifiers|Symbols|Types|Memory|.* time|.* size"
        r"|.* cache)\S*:",
    ),
    Rule(Rank.NOISE, r"\s*[~^]+\s*$|\s*$"),
    Rule(Rank.DETAIL, r"  \S"),
)
