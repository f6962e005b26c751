"""`read`: a file in the cheapest true view, a directory as a tree, several paths in one answer.

Thin: it finds out what the path is, which view answers, and whether a receipt proves that the text is still with the caller;
`deliver` lays out what is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..cache.borrowing import text_bytes
from ..cache.content import Content, ContentAccessor
from ..cache.errors import FileTooLarge, InvalidArgument, NotARegularFile, PenstockError, UnderPressure
from ..cache.workspace.files import Workspace
from ..cache.workspace.names import printable
from ..cache.workspace.ranges import LineRange, parse_ranges, plan_ranges
from ..cache.workspace.values import FileStat
from .aligned import Asked, ReadOrder, continuation, with_alignment
from .answer import SEPARATOR, Answer, Part, compose, facts_line
from .arguments import MAX_QUERY_CHARS
from .call import Call
from .deliver import Delivery
from .directory import DirectoryLister
from .filetext import FileText, file_text
from .languages import is_code_language, language_of
from .paging import Room
from .render import ViewMaker
from .shown import ShownTexts
from .views.view import View
from .window import read_large

MAX_PATHS: Final = 50
LOSSY: Final = frozenset({"outline", "map", "focus", "dense", "compact", "reference"})
SEVERAL_SHARE: Final = 0.6
"""Share of an answer that one of several files may fill: the list of those that did not fit needs the rest."""
MIN_BUDGET: Final = 100
REPEAT_WORTH: Final = 40
"""Tokens that leaving a repeat out must save: the labels of a lossy part cost about as many."""


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
        self._order = ReadOrder(self._stat_of)

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
        """Read each path into what is left of the answer, in the order that keeps prompt caches warm."""
        room = Room.of(call.limit)
        shown = ShownTexts()
        parts: list[Part] = []
        stable = failed = 0
        foot = ""
        asked = self._order.plan(paths)
        foot_chars = room.chars // 3
        longest_foot = continuation(asked, foot_chars)
        room.take(longest_foot)
        tokens = self._delivery.memo.tokens(longest_foot)
        for at, one in enumerate(asked):
            call.deadline.check()
            call.progress(at, len(asked), printable(one.path))
            call.buffers.give_back()  # of the file before: its text is gone
            found = self._labelled(call, one, len(asked), replace(request, path=one.path), room, shown)
            size = "".join(part.facts + part.body + part.tail + "\n\n" for part in found)
            tokens += sum(part.tokens + self._delivery.memo.tokens(part.facts + part.tail) for part in found)
            if tokens > call.limit.tokens or not room.take(size, size.count("\n") + 1):
                if parts:
                    foot = continuation(asked[at:], foot_chars)
                    break
                room.exhaust()
            shown.settle()
            parts += found
            failed += found[0].view == "error"
            stable += len(found) if one.is_stable and stable == len(parts) - len(found) else 0
        answer = replace(compose(parts, foot=foot), is_error=failed == len(paths))
        return replace(answer, meta=with_alignment(answer, parts, stable, self._delivery.memo.counter))

    def _labelled(self, call: Call, one: Asked, of: int, request: ReadRequest, room: Room, shown: ShownTexts) -> list[Part]:
        """Return the parts of one of several paths, each with its place in the question; an error is a part, too."""
        shown.offer(None)
        try:
            found = self._parts(call, request, room, shown)
        except PenstockError as error:
            path = printable(one.path)
            found = [Part(path=one.path, view="error", body="", facts=facts_line(path, f"error {error.code}: {error}"))]
        return [replace(part, facts=f"{part.facts}{SEPARATOR}asked {one.position} of {of}") for part in found]

    def _stat_of(self, path: str) -> tuple[str, FileStat]:
        rel, _, stat = self._workspace.stat(path)
        return rel, stat

    def _parts(self, call: Call, request: ReadRequest, room: Room, shown: ShownTexts | None = None) -> list[Part]:
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
        call.buffers.take(text_bytes(content.data))
        file = file_text(content.rel, content.data, content.sha256, is_changing=content.is_changing)
        self._order.note(content.rel, content.sha256, content.stat)
        return self._file_parts(call, request, content, file, room, shown)

    def _file_parts(
        self, call: Call, request: ReadRequest, content: Content, file: FileText, room: Room, shown: ShownTexts | None
    ) -> list[Part]:
        ranges = _planned(request.lines, file) if request.lines else None
        is_repeat = self._delivery.is_repeat(file, ranges)
        if request.view not in LOSSY and not request.fresh:
            proven = self._delivery.proven(call, request.have, file, content.data, view=request.view, ranges=ranges)
            if proven is not None:
                return [proven]
        view = _admitted(call, request, file, self._chosen(request, content, file, is_repeat=is_repeat), len(content.data))
        if view == "diff":
            return [self._diff(call, request, content, file)]
        if view in LOSSY:
            made = self._fitting(call, request, view, content, file, share=1.0 if shown is None else SEVERAL_SHARE)
            if view == "reference" or request.view == view or self._delivery.is_smaller(made, file):
                return [self._delivery.lossy(call, content, file, made)]
            view = "full"
        if shown is not None and view == "full" and request.view == "auto" and not request.fresh:
            less = self._without_repeats(file, room, shown)
            if less is not None:
                return [self._delivery.lossy(call, content, file, less)]
        parts = self._delivery.exact(file, call.limit, view=view, ranges=ranges, room=room)
        if shown is not None and parts[0].view == "full" and parts[0].lines == (1, file.total):
            shown.offer(file)
        return parts

    def _without_repeats(self, file: FileText, room: Room, shown: ShownTexts) -> View | None:
        """Return the file less what this answer has shown of it, where that is worth it; None: it is sent verbatim."""
        less = shown.without_repeats(file) if file.is_exact and not file.is_changing else None
        if less is None or not room.copy().take(less.body, len(less.kept) + file.total):
            return None
        if self._delivery.memo.tokens(less.body) + REPEAT_WORTH > self._delivery.memo.count(file.sha256, file.text).tokens:
            return None
        shown.offer(file)
        return less

    def _fitting(self, call: Call, request: ReadRequest, view: str, content: Content, file: FileText, *, share: float) -> View:
        """Return the view at its budget, or at the largest one whose body the client shows in that share of an answer."""
        budget = self._budget(request, view)
        room = Room.of(call.limit)
        while True:
            made = self._views.view(view, content, file, query=request.query, budget=budget, deadline=call.deadline)
            fitting = share * room.share(made.body, made.body.count("\n") + 1)
            if fitting >= 1 or budget is None or budget < MIN_BUDGET:
                return made
            budget = int(budget * fitting * 0.95)

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


def _admitted(call: Call, request: ReadRequest, file: FileText, view: str, nbytes: int) -> str:
    """Return the view that may be made now: exact text always; of a large file under critical pressure no computed one.

    Raises:
        UnderPressure: The call names such a view; another is never put in its place.
    """
    if view not in LOSSY:
        return view
    try:
        call.admit(f"read view={view}", nbytes, instead=f'read path="{file.shown}" lines="1-200"')
    except UnderPressure:
        if request.view != "auto":
            raise
        return "full"
    return view


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
