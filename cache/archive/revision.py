"""The commit that the workspace is at, read through the jail; "" where there is none that can be read."""

import re
from collections.abc import Callable
from typing import Final

from ..deadline import Deadline
from ..errors import CallCancelled, DeadlineExceeded, PenstockError

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REF: Final = re.compile(r"ref: (refs/[\w./-]{1,200})")


def head_commit(read_file: Callable[[str, Deadline], tuple[str, bytes]], deadline: Deadline) -> str:
    """Return the full id of HEAD's commit (gitrepository-layout(5): HEAD, a loose ref, packed-refs)."""
    head = _text(read_file, ".git/HEAD", deadline)
    if _COMMIT.fullmatch(head):
        return head
    match = _REF.fullmatch(head)
    if not match or ".." in match[1]:
        return ""
    loose = _text(read_file, f".git/{match[1]}", deadline)
    if _COMMIT.fullmatch(loose):
        return loose
    for line in _text(read_file, ".git/packed-refs", deadline).splitlines():
        commit, _, name = line.partition(" ")
        if name == match[1] and _COMMIT.fullmatch(commit):
            return commit
    return ""


def _text(read_file: Callable[[str, Deadline], tuple[str, bytes]], path: str, deadline: Deadline) -> str:
    try:
        return read_file(path, deadline)[1].decode("utf-8", "replace").strip()
    except (CallCancelled, DeadlineExceeded):
        raise
    except PenstockError:
        return ""
