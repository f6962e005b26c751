"""Filtering as one call: detect the kind, rank the lines, plan the budget. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from .changes import Earlier, rank_changes
from .detect import Detected, detect
from .families import FAMILIES, TEXT, find_family
from .family import Family
from .filter import Counter, Document, Filtered, Focus, Rank, Scores
from .planner import keep
from .query import rank_query
from .rules import Rules
from .traces import score_trace

_LAST_LINES: Final = 3
_LAST_LINES_OF_UNKNOWN_FAILURE: Final = 20
_CLASSES_NAMED: Final = 8
_CLASS_CHARS: Final = 48
_MANY: Final = 3
_WORTH_ADDING: Final = bytes(rank if rank >= Rank.DETAIL else 0 for rank in range(256))


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
    chosen = Detected(found) if found else detect(document, FAMILIES, TEXT, command=command)
    focus = replace(focus, aim=chosen.family.aim)
    scores = score(document, chosen, focus, earlier)
    return keep(chosen.family.name, document, scores, focus, count)


def kind_of(document: Document) -> str:
    """Return the name of the family that the content shows."""
    return detect(document, FAMILIES, TEXT).family.name


def score(document: Document, chosen: Detected, focus: Focus, earlier: Earlier | None = None) -> Scores:
    """Rank every line: the family's own rules, those of other families found in the same text, the ends, the query."""
    scores = chosen.family.score(document)
    for other in chosen.others:
        _merge(scores, _score_part(other, document))
    _name_classes(scores)
    if earlier is not None:
        rank_changes(document, scores, earlier, chosen.family.score(Document(earlier.text)))
    _rank_ends(document, scores, focus)
    if focus.query:
        rank_query(document, scores, focus.query)
    return scores


def _score_part(family: Family, document: Document) -> Scores:
    """Rank by a family found inside another; words of error were looked for already."""
    if isinstance(family.score, Rules):
        return family.score.rank(document, words=False)
    return score_trace(document, words=False) if family.score is score_trace else family.score(document)


def _merge(scores: Scores, other: Scores) -> None:
    """Add what the other family holds worth keeping: what it takes for plain may be noise to the first."""
    scores.ranks[:] = bytes(map(max, scores.ranks, other.ranks.translate(_WORTH_ADDING)))
    scores.is_failed = scores.is_failed or other.is_failed


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
    plain = document.plain
    found = 0
    for number in range(len(plain) - 1, -1, -1):
        if not plain[number].strip():
            continue
        scores.lift(number, Rank.LAST if found else Rank.END)
        found += 1
        if found == wanted:
            break
