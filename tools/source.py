"""What `compress` is given: a handle, a path or the text itself, told apart and loaded."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..cache.borrowing import text_bytes
from ..cache.content import ContentAccessor
from ..cache.errors import FileTooLarge, InvalidArgument, InvalidPath, PathNotFound, RetryableError
from ..cache.payloads import PayloadStore
from ..cache.workspace.files import Workspace
from ..cache.workspace.names import printable
from ..cache.workspace.ranges import parse_ranges
from ..cache.workspace.text import check_text, decode
from .call import Call
from .filters.filter import Document, Skip

HANDLE: Final = re.compile(r"h[0-9a-f]{8,64}")
_PATH_CHARS: Final = 4096
"""PATH_MAX of Linux: longer text is no path."""
_LOG_NAMES: Final = re.compile(
    r"(?:\.(?:log|out|err|txt|jsonl|ndjson|trace)(?:\.\d+)?|(?:^|/)(?:log|stdout|stderr|syslog|messages)[^/.]*)$"
)
MAX_FILES: Final = 20
_FORMS: Final = 2
_END_BYTES: Final = 2 << 20
"""Of each end of a file that is too large to be read whole."""
TEXT_LABEL: Final = "text"


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text to be compressed, and where its original is."""

    label: str
    """Escaped for display."""
    document: Document
    data: bytes
    """The original, to be kept; empty if that is not possible."""
    sha256: str
    """Of the original; empty if it could not be read, which `note` then explains."""
    handle: str = ""
    """The handle that already brings the original back, if it was given by one."""
    note: str = ""
    """What else the first line of the answer must say."""


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
            _admit(call, payload.data, f'restore handle={name} lines="1-200"')
            return [_source(f"{name} ({printable(payload.handle.source)[:120]})", payload.data, handle=payload.handle.id)]
        if len(name) <= _PATH_CHARS and "\n" not in name:
            found = self._of_path(call, name)
            if found:
                return found
        data = source.encode("utf-8", "surrogatepass")
        _admit(call, data, "repeat this call in about 30 s, or save the text in a file of the workspace and read its lines")
        return [SourceText(TEXT_LABEL, Document(source), data, hashlib.sha256(data).hexdigest())]

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
        try:
            content = self._contents.fetch(path, deadline=call.deadline)
        except FileTooLarge:
            return self._of_large_file(call, path)
        check_text(content.rel, content.data[:8192], len(content.data))
        _admit(call, content.data, f'read path="{printable(content.rel)}" lines="1-200"')
        return _source(printable(content.rel), content.data, sha256=content.sha256)

    def _of_large_file(self, call: Call, path: str) -> SourceText:
        """Return both ends of a file that is too large to be read whole."""
        head = self._workspace.read_window(path, parse_ranges("1-"), max_bytes=_END_BYTES, deadline=call.deadline)
        first = head.parts[0]
        lines = max(1, first.last - first.first)
        tail = self._workspace.read_window(path, parse_ranges(f"-{lines}"), max_bytes=2 * _END_BYTES, deadline=call.deadline)
        last = tail.parts[-1]
        if last.first <= first.last or tail.total_lines is None or first.is_cut or last.is_cut or last.last != tail.total_lines:
            # Too large to count its lines, or lines too long for it: no honest line numbers can be given.
            raise FileTooLarge(
                f"{printable(head.rel)} has {head.stat.size:,} bytes, too many to compress",
                next_call=f'compress a part of it, or read path="{printable(head.rel)}" lines=-200',
            )
        text = decode(first.data, head.encoding).text + decode(last.data, tail.encoding).text
        document = Document(text, (Skip(first.last, last.first - first.last - 1),))
        digest = hashlib.sha256(first.data + last.data).hexdigest()
        shown = printable(head.rel)
        note = f'only both ends looked at, of {head.stat.size:,} bytes; original: read path="{shown}" lines={first.last + 1}-'
        return SourceText(shown, document, b"", digest, note=note)

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
                texts.append(SourceText(printable(name), Document(""), b"", "", note=str(error)))
        return texts


def _admit(call: Call, data: bytes, instead: str) -> None:
    """Ask the guard, and charge the text with the forms that filters make of it: lines, plain lines, lower case."""
    call.admit("compress", len(data), instead=instead)
    call.buffers.take(_FORMS * text_bytes(data))


def _source(label: str, data: bytes, *, handle: str = "", sha256: str = "") -> SourceText:
    return SourceText(label, Document(decode(data).text), data, sha256 or hashlib.sha256(data).hexdigest(), handle)
