"""A whole file less the blocks that another file of the same answer has shown already. Pure."""

from collections.abc import Sequence

from ...cache.repeats import Repeat
from .view import MARKS_WITHIN, View, gaps_of, has_marks, split_lines


def unrepeated_view(text: str, repeats: Sequence[Repeat], names: Sequence[str]) -> View:
    """Show `text` with a counted line in the place of each repeat; `names` are the texts' names, by index.

    The repeats are ascending, disjoint and all of this text. Every line that is shown is verbatim.
    """
    lines = split_lines(text)
    total = len(lines)
    body: list[str] = []
    at = 1
    for one in repeats:
        body += lines[at - 1 : one.first - 1]
        count = one.last - one.first + 1
        where = f"{names[one.of_text]}:{one.of_first}-{one.of_last}"
        body.append(f"… {count:,} line{'s' if count != 1 else ''} ({one.first}-{one.last}, as {where} above) …\n")
        at = one.last + 1
    body += lines[at - 1 :]
    kept = gaps_of([(one.first, one.last) for one in repeats], total)
    left_out = sum(one.last - one.first + 1 for one in repeats)
    notes = (f"{left_out:,} line{'s' if left_out != 1 else ''} shown above, the others exact",)
    if has_marks(text):
        notes = (*notes, MARKS_WITHIN)
    return View("unrepeated", "".join(body), kept, total, is_lossy=True, notes=notes, rest="view=full")
