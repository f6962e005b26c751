"""The marks that stand for what was left out, and how to recognise text that carries them.

Pure. A gap is marked on a line of its own (`… 214 lines (12-225) …`), the same as views do it; inside a long line the mark is
`…[+1,234 chars]…`.
"""

import re
from typing import Final

from ..views.view import gap_mark as view_gap_mark
from ..views.view import has_marks

GAP_LINE: Final = re.compile(r"… \d[\d,]* lines? \(\d+-\d+\) …\r?$")
_CUT: Final = re.compile(r"…\[\+\d[\d,]* chars\]…")


def gap_mark(start: int, end: int) -> str:
    """Return the mark for lines `start` to `end` (0-based, end exclusive); it shows 1-based inclusive numbers."""
    return view_gap_mark((start + 1, end))[:-1]


def cut_mark(chars: int) -> str:
    """Return the mark for `chars` characters left out of a line."""
    return f"…[+{chars:,} chars]…"


def carries_marks(text: str) -> bool:
    """Whether `text` was shortened before: such text is not a file's content."""
    return "…" in text and (has_marks(text) or _CUT.search(text) is not None)
