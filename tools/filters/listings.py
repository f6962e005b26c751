"""Listings and tables: files, processes, matches. Pure.

Rows are kept verbatim, from both ends; how many there are of what is derived.
"""

import re
from collections import Counter
from typing import Final

from .filter import Document, Rank, Scores, places_of
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
_DENIED_LINE, _MATCH_LINE, _NUMBERED, _EMPTY_LINE, _BESIDE, _NAME_LINE = range(6)
_RANKS_OF_MATCHES: Final = bytes([Rank.ERROR, Rank.PLAIN, Rank.PLAIN, Rank.NOISE, Rank.PLAIN, Rank.CONTEXT]).ljust(256, b"\0")

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
    kinds = document.told(_kind_of_match)
    lines = document.ruled
    files: Counter[str] = Counter()
    heading = ""
    firsts: list[int] = []
    for number in places_of(kinds, (_MATCH_LINE, _NUMBERED, _NAME_LINE)):
        name = heading
        if kinds[number] == _MATCH_LINE:
            found = _MATCH.match(lines[number])
            name = found[1] if found else ""
        elif kinds[number] == _NUMBERED and not heading:
            kinds[number] = _kind_beside(lines[number])
        if kinds[number] == _NAME_LINE:
            heading = lines[number].strip()
        elif name:
            files[name] += 1
            if files[name] == 1:
                firsts.append(number)
    scores = Scores(kinds.translate(_RANKS_OF_MATCHES))
    for number in firsts:
        scores.ranks[number] = Rank.CONTEXT
    if files:
        named = ", ".join(f"{name} ×{n:,}" for name, n in files.most_common(_NAMED))
        scores.derived.append(f"{files.total():,} matches in {len(files):,} files; most in {named}")
    return scores


def _kind_of_match(line: str) -> int:
    found = _MATCH.match(line)
    if found and not found[1].isdigit():
        return _MATCH_LINE
    if not found and _DENIED.match(line):
        return _DENIED_LINE
    return _NUMBERED if line[:1].isdigit() else _kind_beside(line)


def _kind_beside(line: str) -> int:
    """Return what a line is that is no match: blank, a line around a match, a count, or the name of a file."""
    if not line.strip() or line == "--":
        return _EMPTY_LINE
    if _AROUND.match(line):
        return _BESIDE
    if counted := _COUNTED.match(line):
        return _EMPTY_LINE if counted[2] == "0" else _BESIDE
    return _NAME_LINE
