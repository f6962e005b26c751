"""What JSON messages of tools report: failed tests, errors and warnings, found by the names of fields rather than by tool. Pure.

Compilers, linters and test runners write their results as records, one a line or all in one document, that bury a sentence in
kilobytes of fields, and whose lines no gap can be cut out of by rank. Each finding is told in a line of its own (`derived`),
made of the record's own words: severity, place, message. Records whose severity or status is that of a success are passed over.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, cast

from .filter import Document, Finding, Rank

_MESSAGES: Final = (
    *("rendered", "failureMessages", "failureMessage", "message", "msg", "Text", "text", "issue_text"),
    *("description", "details", "@message", "stack", "stderr", "reason", "detail", "summary", "hint", "longrepr", "title"),
)
_LEVELS: Final = (
    *("severity", "level", "status", "outcome", "result", "conclusion", "issue_severity", "@level", "Severity", "Level", "lvl"),
    *("state", "type"),
)
_PLACES: Final = (
    *(
        "filePath",
        "filename",
        "file_name",
        "file",
        "file_path",
        "path",
        "Filename",
        "uri",
        "source",
        "resource",
        "nodeid",
        "posn",
        "src",
    ),
    "name",
)
_LINES: Final = ("line", "lineno", "row", "line_number", "startLine", "line_start", "Line")
_COLUMNS: Final = ("column", "col", "character", "startColumn", "column_start", "Column")
_TESTS: Final = ("fullName", "fullTitle", "full_description", "nodeid", "testName", "title", "name")
_CODES: Final = ("ruleId", "code", "rule", "rule_id", "cop_name", "check_id", "test_id", "FromLinter")
_INNER: Final = (
    *(
        "location",
        "loc",
        "range",
        "start",
        "call",
        "setup",
        "teardown",
        "crash",
        "err",
        "error",
        "exception",
        "diagnostic",
        "position",
        "Pos",
    ),
    *("physicalLocation", "region", "artifactLocation"),
)
_FIRST_OF: Final = ("spans", "locations")
_SAME: Final = frozenset((*_INNER, *_FIRST_OF, "message", "traceback"))
"""Fields that describe the thing that a record reports."""
_FRAME: Final = re.compile(r"(?<![\w/.])(?!node:)((?:[A-Za-z]:)?/?[\w@.+-][^\s()'\"]*\.\w+:\d+(?::\d+)?)(?=[\s)]|$)")
_CALLS: Final = re.compile(r" at (?:async )?(?:[\w.<>$ ]+ \(|(?:file:)?/|\w:\\)")
"""Where the calls begin that led to an error."""
_FOREIGN: Final = ("node_modules", "node:internal", "site-packages")
_LEVEL_RANKS: Final[Mapping[str, Rank]] = {
    **dict.fromkeys(("failed", "fail", "failure", "broken", "timedout", "timed_out"), Rank.FAILURE),
    **dict.fromkeys(("error", "fatal", "critical", "panic", "errored", "alert", "emergency", "high", "2"), Rank.ERROR),
    **dict.fromkeys(("warning", "warn", "1", "medium"), Rank.WARNING),
}
_RANK_NAMES: Final = {Rank.FAILURE: "failed", Rank.ERROR: "error", Rank.WARNING: "warning"}
_MAX_CHARS: Final = 8_000_000
_MAX_FOUND: Final = 5_000
_MAX_DEPTH: Final = 12
_TEXT_CHARS: Final = 700
_SPEAKS: Final = re.compile(
    r"\"(?=[a-zA-Z])(?:(?=[fFbBtTeEcCpPaAhHmMwW])"
    r"(?i:failed|fail|failure|broken|timed_?out|error(?:ed)?|fatal|critical|panic|alert|emergency|high|medium|warn(?:ing)?)\""
    r"|severity\"\s*:\s*[12]\b|(?:ruleId|code|rule|cop_name|FromLinter|failures)\"\s*:)"
)
"""What a report of something cannot be without."""
_OPENINGS: Final = ('{"', "[{", "{ ")
_BRACKETS: Final = ("{", "[", "[{")
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")
_VARIABLE: Final = re.compile(r"[0-9]+|(?<=['\"`])[^'\"`]*(?=['\"`])")
_KEY_CHARS: Final = 80

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Place:
    """What the records around a record say of where it is."""

    file: str = ""
    level: str = ""


def findings_of(document: Document) -> list[Finding]:
    """Return what the JSON in `document` reports, first of each class first; empty for text that is none."""
    text = document.text
    if len(text) > _MAX_CHARS or not _SPEAKS.search(text):
        return []
    found: list[Finding] = []
    numbers = [number for number, line in enumerate(document.plain) if line[:2] in _OPENINGS]
    if numbers:
        _read_lines(document, numbers, found)
    else:
        found += islice(_of_document(document), _MAX_FOUND)
    return _classes_first(_told_once(found))


def _read_lines(document: Document, numbers: Sequence[int], found: list[Finding]) -> None:
    """Add what the records on the lines `numbers` report; of those alike but for digits that stand for a class, one is read."""
    alike: dict[bytes, list[Finding]] = {}
    for number in numbers:
        key = document.keys[number]
        findings = alike.get(key)
        if findings is None:
            line = document.plain[number]
            findings = list(_walk(_parsed(line), _Place(), number, 0)) if _SPEAKS.search(line) else []
            if all(finding.is_one_of_many for finding in findings):
                alike[key] = findings
        found += findings
        if len(found) >= _MAX_FOUND:
            return


def _of_document(document: Document) -> Iterator[Finding]:
    """Yield what the one document reports that begins on a line with nothing but a bracket."""
    lines = document.plain
    opening = next((number for number, line in enumerate(lines) if line.strip() in _BRACKETS), None)
    if opening is not None:
        body = "\n".join(lines[opening:])
        end = max(body.rfind("\n}"), body.rfind("\n]"))
        if end > 0:
            yield from _walk(_parsed(body[: end + 2]), _Place(), opening, 0)


def _parsed(text: str) -> object:
    """Return the value of a JSON text; nothing that reports anything if it is none."""
    try:
        return cast(object, json.loads(text))
    except (ValueError, RecursionError):
        return None


def _walk(value: object, around: _Place, line: int, depth: int) -> Iterator[Finding]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for element in cast(Sequence[object], value):
            if isinstance(element, (dict, list)):
                yield from _walk(element, around, line, depth + 1)
    elif isinstance(value, dict):
        record = cast(Record, value)
        here = _Place(_text_of(record, _PLACES) or around.file, _level_of(record) or around.level)
        finding = _finding(record, here, line)
        is_any = False
        for key, inner in record.items():
            if not isinstance(inner, (dict, list)) or key == "children" or (finding is not None and key in _SAME):
                continue
            # Some name the file by the key under which its records are.
            file = here.file or (key if "/" in key or "." in key else "")
            for inside in _walk(inner, _Place(file, "" if finding else here.level), line, depth + 1):
                is_any = True
                yield inside
        # What sums up the reports inside it says less than they do.
        if finding is not None and not is_any:
            yield finding


def _finding(record: Record, here: _Place, line: int) -> Finding | None:
    """Return what `record` reports, if it is the report of one failure itself."""
    message = _message_of(record)
    if not message:
        return None
    place, row = _row_of(record)
    code = _text_of(record, _CODES)
    own = _level_of(record)
    rank = _LEVEL_RANKS.get(own)
    if rank is None and not own and row and (code or "err" in record or "message" in record):
        rank = _LEVEL_RANKS.get(here.level, Rank.ERROR)
    if rank is None and "err" in record and record["err"]:
        rank = Rank.FAILURE
    if rank is None:
        return None
    file = place or here.file
    test = _text_of(record, _TESTS) if rank is Rank.FAILURE else ""
    where = ":".join(part for part in (file, row) if part)
    if not row and rank is Rank.FAILURE:
        where = _frame_of(record) or where
    named = " ".join(part for part in (test if test != file else "", f"[{code}]" if code and code not in message else "") if part)
    told = " ".join(part for part in (_RANK_NAMES[rank], where, named) if part)
    key = f"{rank}{code}{_VARIABLE.sub('', message)[:_KEY_CHARS]}"
    is_one_of_many = rank is Rank.WARNING or (rank is Rank.ERROR and not row)
    return Finding(rank, f"{told}: {message}"[:_TEXT_CHARS], key, line, is_one_of_many)


def _message_of(record: Record) -> str:
    """Return the record's message on one line, of the fields that may hold one the most telling."""
    records = (record, *_inner_records(record))
    return next((text for key in _MESSAGES for inner in records if (text := _joined(inner.get(key)))), "")


