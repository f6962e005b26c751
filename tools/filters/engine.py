"""Filtering as one call: detect the kind, rank the lines, plan the budget. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from .changes import Earlier, rank_changes
from .detect import Detected, detect
from .families import FAMILIES, TEXT, find_family
from .family import Family
from .filter import Counter, Document, Filtered, Focus, Rank, Scores, places_of
from .findings import findings_of
from .leads import lead_of
from .planner import keep
from .query import rank_query
from .rules import Rules
from .traces import score_trace

_LAST_LINES: Final = 3
_LAST_LINES_OF_UNKNOWN_FAILURE: Final = 20
_CLASSES_NAMED: Final = 8
_CLASS_CHARS: Final = 48
_MANY: Final = 2
_OF_ANY_TEXT: Final = ("text", "log", "ndjson", "csv", "find", "grep", "git branch", "git diff", "du", "trace")
"""Families that a log without its times may look like; the times are part of a log."""
_WORTH_ADDING: Final = tuple(rank for rank in Rank if rank >= Rank.DETAIL)


def compress_text(
    text: str,
    focus: Focus,
    count: Counter,
    *,
    kind: str | None = None,
    command: Sequence[str] = (),
    earlier: Earlier | None = None,
) -> Filtered:
    """Keep the lines of `text` that matter most within the budget.

    `kind` names the family; without it, or with a name that no family has, the content decides. What is new against an
    `earlier` output of the same command goes first.
    """
    return compress_document(Document(text), focus, count, kind=kind, command=command, earlier=earlier)


def compress_document(
    document: Document,
    focus: Focus,
    count: Counter,
    *,
    kind: str | None = None,
    command: Sequence[str] = (),
    earlier: Earlier | None = None,
) -> Filtered:
    """Do what `compress_text` does, also for an excerpt."""
    found = find_family(kind) if kind else None
    document, chosen = _recognised(document, command) if found is None else (document, Detected(found))
    focus = replace(focus, aim=chosen.family.aim)
    scores = score(document, chosen, focus, earlier)
    return keep(chosen.family.name, document, scores, focus, count)


def kind_of(document: Document) -> str:
    """Return the name of the family that the content shows."""
    return _recognised(document, ())[1].family.name


def _recognised(document: Document, command: Sequence[str]) -> tuple[Document, Detected]:
    """Return the families of `document`; where a lead hides them, also the document without it."""
    chosen = detect(document, FAMILIES, TEXT, command=command)
    lead = lead_of(document)
    if lead is not None:
        bare = document.without(lead)
        behind = detect(bare, FAMILIES, TEXT, command=command)
        if behind.family.name not in _OF_ANY_TEXT:
            return bare, behind
    return document, chosen


def score(document: Document, chosen: Detected, focus: Focus, earlier: Earlier | None = None) -> Scores:
    """Rank every line: the family's own rules, those of other families found in the same text, the ends, the query."""
    scores = _ranked(document, chosen)
    _name_classes(scores)
    if earlier is not None:
        before = Document(earlier.text, lead=document.lead)
        rank_changes(document, scores, earlier, _ranked(before, chosen))
    _rank_ends(document, scores, focus)
    if focus.query:
        rank_query(document, scores, focus.query)
    return scores


def _ranked(document: Document, chosen: Detected) -> Scores:
    """Rank by the families and by what records report."""
    scores = chosen.family.score(document)
    for other in chosen.others:
        _merge(scores, _score_part(other, document))
    _add_findings(document, scores)
    return scores


def _score_part(family: Family, document: Document) -> Scores:
    """Rank by a family found inside another; words of error were looked for already."""
    if isinstance(family.score, Rules):
        return family.score.rank(document, words=False)
    return score_trace(document, words=False) if family.score is score_trace else family.score(document)


def _merge(scores: Scores, other: Scores) -> None:
    """Add what the other family holds worth keeping: what it takes for plain may be noise to the first."""
    ranks, added = scores.ranks, other.ranks
    for number in places_of(added, _WORTH_ADDING):
        if added[number] > ranks[number]:
            ranks[number] = added[number]
    scores.is_failed = scores.is_failed or other.is_failed


def _add_findings(document: Document, scores: Scores) -> None:
    """Tell what records report in lines of their own, and take the records for samples of which one is enough."""
    scores.findings = findings_of(document)
    scores.is_failed = scores.is_failed or any(finding.rank >= Rank.ERROR for finding in scores.findings)
    told = sorted({finding.line for finding in scores.findings})
    for line in told[1:]:
        scores.ranks[line] = min(scores.ranks[line], Rank.REPEAT)


def _name_classes(scores: Scores) -> None:
    many = [(key, len(lines)) for key, lines in scores.classes.items() if len(lines) >= _MANY]
    if many:
        many.sort(key=lambda entry: (-entry[1], entry[0]))
        named = ", ".join(f"×{n:,} {_short(key)}" for key, n in many[:_CLASSES_NAMED])
        more = f", and {len(many) - _CLASSES_NAMED} more classes" if len(many) > _CLASSES_NAMED else ""
        scores.derived.append(f"repeated: {named}{more}")


def _short(key: str) -> str:
    key = " ".join(key.split())
    return f"“{key[:_CLASS_CHARS]}…”" if len(key) > _CLASS_CHARS else f"“{key}”"


def _rank_ends(document: Document, scores: Scores, focus: Focus) -> None:
    """Raise the last lines: the very last always; many where a command failed and nothing says why."""
    is_explained = scores.is_failed or any(scores.ranks.find(rank) >= 0 for rank in (Rank.FAILURE, Rank.EVIDENCE, Rank.ERROR))
    wanted = _LAST_LINES if is_explained or not focus.exit_code else _LAST_LINES_OF_UNKNOWN_FAILURE
    odd = places_of(scores.ranks, (Rank.DETAIL,)) if wanted > _LAST_LINES else []
    if 0 < len(odd) <= wanted:
        # What stands out of the rest is as likely to be the reason as what stands last.
        for number in odd:
            scores.lift(number, Rank.LAST)
    plain = document.plain
    found = 0
    for number in range(len(plain) - 1, -1, -1):
        if not plain[number].strip():
            continue
        scores.lift(number, Rank.LAST if found else Rank.END)
        found += 1
        if found == wanted:
            break
