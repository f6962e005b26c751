"""A directory as a tree with token counts; each line begins with the path, so that it can be read or searched for next."""

from collections.abc import Sequence
from dataclasses import dataclass

from .view import TokenCount, View


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One file or directory below the one shown."""

    path: str
    """Relative to the root, forward slashes, printable."""
    tokens: int
    """Of a file, or of everything below a directory; estimated from bytes where not counted."""
    is_dir: bool = False
    files: int = 0
    """Files below a directory."""
    is_estimated: bool = True
    binary_bytes: int | None = None
    """Size of a file that holds no text: tokens are no measure of it, so it has none."""


def tree_view(entries: Sequence[TreeEntry], count: TokenCount, *, budget: int | None = None) -> View:
    """Pure: list `entries` by path; over budget the deepest levels are folded into their directories.

    Directories carry the sum of what is below them, so a folded level loses names, never weight.
    """
    ordered = sorted(entries, key=lambda entry: entry.path.split("/"))
    shown: Sequence[int] = range(len(ordered))
    if budget is not None:
        shown = _fitting(ordered, count, budget)
    left_out = len(ordered) - len(shown)
    files = sum(not entry.is_dir for entry in ordered)
    tokens = sum(entry.tokens for entry in ordered if not entry.is_dir)
    sizes = [entry.binary_bytes for entry in ordered if entry.binary_bytes is not None]
    notes = [f"{files:,} files", f"~{tokens:,} tok in all"]
    notes += [f"{len(sizes):,} of them binary, {sum(sizes):,} bytes"] if sizes else []
    notes += [f"{left_out:,} entries left out"] if left_out else []
    return View("tree", _render(ordered, shown), (), 0, is_lossy=bool(left_out), notes=tuple(notes))


def _fitting(ordered: Sequence[TreeEntry], count: TokenCount, budget: int) -> Sequence[int]:
    """Fold the deepest levels until the tree fits; if one level is still too much, take its heaviest entries."""
    depths = [entry.path.rstrip("/").count("/") for entry in ordered]
    shown = list(range(len(ordered)))
    for deepest in range(max(depths, default=0), min(depths, default=0) - 1, -1):
        shown = [at for at in shown if depths[at] <= deepest]
        if count(_render(ordered, shown)) <= budget:
            return shown
    by_weight = sorted(shown, key=lambda at: (not ordered[at].is_dir, -ordered[at].tokens, at))
    low, high = 0, len(by_weight)
    while low < high:
        middle = (low + high + 1) // 2
        if count(_render(ordered, sorted(by_weight[:middle]))) <= budget:
            low = middle
        else:
            high = middle - 1
    return sorted(by_weight[:low])


def _render(ordered: Sequence[TreeEntry], shown: Sequence[int]) -> str:
    """Lay out the entries shown, and the mark that stands for the others."""
    left_out = len(ordered) - len(shown)
    mark = f"… {left_out:,} more entries (narrower path or larger budget) …\n" if left_out else ""
    return "".join(_line(ordered[at]) for at in shown) + mark


def _line(entry: TreeEntry) -> str:
    if entry.is_dir:
        files = f" in {entry.files:,} file{'s' if entry.files != 1 else ''}" if entry.files else ""
        return f"{entry.path.rstrip('/')}/ {_tokens(entry)}{files}\n"
    if entry.binary_bytes is not None:
        return f"{entry.path} binary, {entry.binary_bytes:,} bytes\n"
    return f"{entry.path} {_tokens(entry)}\n"


def _tokens(entry: TreeEntry) -> str:
    return f"{'~' if entry.is_estimated else ''}{entry.tokens:,} tok"
