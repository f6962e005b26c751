"""What stands before every line of an output that went through something: a time, a service's name. Pure.

Services that run builds, and tools that run several commands at once, write the lines of others behind a lead of their own. The
families know their lines by how they begin, so the lead is looked past; what is shown has it.
"""

import re
from typing import Final

from .filter import Document

_TIME: Final = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_LEADS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\d{{4}}-\d\d-\d\d[T ]{_TIME}(?:Z|[+-]\d\d:?\d\d)? ?",
        rf"\[{_TIME}\] ?|{_TIME} (?=\S|$)",
        r"(?:\x1b\[[0-9;]*m)*[\w.@/-]{1,40} +\| ?",
        r"@?[\w./-]{1,40}[:#][A-Za-z][\w:-]{0,40}:(?: |$)",
        r"\[(?!ERROR|WARN|INFO|DEBUG|TRACE)[A-Za-z@][\w.@/:-]{0,40}\](?: |$)",
    )
)
_LOOKED_AT: Final = 400
_SHARE: Final = 0.95
_MIN_LINES: Final = 5


def lead_of(document: Document) -> "re.Pattern[str] | None":
    """Return what nearly every line of `document` begins with, or None."""
    step = max(1, len(document) // _LOOKED_AT)
    lines = [line for line in document.plain[::step] if line]
    if len(lines) < _MIN_LINES:
        return None
    for lead in _LEADS:
        if lead.match(lines[0]) is None and lead.match(lines[-1]) is None:
            continue
        if sum(lead.match(line) is not None for line in lines) >= _SHARE * len(lines):
            return lead
    return None
