"""Code without comments and runs of blank lines; text of other kinds as it is. What it means stays the same."""

from ..grammar.comments import CompactText
from .view import View


def compact_view(compacted: CompactText) -> View:
    """Pure: show what `penstock.tools.languages:compact` made of a file."""
    text = compacted.text.decode("utf-8", "replace")
    if compacted.unchanged:
        return View(
            "compact", text, compacted.kept, compacted.total_lines, is_lossy=False, notes=(f"unchanged: {compacted.unchanged}",)
        )
    comments = f"{compacted.comments:,} comment{'s' if compacted.comments != 1 else ''}"
    blank = f"{compacted.blank_lines:,} blank line{'s' if compacted.blank_lines != 1 else ''}"
    return View(
        "compact",
        text,
        compacted.kept,
        compacted.total_lines,
        is_lossy=True,
        notes=(f"without {comments} and {blank}", "line numbers differ from the file's"),
        rest="view=full",
    )
