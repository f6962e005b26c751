"""`read` of a directory: a tree whose lines begin with paths and end with token counts."""

from typing import Final

from ..cache.workspace.files import Workspace
from ..cache.workspace.names import printable
from .answer import Part, facts_line
from .call import Call
from .filetext import TokenMemo
from .views.tree import TreeEntry, tree_view

BYTES_PER_TOKEN: Final = 3.6
"""Of source code in o200k (3.6 to 4.4 measured); the tree labels what it estimates with `~`."""


class DirectoryLister:
    """Lists directories through the workspace's walk, so that ignored and secret-like files stay out."""

    def __init__(self, workspace: Workspace, memo: TokenMemo) -> None:
        self._workspace = workspace
        self._memo = memo

    def part(self, call: Call, path: str, *, budget: int) -> Part:
        """Return the tree of the directory `path` within `budget` tokens."""
        rel = self._workspace.relative(path)
        walked = self._workspace.walk(rel if rel != "." else "", deadline=call.deadline)
        entries = tree_entries(
            {printable(file.rel): file.stat.size for file in walked.files}, "" if rel == "." else printable(rel)
        )
        view = tree_view(entries, self._memo.tokens, budget=budget)
        skipped = ", ".join(f"{count:,} {reason}" for reason, count in walked.skipped.items() if count)
        facts = facts_line(
            f"{printable(rel)}/" if rel not in ("", ".") else "./",
            "tree",
            *view.notes,
            "lossy" if view.is_lossy else "",
            f"skipped: {skipped}" if skipped else "",
            "" if walked.is_complete else f"listed {len(walked.files):,} of at least {walked.seen:,} files",
        )
        tokens = self._memo.tokens(view.body)
        return Part(path=rel, view="tree", body=view.body, facts=facts, is_lossy=view.is_lossy, tokens=tokens, raw_tokens=tokens)


def tree_entries(sizes: dict[str, int], below: str) -> list[TreeEntry]:
    """Return an entry for every file and every directory above it, up to but without `below`. Pure."""
    entries: list[TreeEntry] = []
    folders: dict[str, tuple[int, int]] = {}
    for path, size in sizes.items():
        tokens = max(1, round(size / BYTES_PER_TOKEN)) if size else 0
        entries.append(TreeEntry(path, tokens))
        folder = path.rpartition("/")[0]
        while folder and folder != below:
            total, files = folders.get(folder, (0, 0))
            folders[folder] = (total + tokens, files + 1)
            folder = folder.rpartition("/")[0]
    entries.extend(TreeEntry(path, tokens, is_dir=True, files=files) for path, (tokens, files) in folders.items())
    return entries
