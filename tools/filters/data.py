"""Tables in CSV, markup, and HTTP exchanges. Pure."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Final

from .filter import Document, Rank, Scores
from .jsondoc import shape_of_text
from .rules import Rule, Rules, rank_words

_DELIMITERS: Final = (",", "\t", ";", "|")
_CSV_LINES: Final = 40
_FIRST_ROWS: Final = 3
_TYPED_ROWS: Final = 2000
_NUMBER: Final = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?%?$")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?$")

_FAILED_CASE: Final = re.compile(r"<(?:failure|error)\b")
_TOLD_LINES: Final = 20
"""Lines of one failure in a report that are told apart from the rest of it."""

HTTP: Final = Rules(
    Rule(Rank.SUMMARY, r"(?:< )?HTTP/[\d.]+ \d{3}|curl: \(\d+\)"),
    Rule(
        Rank.DETAIL,
        r"> (?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) |(?:< )?(?i:location|content-type"
        r"|www-authenticate|retry-after):",
    ),
    Rule(Rank.CONTEXT, r"[<>] \S|[A-Za-z][\w-]{1,40}: \S"),
    Rule(
        Rank.ERROR,
        r"\* .*(?:[Ff]ailed|refused|[Tt]imed? ?out|Could not resolve|No route to|SSL.*(?:error|problem)"
        r"|certificate.*(?:expired|not))",
        key=r"\* (\D{0,40})",
    ),
    Rule(Rank.NOISE, r"\* |[<>] ?\r?$|\s*$|[{}] \[\d+ bytes|  % Total|\s+Dload| *\d+ +\d+"),
)

MARKUP: Final = Rules(
    Rule(Rank.NOISE, r"\s*(?:<!--|-->|\*|</?(?:meta|link|br|hr)\b|</[\w:-]+>\s*$|$)"),
    Rule(Rank.NOISE, r"\s*<(?:style|script)\b(?!.*</)", then=Rank.NOISE),
    Rule(Rank.DETAIL, r"\s*<(?:title|h[1-6])\b|\s*<(?:failure|error)\b|\s*<testsuite\b"),
    Rule(Rank.CONTEXT, r"\s*(?:<\?xml|<!DOCTYPE|<html|<body|</head|</style|</script)", then=Rank.PLAIN),
)


def is_csv(document: Document) -> bool:
    """Whether the first lines have the same number, two or more, of the same delimiter."""
    return delimiter_of(document.lines[:_CSV_LINES]) != ""


def delimiter_of(lines: Sequence[str]) -> str:
    """Return what separates the columns, or nothing."""
    rows = [line for line in lines if line.strip()]
    if len(rows) < 4 or len(rows[0]) > 2000:
        return ""
    for delimiter in _DELIMITERS:
        columns = rows[0].count(delimiter)
        if columns >= 1 + (delimiter == ",") and sum(row.count(delimiter) == columns for row in rows) >= 0.9 * len(rows):
            return delimiter
    return ""


def score_csv(document: Document) -> Scores:
    """Rank a table: header and first rows, the last, then the others; types of columns are derived."""
    scores = Scores(bytearray([Rank.PLAIN]) * len(document))
    for number in range(min(len(document), _FIRST_ROWS + 1)):
        scores.ranks[number] = Rank.LAST if number == 0 else Rank.CONTEXT
    lines = document.lines
    delimiter = delimiter_of(lines[:_CSV_LINES])
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines[:_TYPED_ROWS])), delimiter=delimiter or ","))
    except csv.Error:
        return scores
    if rows:
        named = ", ".join(
            f"{name.strip()} {_type_of([row[i] for row in rows[1:] if i < len(row)])}" for i, name in enumerate(rows[0][:30])
        )
        scores.derived.append(f"{len(lines) - 1:,} rows × {len(rows[0])} columns: {named}")
    return scores


def _type_of(values: Sequence[str]) -> str:
    filled = [value.strip() for value in values if value.strip()]
    if not filled:
        return "(empty)"
    if all(_NUMBER.match(value) for value in filled):
        return "number"
    if all(_DATE.match(value) for value in filled):
        return "date"
    kinds = sorted(set(filled))
    return f"text of {len(kinds):,} values" if len(kinds) > 4 else "one of " + "/".join(kind[:16] for kind in kinds)


def score_http(document: Document) -> Scores:
    """Rank an HTTP exchange: status, telling headers, the body; the shape of a JSON body is derived."""
    scores = HTTP(document)
    body = next((line for line in reversed(document.lines) if line.startswith(("{", "["))), "")
    shape = shape_of_text(body)
    if shape:
        scores.derived.append(f"body: {shape}")
    return scores


def score_markup(document: Document) -> Scores:
    """Rank XML or HTML: titles, headings, failures of test reports; scripts and styles last."""
    scores = MARKUP(document)
    rank_words(document, scores)
    if "<testcase" in document.text and _FAILED_CASE.search(document.text):
        _rank_failed_cases(document.ruled, scores)
    return scores


def _rank_failed_cases(lines: Sequence[str], scores: Scores) -> None:
    """Raise the failed cases of a JUnit report: the case's own line, the failure's, and the first line of what it says."""
    case: int | None = None
    for number, line in enumerate(lines):
        if "<testcase" in line:
            case = number
        if not _FAILED_CASE.search(line):
            continue
        scores.is_failed = True
        scores.lift(number, Rank.FAILURE)
        if case is not None:
            scores.lift(case, Rank.FAILURE)
        below = number + 1
        while below < min(len(lines), number + _TOLD_LINES) and "</" not in lines[below]:
            scores.lift(below, Rank.EVIDENCE if below == number + 1 else Rank.DETAIL)
            below += 1
