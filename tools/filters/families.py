"""The table of families, one line or a few for each; the order decides between equals."""

from collections.abc import Sequence
from typing import Final

from .diff import score_diff
from .family import Family, Sign
from .generic import score_log, score_text
from .jsondoc import is_json, score_json, score_ndjson
from .runners_python import PYTEST, UNITTEST

_S = Sign

# Shares of the original that default answers have; measured by `make bench`.
_TESTS: Final = 0.1
_GIT: Final = 0.33
_LOGS: Final = 0.2
_DATA: Final = 0.25

TEXT: Final = Family("text", score_text)

FAMILIES: Final[Sequence[Family]] = (
    Family(
        "pytest",
        PYTEST,
        aim=_TESTS,
        commands=("pytest", "py.test", "tox", "nox"),
        signs=(
            _S("test session starts", r"^=+ test session starts =+"),
            _S(" in ", r"^=* ?\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|warnings?)\b.* in [\d.]+s", 8),
            _S("short test summary info", r"^=+ short test summary info =+"),
            _S("FAILED ", r"^(?:FAILED|ERROR) \S+\.py(?:::| )", 8),
        ),
    ),
    Family(
        "unittest",
        UNITTEST,
        aim=_TESTS,
        commands=("unittest", "manage.py test"),
        signs=(_S("Ran ", r"^Ran \d+ tests? in [\d.]+s"), _S("FAIL: ", r"^(?:FAIL|ERROR): \w+ \(", 8)),
    ),
    Family(
        "git diff",
        score_diff,
        aim=_GIT,
        commands=("git diff", "diff", "git format-patch"),
        signs=(_S("diff --git ", r"^diff --git "), _S("@@ -", r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@"), _S("--- ", r"^--- \S", 3)),
        aliases=("diff", "patch"),
    ),
    Family("json", score_json, aim=_DATA, probe=is_json),
    Family("ndjson", score_ndjson, aim=_DATA, shape=r"\{\".*\}\s*$", share=0.9, aliases=("jsonl", "json lines")),
    Family(
        "log",
        score_log,
        aim=_LOGS,
        commands=("journalctl", "tail"),
        shape=(
            r"\[?\d{4}[-/.]\d\d[-/.]\d\d[T \]]|\[?\d\d:\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
            r"|\[?(?:DEBUG|INFO|WARN|ERROR|TRACE)\b"
            r"|\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}|[IWEF]\d{4} |(?:time|ts|level)=|\[ *\d+\.\d+\] |\d{10}"
        ),
        aliases=("logs",),
    ),
)


def find_family(kind: str) -> Family | None:
    """Return the family that `kind` names, or None."""
    name = " ".join(kind.lower().replace("_", " ").replace("-", " ").split())
    for family in (*FAMILIES, TEXT):
        names = (family.name, *family.aliases)
        if name in names or name in (known.replace("-", " ") for known in names):
            return family
    return None


def kind_names() -> list[str]:
    """Return the names that `kind` may have."""
    return [family.name for family in (*FAMILIES, TEXT)]
