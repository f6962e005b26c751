"""The facts line of a filtered text. Pure."""

from collections.abc import Iterator
from typing import Final

from .filter import Filtered, Rank

_NAMES: Final = {
    Rank.SUMMARY: "summary",
    Rank.END: "last",
    Rank.NEW: "new",
    Rank.QUERY: "query match",
    Rank.FAILURE: "failure",
    Rank.EVIDENCE: "assertion",
    Rank.ERROR: "error",
    Rank.LOCATION: "location",
    Rank.WARNING: "warning",
    Rank.AGAIN: "like failure",
    Rank.LAST: "last",
}


def facts_of(result: Filtered, tokens: str, raw_tokens: str) -> Iterator[str]:
    """Yield what the first line of an answer says about `result`; `tokens` are written as they are to be shown."""
    yield f"{result.kind} output" if result.kind != "text" else "text"
    yield "compress"
    if not result.is_lossy:
        yield f"all {result.total_lines:,} lines"
        yield f"{tokens} tok"
        return
    yield f"{result.kept_lines:,} of {result.total_lines:,} lines"
    yield f"{tokens} of {raw_tokens} tok"
    yield "lossy"
    missing = ", ".join(f"{n:,} {_NAMES[rank]}" for rank, n in sorted(result.left_out.items(), reverse=True))
    if missing:
        yield f"budget too small for {missing} lines"
