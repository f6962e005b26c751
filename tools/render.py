"""Lossy views of one file: computed once per content, kept beside it in the session cache, dropped first under pressure.

Parsing happens in the worker process (it holds the interpreter lock and may hang); fitting a view into its budget happens here.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, cast

from ..cache.content import Content
from ..cache.deadline import Deadline
from ..cache.errors import RetryableError
from ..cache.index.neighbour import FileOutline, Neighbours
from ..cache.session import SessionCache
from ..cache.worker import Worker
from .filetext import FileText, TokenMemo
from .grammar.definition import Outline
from .grammar.lineguess import guess_outline
from .languages import language_of
from .views.dense import dense_view
from .views.focus import focus_view
from .views.map import map_view, outlined, ties_text
from .views.outline import outline_view
from .views.reference import reference_view
from .views.view import View

DEFAULT_BUDGET: Final = 2500
PARSE_WAIT_S: Final = 6.0
"""The parser gives up after 1.2 s by itself; beyond this the child is killed and the outline made from lines."""
_OUTLINED: Final = "outlined"
NeighboursOf = Callable[[FileOutline, Deadline], Neighbours | None]
"""What an index knows of a file's neighbours; None if none is loaded."""


class ViewMaker:
    """Makes lossy views, through the caches."""

    def __init__(self, session: SessionCache, worker: Worker, memo: TokenMemo, neighbours: NeighboursOf) -> None:
        self._session = session
        self._worker = worker
        self._memo = memo
        self._neighbours = neighbours

    def view(self, name: str, content: Content, file: FileText, *, query: str, budget: int | None, deadline: Deadline) -> View:
        """Return the view `name` of a file.

        Raises:
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        ties = self._ties(content, file, deadline) if name == "map" else ""
        key = f"{name}:{budget or ''}:{query}"
        if ties:
            key += f":{hashlib.sha256(ties.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
        kept = self._session.get_compressed(content.key, key, sha256=content.sha256)
        if kept is not None:
            return _view_from(kept)
        view = self._make(name, content, file, query=query, budget=budget, ties=ties)
        self._session.set_compressed(content.key, key, json.dumps(asdict(view), ensure_ascii=False), sha256=content.sha256)
        return view

    def _ties(self, content: Content, file: FileText, deadline: Deadline) -> str:
        """Return what the index says of the file's neighbours; it is asked each time, for other files change."""
        kept = self._session.get_compressed(content.key, _OUTLINED, sha256=content.sha256)
        if kept is None:
            asked = outlined(content.rel, self.outline(content, file))
            kept = json.dumps(asdict(asked))
            self._session.set_compressed(content.key, _OUTLINED, kept, sha256=content.sha256)
        path, imports, names = (json.loads(kept)[field] for field in ("path", "imports", "names"))
        asked = FileOutline(path, [(module, tuple(taken)) for module, taken in imports], names)
        found = self._neighbours(asked, deadline)
        return "" if found is None else ties_text(found)

    def _make(self, name: str, content: Content, file: FileText, *, query: str, budget: int | None, ties: str) -> View:
        count = self._memo.tokens
        if name == "compact":
            return self._compact(content, file)
        outline = self.outline(content, file)
        if name == "outline":
            return outline_view(outline, count, budget=budget)
        if name == "map":
            return map_view(outline, count, budget=budget, ties=ties)
        if name == "focus":
            return focus_view(file.text, query, count, budget=budget or DEFAULT_BUDGET, definitions=outline.definitions)
        if name == "dense":
            return dense_view(file.text, count, budget=budget or DEFAULT_BUDGET, definitions=outline.definitions)
        return reference_view(file.text, outline)

    def _compact(self, content: Content, file: FileText) -> View:
        """Take comments out where a grammar knows them; where it does not, the text stays as it is."""
        try:
            found = self._worker.call("penstock.tools.views.compact:compact_view", content.rel, file.text, timeout_s=PARSE_WAIT_S)
            return cast(View, found)
        except RetryableError as error:
            total = len(file.lines)
            return View("compact", file.text, ((1, total),) if total else (), total, is_lossy=False, notes=(str(error),))

    def outline(self, content: Content, file: FileText) -> Outline:
        """Return the structure of a file: the grammar's, or the one guessed from its lines, labelled."""
        try:
            found = self._worker.call("penstock.tools.languages:outline", content.rel, content.data, timeout_s=PARSE_WAIT_S)
            return cast(Outline, found)
        except RetryableError as error:
            return guess_outline(language_of(content.rel, content.data), content.data, str(error))


def _view_from(kept: str) -> View:
    fields: dict[str, Any] = json.loads(kept)
    fields["kept"] = tuple((first, last) for first, last in fields["kept"])
    fields["notes"] = tuple(fields["notes"])
    return View(**fields)
