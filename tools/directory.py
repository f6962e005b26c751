"""`read` of a directory: a tree whose lines begin with paths and end with token counts."""

from collections.abc import Sequence
from heapq import nlargest
from typing import Final

from ..cache.errors import PenstockError
from ..cache.workspace.files import Workspace
from ..cache.workspace.names import printable
from ..cache.workspace.values import WalkedFile
from .answer import Part, facts_line
from .call import Call
from .filetext import TokenMemo
from .grammar.detect import is_binary_name
from .languages import language_of
from .views.tree import TreeEntry, tree_view

BYTES_PER_TOKEN: Final = 3.6
"""Of source code in o200k (3.6 to 4.4 measured); the tree labels what it estimates with `~`."""
MAX_SNIFFED: Final = 48
"""Files of unknown kind that a tree opens; each costs one read of a few KB."""
MIN_SNIFFED_BYTES: Final = 4_096


class DirectoryLister:
    """Lists directories through the workspace's walk, so that ignored and secret-like files stay out."""

    def __init__(self, workspace: Workspace, memo: TokenMemo) -> None:
        self._workspace = workspace
        self._memo = memo

    def part(self, call: Call, path: str, *, budget: int) -> Part:
        """Return the tree of the directory `path` within `budget` tokens."""
        rel = self._workspace.relative(path)
        walked = self._workspace.walk(rel if rel != "." else "", deadline=call.deadline)
        sizes = {printable(file.rel): file.stat.size for file in walked.files}
        entries = tree_entries(sizes, "" if rel == "." else printable(rel), self._binaries(call, walked.files))
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

    def _binaries(self, call: Call, files: Sequence[WalkedFile]) -> frozenset[str]:
        """Return the printable paths of files without text: by name, and of the largest of unknown kind by their first bytes."""
        named = {file.rel for file in files if is_binary_name(file.rel)}
        unknown = [file for file in files if file.rel not in named and language_of(file.rel) is None]
        largest = nlargest(MAX_SNIFFED, unknown, key=lambda file: file.stat.size)
        sniffed = {file.rel for file in largest if file.stat.size >= MIN_SNIFFED_BYTES and self._is_binary(call, file.rel)}
        return frozenset(map(printable, named | sniffed))

    def _is_binary(self, call: Call, rel: str) -> bool:
        call.deadline.check()
        try:
            return not self._workspace.holds_text(rel)
        except PenstockError:  # denied, gone or changed meanwhile: a tree lists it all the same
            return False


def tree_entries(sizes: dict[str, int], below: str, binaries: frozenset[str] = frozenset()) -> list[TreeEntry]:
    """Return an entry for every file and every directory above it, up to but without `below`. Pure."""
    entries: list[TreeEntry] = []
    folders: dict[str, tuple[int, int]] = {}
    for path, size in sizes.items():
        is_binary = path in binaries
        tokens = max(1, round(size / BYTES_PER_TOKEN)) if size and not is_binary else 0
        entries.append(TreeEntry(path, tokens, binary_bytes=size if is_binary else None))
        folder = path.rpartition("/")[0]
        while folder and folder != below:
            total, files = folders.get(folder, (0, 0))
            folders[folder] = (total + tokens, files + 1)
            folder = folder.rpartition("/")[0]
    entries.extend(TreeEntry(path, tokens, is_dir=True, files=files) for path, (tokens, files) in folders.items())
    return entries
