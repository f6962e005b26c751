"""Code without comments and runs of blank lines; text of other kinds as it is. What it means stays the same.

It parses, so it is meant to be called by dotted name in a worker process.
"""

from ..languages import compact
from .view import View, split_lines


def compact_view(path: str, text: str) -> View:
    """Show `text` without what `penstock.tools.languages:compact` can take out of it for certain. Never raises."""
    found = compact(path, text.encode("utf-8", "surrogatepass"))
    if found.unchanged:
        total = len(split_lines(text))
        whole = ((1, total),) if total else ()
        return View("compact", text, whole, total, is_lossy=False, notes=(f"unchanged: {found.unchanged}",))
    comments = f"{found.comments:,} comment{'s' if found.comments != 1 else ''}"
    blank = f"{found.blank_lines:,} blank line{'s' if found.blank_lines != 1 else ''}"
    return View(
        "compact",
        found.text.decode("utf-8", "surrogatepass"),
        found.kept,
        found.total_lines,
        is_lossy=True,
        notes=(f"without {comments} and {blank}", "line numbers differ from the file's"),
        rest="view=full",
    )
