"""What matters in what git prints, diffs apart (`diff.py`)."""

import re
from collections import Counter
from typing import Final

from .diff import rank_diff
from .filter import Document, Rank, Scores
from .rules import Rule, Rules

STATUS: Final = Rules(
    Rule(
        Rank.SUMMARY,
        r"On branch |HEAD detached|## |Your branch|You have unmerged|All conflicts fixed"
        r"|nothing (?:to commit|added)|no changes added",
    ),
    Rule(
        Rank.FAILURE,
        r"\s+(?:both \w+|(?:added|deleted) by \w+):|(?:UU|AA|DD|AU|UA|DU|UD) |CONFLICT "
        r"|Automatic merge failed| ! \[",
        fails=True,
    ),
    Rule(Rank.ERROR, r"(?:error|fatal): |Aborting|.*\(non-fast-forward\)", fails=True),
    Rule(
        Rank.NOISE,
        r"\s+\(use \"git|\s*$|hint: |(?:remote: )?(?:Enumerating|Counting|Compressing|Delta|Total"
        r"|Resolving|Receiving|Unpacking)",
    ),
    Rule(
        Rank.DETAIL,
        r"(?:Changes|Unmerged|Untracked|Ignored)\b.*:$|\s+(?:modified|new file|deleted|renamed|copied"
        r"|typechange): |[ MADRCT]{2} \S",
    ),
    Rule(Rank.PLAIN, r"\?\? |\t"),
    words=False,
)

BRANCH: Final = Rules(
    Rule(Rank.SUMMARY, r"\* "),
    Rule(
        Rank.CONTEXT,
        r"\s+\S+ +[0-9a-f]{7,} \[.*(?:ahead|behind"
        r"|gone)",
    ),
    words=False,
)

_GRAPH: Final = r"[*|\\/_ .-]*"
_COMMIT: Final = re.compile(rf"{_GRAPH}commit [0-9a-f]{{7,64}}")
_ONELINE: Final = re.compile(rf"{_GRAPH}[0-9a-f]{{7,40}} (?:\([^)]*\) )?\S")
_HEADER: Final = re.compile(rf"{_GRAPH}(Author|AuthorDate|Commit|CommitDate|Date|Merge|gpg|tag|Tagger):")
_TOTALS: Final = re.compile(rf"{_GRAPH} \d+ files? changed")
_AUTHOR: Final = re.compile(rf"{_GRAPH}Author: +(.+?) <")
_EDGE: Final = re.compile(rf"{_GRAPH}$")
_BLAMED: Final = re.compile(r"\^?([0-9a-f]{7,40}) (?:\S+ +)?\((.+?) +\d{4}-\d\d-\d\d")


def score_log(document: Document) -> Scores:
    """Rank `git log` in any of its forms: subjects first, newest first; then hashes; then bodies, statistics and patches."""
    scores = Scores(bytearray([Rank.PLAIN]) * len(document))
    wants_subject = in_message = False
    authors: Counter[str] = Counter()
    commits = 0
    for number, line in enumerate(document.ruled):
        if _EDGE.match(line):
            scores.ranks[number] = Rank.NOISE
        elif _COMMIT.match(line):
            scores.ranks[number], wants_subject, in_message = Rank.CONTEXT, True, True
            commits += 1
        elif header := _HEADER.match(line) if in_message and wants_subject else None:
            scores.ranks[number] = Rank.CONTEXT if header[1] == "Merge" else Rank.NOISE
            author = _AUTHOR.match(line)
            authors.update([author[1]] if author else [])
        elif wants_subject:
            scores.ranks[number], wants_subject = Rank.DETAIL, False
        elif line.startswith("diff --git "):
            in_message = False
        elif _ONELINE.match(line) and not in_message:
            scores.ranks[number] = Rank.DETAIL
            commits += 1
        elif _TOTALS.match(line):
            scores.ranks[number] = Rank.CONTEXT
    if commits > 1:
        by = ", ".join(f"{name} ×{n:,}" for name, n in authors.most_common(5))
        scores.derived.append(f"{commits:,} commits" + (f" by {by}" if by else ""))
    return scores


def score_show(document: Document) -> Scores:
    """Rank one commit: its message, then its diff."""
    scores = Scores(bytearray([Rank.DETAIL]) * len(document))
    plain = document.ruled
    start = next((number for number, line in enumerate(plain) if line.startswith(("diff --", "@@ "))), len(plain))
    for number in range(start):
        line = plain[number]
        if _HEADER.match(line) or _COMMIT.match(line):
            scores.ranks[number] = Rank.LAST
        elif not line.strip():
            scores.ranks[number] = Rank.NOISE
        elif _TOTALS.match(line):
            scores.ranks[number] = Rank.SUMMARY
    subject = next((n for n in range(start) if plain[n].startswith("    ") and plain[n].strip()), None)
    if subject is not None:
        scores.ranks[subject] = Rank.SUMMARY
    if start < len(plain):
        rank_diff(document, scores, start)
    return scores


def score_blame(document: Document) -> Scores:
    """Rank blamed lines: the first of every commit, then the others."""
    scores = Scores(bytearray([Rank.PLAIN]) * len(document))
    commits: Counter[str] = Counter()
    authors: Counter[str] = Counter()
    for number, line in enumerate(document.ruled):
        found = _BLAMED.match(line)
        if found:
            commits[found[1]] += 1
            authors[found[2]] += 1
            if commits[found[1]] == 1:
                scores.ranks[number] = Rank.CONTEXT
    by = ", ".join(f"{name} ×{n:,}" for name, n in authors.most_common(5))
    scores.derived.append(f"{len(commits):,} commits; lines by {by}")
    return scores
