"""`read`: a file in the cheapest true view, a directory as a tree, several paths in one answer.

Thin: it finds out what the path is, which view answers, and whether a receipt proves that the text is still with the caller;
`deliver` lays out what is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..cache.content import Content, ContentAccessor
from ..cache.errors import FileTooLarge, InvalidArgument, NotARegularFile, PenstockError
from ..cache.workspace.files import Workspace
from ..cache.workspace.names import printable
from ..cache.workspace.ranges import LineRange, parse_ranges, plan_ranges
from .answer import Answer, Part, compose, facts_line
from .arguments import MAX_QUERY_CHARS
from .call import Call
from .deliver import Delivery
from .directory import DirectoryLister
from .filetext import FileText, file_text
from .languages import is_code_language, language_of
from .paging import Room
from .render import ViewMaker
from .window import read_large

MAX_PATHS: Final = 50
LOSSY: Final = frozenset({"outline", "map", "focus", "dense", "compact", "reference"})


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What one path is to be read as."""

    path: str
    view: str = "auto"
    lines: str = ""
    query: str = ""
    budget: int | None = None
    have: str = ""
    fresh: bool = False


class ReadTool:
    """Serves `read`."""

    def __init__(
        self,
        workspace: Workspace,
        contents: ContentAccessor,
        views: ViewMaker,
        delivery: Delivery,
        directories: DirectoryLister,
        *,
        auto_full_tokens: int,
        default_budget: int,
    ) -> None:
        self._workspace = workspace
        self._contents = contents
        self._views = views
        self._delivery = delivery
        self._directories = directories
        self._auto_full_tokens = auto_full_tokens
        self._default_budget = default_budget

    def run(
        self,
        call: Call,
        *,
        path: str | list[str],
        view: str = "auto",
        lines: str | None = None,
        query: str | None = None,
        budget: int | None = None,
        have: str | None = None,
        fresh: bool = False,
    ) -> Answer:
        """Answer one call.

        Raises:
            PenstockError: The arguments do not fit each other, or (for a single path) the file cannot be read.
        """
        paths = [path] if isinstance(path, str) else list(dict.fromkeys(path))
        _check(paths, view, lines, query)
        request = ReadRequest("", view, lines or "", query or "", budget, have or "", fresh)
        if len(paths) == 1:
            return compose(self._parts(call, replace(request, path=paths[0]), Room.of(call.limit)))
        return self._several(call, paths, request)

    def _several(self, call: Call, paths: Sequence[str], request: ReadRequest) -> Answer:
        """Read each path into what is left of the answer; errors stand in their place, the rest is named as the next call."""
        room = Room.of(call.limit)
        parts: list[Part] = []
        failed = 0
        for at, path in enumerate(paths):
            call.deadline.check()
            call.progress(at, len(paths), printable(path))
            one = replace(request, path=path)
            try:
                found = self._parts(call, one, room)
            except PenstockError as error:
                failed += 1
                found = [
                    Part(path=path, view="error", body="", facts=facts_line(printable(path), f"error {error.code}: {error}"))
                ]
            size = "".join(part.facts + part.body + part.tail + "\n\n" for part in found)
            if parts and not room.take(size, size.count("\n") + 1):
                rest = ", ".join(f'"{printable(later)}"' for later in paths[at:])
                return compose(parts, foot=f"next path=[{rest}]")
            if len(parts) == 0:
                room.take(size, size.count("\n") + 1)
            parts += found
        return replace(compose(parts), is_error=failed == len(paths))

    def _parts(self, call: Call, request: ReadRequest, room: Room) -> list[Part]:
        try:
            content = self._contents.fetch(request.path, fresh=request.fresh, deadline=call.deadline)
        except NotARegularFile:
            if not self._workspace.is_dir(request.path):
                raise
            return [self._directories.part(call, request.path, budget=request.budget or self._default_budget)]
        except FileTooLarge:
            if request.view in ("auto", "full", "lines"):
                return read_large(self._workspace, call, request.path, request.lines, room, self._delivery)
            raise
        file = file_text(content.rel, content.data, content.sha256, is_changing=content.is_changing)
        return self._file_parts(call, request, content, file, room)

    def _file_parts(self, call: Call, request: ReadRequest, content: Content, file: FileText, room: Room) -> list[Part]:
        ranges = _planned(request.lines, file) if request.lines else None
        is_repeat = self._delivery.is_repeat(file, ranges)
        if request.view not in LOSSY and not request.fresh:
            proven = self._delivery.proven(call, request.have, file, content.data, view=request.view, ranges=ranges)
            if proven is not None:
                return [proven]
        view = self._chosen(request, content, file, is_repeat=is_repeat)
        if view == "diff":
            return [self._diff(call, request, content, file)]
        if view in LOSSY:
            shown = self._views.view(view, content, file, query=request.query, budget=self._budget(request, view))
            if view == "reference" or request.view == view or self._delivery.is_smaller(shown, file):
                return [self._delivery.lossy(call, content, file, shown)]
            view = "full"
        return self._delivery.exact(file, call.limit, view=view, ranges=ranges, room=room)

    def _budget(self, request: ReadRequest, view: str) -> int | None:
        if view in ("compact", "reference"):
            return request.budget
        return request.budget or self._default_budget

    def _chosen(self, request: ReadRequest, content: Content, file: FileText, *, is_repeat: bool) -> str:
        """Return the view that answers: an explicit one as it is, else the cheapest true one."""
        if request.view != "auto":
            return request.view
        if request.lines:
            return "lines"
        tokens = self._delivery.memo.count(file.sha256, file.text).tokens
        if tokens <= (request.budget or self._auto_full_tokens) or is_repeat:
            return "full"
        if request.query:
            return "focus"
        return "outline" if is_code_language(language_of(content.rel, content.data[:20_000])) else "dense"

    def _diff(self, call: Call, request: ReadRequest, content: Content, file: FileText) -> Part:
        old = self._workspace.committed(request.path)
        if old is None:
            why = "no receipt proves an earlier version, and the last commit does not hold this file"
            shown = printable(request.path)
            raise InvalidArgument(f"{shown} has nothing to compare with", why=why, next_call=f'read path="{shown}" view=full')
        return self._delivery.against(call, file, content.data, old, "git HEAD")


def _planned(lines: str, file: FileText) -> tuple[LineRange, ...]:
    total = file.total
    planned = plan_ranges(parse_ranges(lines), total)
    if not planned:
        what = f"lines={lines} is past the end: {file.shown} has {total:,} lines"
        raise InvalidArgument(what, next_call=f"read with lines=1-{total}" if total else "read with view=full")
    return planned


def _check(paths: Sequence[str], view: str, lines: str | None, query: str | None) -> None:
    if not paths or len(paths) > MAX_PATHS:
        raise InvalidArgument(
            f"read takes 1 to {MAX_PATHS} paths, got {len(paths)}", next_call="split the list over several calls"
        )
    if query is not None and len(query) > MAX_QUERY_CHARS:
        raise InvalidArgument(
            f"query has {len(query):,} characters; the limit is {MAX_QUERY_CHARS:,}", next_call="repeat with its key words"
        )
    if view == "lines" and not lines:
        raise InvalidArgument("view=lines needs lines", next_call='repeat with lines="1-80"')
    if view == "focus" and not query:
        raise InvalidArgument("view=focus needs a query", next_call='repeat with query="what you look for"')
    if lines and view not in ("auto", "lines"):
        raise InvalidArgument(f"lines does not go with view={view}", next_call=f'repeat with view=lines lines="{lines[:80]}"')
    if lines:
        parse_ranges(lines)
