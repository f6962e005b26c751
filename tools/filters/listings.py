"""Listings and tables: files, processes, matches. Pure.

Rows are kept verbatim, from both ends; how many there are of what is derived.
"""

import re
from collections import Counter
from typing import Final

from .filter import Document, Rank, Scores
from .rules import Rule, Rules

_DENIED: Final = re.compile(
    r".*: (?:Permission denied|No such file or directory|cannot (?:access|open)"
    r"|Input/output error|Not a directory)|(?:ls|find|du|grep|rg|tree): "
)
_TOTAL: Final = re.compile(r"total \d|\d+ director(?:y|ies), \d+ files?|\d+ (?:matches|files contained)")
_FOLDER: Final = re.compile(r"\S.*:$")
_MATCH: Final = re.compile(r"((?:[A-Za-z]:)?[^\s:][^:\n]*?):(\d+):")
_AROUND: Final = re.compile(r".+?-\d+-|--$")
_COUNTED: Final = re.compile(r"(\S.*):(\d+)$")
_SUFFIX: Final = re.compile(r"\.([A-Za-z]\w{0,7})$")
_NAMED: Final = 8

DF: Final = Rules(Rule(Rank.SUMMARY, r"Filesystem"), Rule(Rank.EVIDENCE, r".*\b(?:9[0-9]|100)% "), words=False)
PS: Final = Rules(
    Rule(
        Rank.SUMMARY,
        r"\s*(?:USER|UID|PID|F S|COMMAND"
        r"|top - )\b.*",
    ),
    Rule(Rank.EVIDENCE, r".* (?:Z|D)\+? .*|.*<defunct>"),
    words=False,
)


def score_listing(document: Document) -> Scores:
    """Rank names, one a line, as ls, find, tree and du print them."""
    scores = Scores(bytearray([Rank.PLAIN]) * len(document))
    suffixes: Counter[str] = Counter()
    rows = 0
    for number, line in enumerate(document.ruled):
        if not line.strip():
            scores.ranks[number] = Rank.NOISE
        elif _DENIED.match(line):
            scores.ranks[number] = Rank.ERROR
        elif _TOTAL.match(line):
            scores.ranks[number] = Rank.LAST if line[0] != "t" else Rank.CONTEXT
        elif _FOLDER.match(line):
            scores.ranks[number] = Rank.CONTEXT
        else:
            rows += 1
            found = _SUFFIX.search(line)
            suffixes[f".{found[1]}" if found else "others"] += 1
    named = ", ".join(f"{suffix} ×{n:,}" for suffix, n in suffixes.most_common(_NAMED))
    scores.derived.append(f"{rows:,} entries: {named}")
    return scores


def score_matches(document: Document) -> Scores:
    """Rank what grep and ripgrep found: the first match of every file, then the others, then the lines around them."""
    scores = Scores(bytearray([Rank.PLAIN]) * len(document))
    files: Counter[str] = Counter()
    heading = ""
    for number, line in enumerate(document.ruled):
        found = _MATCH.match(line)
        if _DENIED.match(line) and not found:
            scores.ranks[number] = Rank.ERROR
        elif found and not found[1].isdigit():
            files[found[1]] += 1
            scores.ranks[number] = Rank.CONTEXT if files[found[1]] == 1 else Rank.PLAIN
        elif heading and line[:1].isdigit():
            files[heading] += 1
            scores.ranks[number] = Rank.CONTEXT if files[heading] == 1 else Rank.PLAIN
        elif not line.strip() or _AROUND.match(line):
            scores.ranks[number] = Rank.NOISE if not line.strip() or line == "--" else Rank.PLAIN
        elif counted := _COUNTED.match(line):
            scores.ranks[number] = Rank.NOISE if counted[2] == "0" else Rank.PLAIN
        else:
            heading = line.strip()
            scores.ranks[number] = Rank.CONTEXT
    if files:
        named = ", ".join(f"{name} ×{n:,}" for name, n in files.most_common(_NAMED))
        scores.derived.append(f"{files.total():,} matches in {len(files):,} files; most in {named}")
    return scores