def _frame_of(record: Record) -> str:
    """Return the first place in the caller's own code that the record's texts name, for records that give none apart."""
    for inner in (record, *_inner_records(record)):
        for key in ("stack", "failureMessages", "longrepr", "message"):
            value = inner.get(key)
            text = " ".join(map(str, cast(Sequence[object], value)[:2])) if isinstance(value, list) else value
            if isinstance(text, str):
                for found in _FRAME.finditer(text[:4000]):
                    if not any(part in found[1] for part in _FOREIGN):
                        return found[1]
    return ""


def _joined(value: object) -> str:
    if isinstance(value, list):
        value = " ".join(part for part in cast(Sequence[object], value)[:3] if isinstance(part, str))
    if isinstance(value, dict):
        record = cast(Record, value)
        value = record.get("rendered") or record.get("text") or record.get("message")
    if not isinstance(value, str):
        return ""
    return _CALLS.split(" ".join(_ANSI.sub("", value[: 4 * _TEXT_CHARS]).split()), maxsplit=1)[0][:_TEXT_CHARS]


def _inner_records(record: Record) -> Iterator[Record]:
    """Yield the records inside that describe the same thing: where it is, what was thrown."""
    for key in _INNER:
        inner = record.get(key)
        if isinstance(inner, dict):
            yield cast(Record, inner)
            yield from _inner_records(cast(Record, inner))
    for key in _FIRST_OF:
        inner = record.get(key)
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            first = cast(Record, inner[0])
            yield first
            yield from _inner_records(first)
    message = record.get("message")
    if isinstance(message, dict):
        yield cast(Record, message)
        yield from _inner_records(cast(Record, message))


