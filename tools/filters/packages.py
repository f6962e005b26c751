"""What matters in the output of package managers: what changed, what was refused and why, vulnerabilities."""

from typing import Final

from .filter import Rank
from .rules import Rule, Rules

NPM: Final = Rules(
    Rule(
        Rank.NOISE,
        r"npm (?:notice|http|info|sill|verb|timing)\b|npm (?:error|ERR!)\s*$|npm (?:error"
        r"|ERR!) (?:A complete log|For a full report|/\S+)",
    ),
    Rule(
        Rank.SUMMARY,
        r"npm (?:error|ERR!) code |(?:added|removed|changed|up to date|audited)\b.*package"
        r"|found \d+ vulnerabilit|\d+ (?:\w+ )?vulnerabilit",
    ),
    Rule(Rank.EVIDENCE, r"npm (?:error|ERR!) ", fails=True),
    Rule(Rank.WARNING, r"npm (?:warn|WARN) deprecated", key=r"(deprecated)"),
    Rule(Rank.WARNING, r"npm (?:warn|WARN) ", key=r"npm (?:warn|WARN) (\S+ \S+)"),
    Rule(Rank.ERROR, r"[├└│ ─┬]*(?:UNMET|.*(?:invalid|extraneous|missing):?)"),
    Rule(Rank.CONTEXT, r"[├└]─|\S+@\d|> "),
    Rule(Rank.NOISE, r"\s*$|\d+ packages are looking|\s+run `npm fund`"),
)

PNPM: Final = Rules(
    Rule(Rank.SUMMARY, r"Done in|Packages: |Already up to date| ERR_PNPM|.*ERR_PNPM_|\s*Lockfile is"),
    Rule(Rank.NOISE, r"Progress: .*(?<!done)$|[+-]+$|\s*[╭╰│]|\s*$|Downloading|WARN.*deprecated subdep"),
    Rule(Rank.DETAIL, r"[+-] \S"),
    Rule(Rank.WARNING, r"\s*WARN", key=r"WARN\W+(\w+ \w+)"),
)

YARN: Final = Rules(
    Rule(Rank.SUMMARY, r"Done in|➤ YN0000: (?:Done|Failed)|success |error Command|info Visit"),
    Rule(Rank.ERROR, r"error |➤ YN0(?:001|009|028|082)", fails=True, follow=r"\s+at ", follow_rank=Rank.CONTEXT),
    Rule(Rank.WARNING, r"warning |➤ YN0(?:002|060|086)", key=r"((?:warning \S+|YN\d+))"),
    Rule(Rank.NOISE, r"\[\d/\d\]|➤ YN00(?:13|00|19|07|08)|info |├─|└─|\s*$|yarn (?:install|add|run) v"),
)

PIP: Final = Rules(
    Rule(
        Rank.SUMMARY,
        r"Successfully (?:installed|uninstalled|built)|ERROR: (?:Failed|No matching|Could not build"
        r"|Cannot install)",
    ),
    Rule(Rank.ERROR, r"ERROR: |error: |\s+error: |\s*× ", fails=True),
    Rule(
        Rank.EVIDENCE,
        r"\s+[A-Za-z_.]+(?:Error|Exception): |The conflict is caused by|\s+The user requested"
        r"|\s+\S+ \S+ depends on",
    ),
    Rule(Rank.WARNING, r"(?:WARNING|DEPRECATION): ", key=r"(\w+: .{0,50})"),
    Rule(
        Rank.NOISE,
        r"Collecting |\s+(?:Downloading|Using cached|Obtaining|Preparing metadata|Getting requirements"
        r"|Installing build|Created wheel|Building wheel"
        r"|Attempting|Found existing|Uninstalling|Successfully uninstalled)|Requirement already|Installing collected"
        r"|Looking in|Building wheels|Using cached"
        r"|Downloading|\s+Stored in|\s*━|\[notice\]|\s*$",
    ),
    Rule(Rank.CONTEXT, r"\s+│|\s+╰─>|Processing "),
)

UV: Final = Rules(
    Rule(Rank.SUMMARY, r"(?:Resolved|Installed|Uninstalled|Audited|Prepared|Removed|Updated) \d+|Built |error: ", fails=False),
    Rule(Rank.ERROR, r"\s*× ", fails=True, follow=r"\s+[│╰]|\s{6}", follow_rank=Rank.ERROR),
    Rule(Rank.DETAIL, r" [+~-] \S+"),
    Rule(Rank.NOISE, r"\s*(?:Downloading|Downloaded|Building|Preparing|Creating virtual|Using CPython|Activate with)|\s*$"),
    Rule(Rank.WARNING, r"warning: ", key=r"(warning: .{0,50})"),
    Rule(Rank.CONTEXT, r"[├└│ ]*[├└]── "),
)

POETRY: Final = Rules(
    Rule(
        Rank.SUMMARY,
        r"Package operations|No dependencies to|Installing the current|Writing lock"
        r"|.*version solving failed",
        fails=False,
    ),
    Rule(
        Rank.ERROR,
        r"Because |So, because|And because|Thus,|The following package|\s+\w+Error$|Could not (?:find"
        r"|parse)",
        follow=r"\s+\S",
        follow_rank=Rank.EVIDENCE,
        fails=True,
    ),
    Rule(
        Rank.NOISE,
        r"\s+- (?:Downloading|Installing \S+ \(.*\): (?:Pending|Downloading|Installing))|Resolving"
        r"|Updating|\s*$|Creating virtualenv",
    ),
    Rule(Rank.DETAIL, r"\s+[-•] (?:Installing|Updating|Removing|Downgrading) "),
)

GO_MOD: Final = Rules(
    Rule(Rank.NOISE, r"go: (?:downloading|finding|extracting)"),
    Rule(Rank.DETAIL, r"go: (?:found|added|upgraded|downgraded|removed)"),
    Rule(Rank.ERROR, r"go: |\t|\S+: unrecognized import", fails=True),
)

APT: Final = Rules(
    Rule(Rank.SUMMARY, r"\d+ upgraded, \d+|E: |dpkg: error|Errors were encountered", fails=False),
    Rule(Rank.WARNING, r"W: |dpkg: warning", key=r"(W: .{0,40}|dpkg: warning)"),
    Rule(Rank.DETAIL, r"The following |\s{1,2}\S+  Depends|\S+ : Depends", follow=r"  \S"),
    Rule(
        Rank.NOISE,
        r"(?:Get|Hit|Ign):\d+|Reading |Building dependency|Selecting |Preparing to|Unpacking |Setting up "
        r"|Processing triggers|Fetched|\(Reading|Need to get"
        r"|Inst |Conf |Remv |After this|\s*$|Preconfiguring|debconf: ",
    ),
)

BREW: Final = Rules(
    Rule(Rank.SUMMARY, r"🍺|Error: |==> (?:Summary|Caveats)", follow=r"\S", follow_rank=Rank.DETAIL),
    Rule(Rank.WARNING, r"Warning: ", key=r"Warning: (.{0,40})"),
    Rule(
        Rank.NOISE,
        r"#+ +[\d.]+%|==> (?:Downloading|Fetching|Pouring|Auto-)|Already downloaded|Running `brew"
        r"|Removing: |\s*$|==> Updated|==> Homebrew",
    ),
    Rule(Rank.DETAIL, r"==> "),
)
