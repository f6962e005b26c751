"""What `compress` is given: a handle, a path or the text itself, told apart and loaded."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..cache.content import ContentAccessor
from ..cache.errors import InvalidArgument, InvalidPath, PathNotFound, RetryableError
from ..cache.payloads import PayloadStore
from ..cache.workspace.files import Workspace
from ..cache.workspace.names import printable
from ..cache.workspace.text import check_text, decode
from .call import Call

HANDLE: Final = re.compile(r"h[0-9a-f]{8,64}")
_PATH_CHARS: Final = 4096
"""PATH_MAX of Linux: longer text is no path."""
_LOG_NAMES: Final = re.compile(
    r"(?:\.(?:log|out|err|txt|jsonl|ndjson|trace)(?:\.\d+)?|(?:^|/)(?:log|stdout|stderr|syslog|messages)[^/.]*)$"
)
MAX_FILES: Final = 20
TEXT_LABEL: Final = "text"


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text to be compressed, and where its original is."""

    label: str
    """Escaped for display."""
    text: str
    data: bytes
    sha256: str
    handle: str = ""
    """The handle that already brings the original back, if it was given by one."""


class SourceReader:
    """Finds out what a `source` argument names and loads it."""

    def __init__(self, workspace: Workspace, contents: ContentAccessor, payloads: PayloadStore) -> None:
        self._workspace = workspace
        self._contents = contents
        self._payloads = payloads

    def load(self, call: Call, source: str) -> Sequence[SourceText]:
        """Return the text that `source` is or names; several for a directory of logs.

        Raises:
            PenstockError: As the payload store for a handle and the workspace for a path; `InvalidArgument` for a directory
                without logs and for nothing at all.
        """
        name = source.strip()
        if not name:
            raise InvalidArgument("source is empty", next_call='compress source="<handle, path or text>"')
        if HANDLE.fullmatch(name):
            payload = self._payloads.load(name)
            return [_source(f"{name} ({printable(payload.handle.source)[:120]})", payload.data, handle=payload.handle.id)]
        if len(name) <= _PATH_CHARS and "\n" not in name:
            found = self._of_path(call, name)
            if found:
                return found
        data = source.encode("utf-8", "surrogatepass")
        return [SourceText(TEXT_LABEL, source, data, hashlib.sha256(data).hexdigest())]

    def _of_path(self, call: Call, name: str) -> Sequence[SourceText]:
        """Return what the path holds; nothing when `name` is one line of text rather than a path."""
        try:
            if self._workspace.is_dir(name):
                return self._of_directory(call, name)
            return [self._of_file(call, name)]
        except (PathNotFound, InvalidPath):
            # A sentence is text; a single word with a slash or a suffix is a path that was mistyped.
            if " " in name or not re.search(r"/|\.\w{1,8}$", name):
                return []
            raise

    def _of_file(self, call: Call, path: str) -> SourceText:
        content = self._contents.fetch(path, deadline=call.deadline)
        check_text(content.rel, content.data[:8192], len(content.data))
        return _source(printable(content.rel), content.data, sha256=content.sha256)

    def _of_directory(self, call: Call, path: str) -> Sequence[SourceText]:
        rel = self._workspace.relative(path)
        walked = self._workspace.walk("" if rel == "." else rel, deadline=call.deadline)
        names = sorted(file.rel for file in walked.files if _LOG_NAMES.search(file.rel))
        if not names:
            shown = printable(rel)
            raise InvalidArgument(
                f"no logs in {shown}/",
                why="files ending in .log, .out, .err, .txt, .jsonl are taken",
                next_call=f'read path="{shown}"',
            )
        if len(names) > MAX_FILES:
            raise InvalidArgument(
                f"{len(names)} logs in {printable(rel)}/, at most {MAX_FILES} are taken at once",
                next_call=f'compress source="{printable(names[0])}", or a smaller directory',
            )
        texts: list[SourceText] = []
        for at, name in enumerate(names):
            call.deadline.check()
            call.progress(at, len(names), printable(name))
            try:
                texts.append(self._of_file(call, name))
            except RetryableError as error:
                texts.append(SourceText(printable(name), "", str(error).encode(), ""))
        return texts


def _source(label: str, data: bytes, *, handle: str = "", sha256: str = "") -> SourceText:
    return SourceText(label, decode(data).text, data, sha256 or hashlib.sha256(data).hexdigest(), handle)