def _row_of(record: Record) -> tuple[str, str]:
    """Return the file that the record itself names, and its line and column."""
    file = row = column = ""
    for inner in (record, *_inner_records(record)):
        file = file or _text_of(inner, _PLACES[:-1])
        row = row or _number_of(inner, _LINES)
        column = column or _number_of(inner, _COLUMNS)
    return file, f"{row}:{column}" if row and column else row


def _level_of(record: Record) -> str:
    for inner in (record, record.get("message")):
        if isinstance(inner, dict):
            level = next((value for key in _LEVELS if isinstance(value := cast(Record, inner).get(key), (str, int))), "")
            if level != "" and not isinstance(level, bool):
                return str(level).lower()
    return ""


def _text_of(record: Record, names: Sequence[str]) -> str:
    """Return the first of the fields `names` that holds a short text."""
    for name in names:
        value = record.get(name)
        if isinstance(value, dict):
            value = cast(Record, value).get("code") or cast(Record, value).get("uri")
        if isinstance(value, str) and 0 < len(value) <= 300:
            return value
    return ""


def _number_of(record: Record, names: Sequence[str]) -> str:
    return next((str(value) for name in names if isinstance(value := record.get(name), int) and value is not True), "")


def _told_once(found: Sequence[Finding]) -> list[Finding]:
    """Drop what is told twice in the same words, and of what is told by class all but the first, with their number."""
    counts = Counter(finding.key for finding in found if finding.is_one_of_many)
    once: dict[str, Finding] = {}
    for finding in found:
        if not finding.is_one_of_many:
            once.setdefault(finding.text, finding)
        elif (number := counts[finding.key]) > 1:
            once.setdefault(finding.key, replace(finding, text=f"×{number:,} {finding.text}"))
        else:
            once.setdefault(finding.key, finding)
    return list(once.values())


def _classes_first(found: Sequence[Finding]) -> list[Finding]:
    """Order by rank, and within a rank the first of every class before the others."""
    seen: set[str] = set()
    keyed: list[tuple[int, bool, Finding]] = []
    for finding in found:
        keyed.append((-finding.rank, finding.key in seen, finding))
        seen.add(finding.key)
    return [finding for _, _, finding in sorted(keyed, key=lambda entry: entry[:2])]
