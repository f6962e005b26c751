"""What matters in the output of build tools; the compilers' messages inside are ranked by the compilers' rules."""

from typing import Final

from .filter import Rank
from .rules import Rule, Rules

MAKE: Final = Rules(
    Rule(Rank.SUMMARY, r"g?make(?:\[\d+\])?: \*\*\*", fails=True),
    Rule(
        Rank.ERROR,
        r"g?make(?:\[\d+\])?: (?!Entering|Leaving|Nothing|Warning)|/bin/(?:ba)?sh: "
        r"|.*: command not found",
        fails=True,
    ),
    Rule(
        Rank.NOISE,
        r"g?make(?:\[\d+\])?: (?:Entering|Leaving)|\[ *\d+%\] (?:Building|Linking|Built|Generating)"
        r"|Consolidate|Scanning dep|\s*$",
    ),
    Rule(
        Rank.NOISE,
        r"(?:\S*/)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|ld|ar|ranlib|cd|mkdir|rm|cp|install|libtool"
        r"|echo|touch|/bin/\S+)\b .*",
    ),
    Rule(Rank.CONTEXT, r"g?make: Nothing to be done|\s+(?:CC|LD|AR|CXX|GEN) +\S"),
)

CMAKE: Final = Rules(
    Rule(Rank.ERROR, r"CMake Error", fails=True, follow=r"  \S|\s*$", follow_rank=Rank.EVIDENCE),
    Rule(Rank.WARNING, r"CMake (?:Deprecation )?Warning", key=r"(CMake .*Warning.*?)(?: at|:|$)", follow=r"  \S|\s*$"),
    Rule(Rank.SUMMARY, r"-- (?:Configuring incomplete|Configuring done|Generating done|Build files)"),
    Rule(Rank.CONTEXT, r"-- .*(?:NOT ?[Ff]ound|not found|missing|disabled)|-- Found "),
    Rule(Rank.NOISE, r"-- (?:Detecting|Check|Looking|Performing|Configuring|The \w+ compiler)|\s*$|See also"),
)

NINJA: Final = Rules(
    Rule(Rank.FAILURE, r"FAILED: ", fails=True),
    Rule(Rank.SUMMARY, r"ninja: (?:build stopped|error|fatal|no work)", fails=False),
    Rule(Rank.NOISE, r"\[\d+/\d+\] |ninja: Entering|\s*$"),
    Rule(Rank.CONTEXT, r"(?:\S*/)?(?:gcc|g\+\+|cc|c\+\+|clang\+*)\b .* -[oc] "),
)

BAZEL: Final = Rules(
    Rule(Rank.ERROR, r"ERROR: ", fails=True),
    Rule(
        Rank.SUMMARY,
        r"INFO: (?:Build completed|Elapsed|\d+ process)|FAILED: Build|Executed \d+ out of"
        r"|Target .* failed to build|Build did NOT",
    ),
    Rule(Rank.FAILURE, r"//\S+ +(?:FAILED|TIMEOUT|NO STATUS|FLAKY)|FAIL: //", fails=True, follow=r"  /"),
    Rule(Rank.WARNING, r"WARNING: |DEBUG: ", key=r"(\w+: [^:]{0,50})"),
    Rule(
        Rank.NOISE,
        r"//\S+ +(?:\(cached\) )?PASSED|INFO: |Loading:|Analyzing:|\[[\d,]+ / [\d,]+\]|\s*$"
        r"|Starting local Bazel|Extracting",
    ),
)

BUNDLER: Final = Rules(
    Rule(
        Rank.ERROR,
        r"ERROR in |Module (?:not found|build failed|parse failed)|\[vite\]|✘ \[ERROR\]"
        r"|error during build",
        fails=True,
        follow=r"\S",
    ),
    Rule(
        Rank.WARNING,
        r"WARNING in |▲ \[WARNING\]|\(!\)",
        key=r"(WARNING in.{0,40}|\[WARNING\].{0,40}"
        r"|\(!\).{0,40})",
        follow=r"\S",
    ),
    Rule(Rank.SUMMARY, r"webpack \d.* compiled|✓ built in|Build failed|✓ \d+ modules"),
    Rule(Rank.NOISE, r"\s*$|\s+(?:no extension|Field 'browser'|.* doesn't exist|using description file)"),
    Rule(Rank.CONTEXT, r"asset|\./|dist/"),
)
