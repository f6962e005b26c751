"""The conversation of this process: what is recorded of it, its sessions and facts, what prompts and resources show of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..cache.archive.archive import SessionArchive, new_session_id
from ..cache.archive.events import ToolEvent, TouchedSpan
from ..cache.archive.facts import FactBook
from ..cache.archive.recorder import Recorder
from ..cache.archive.store import ArchiveStore
from ..cache.deadline import Deadline
from ..cache.errors import PenstockError
from ..cache.handles import HandleKind
from ..cache.workspace.names import printable
from ..tools.answer import Answer
from ..tools.arguments import Arguments
from ..tools.call import AnswerLimit, Call
from ..tools.memory import MemoryTool
from ..tools.resume import Resume
from ..tools.search import ScopeProvider, SearchRequest
from ..tools.session import SessionTool
from .prompts import HandleLine, PromptSources

if TYPE_CHECKING:
    from .engine import Engine

SHOWN_HANDLES: Final = 100
UNRECORDED: Final = frozenset({"status", "session", "memory"})
"""Calls about the record itself; a note that `session` carries is recorded by the archive."""
LIMIT: Final = AnswerLimit(chars=40_000, bytes=48_000)


class Conversation:
    """Records the calls of this process and serves what outlives it."""

    def __init__(self, engine: "Engine", folder: Path) -> None:
        self._engine = engine
        self._store = ArchiveStore(folder)
        self.recorder = Recorder(self._store, new_session_id(), ledger=engine.ledger)
        self.archive = SessionArchive(self._store, self.recorder)
        self.facts = FactBook(self._store, self._read_file)
        self.session = SessionTool(self.archive, engine.counter, has_handle=self._has_handle, keep_text=self._keep_text)
        self.memory = MemoryTool(self.facts, engine.counter, author=self.recorder.session_id)
        self._resume = Resume(self.session, self.memory, engine.counter)

    def start(self) -> None:
        """Begin to write events behind the calls."""
        self.recorder.start()

    def providers(self) -> Mapping[str, ScopeProvider]:
        """Return what `search` hands the other scopes to."""

        def session(call: Call, request: SearchRequest) -> Answer:
            return self.session.search_session(call, request.query, request.k, request.budget)

        def memory(call: Call, request: SearchRequest) -> Answer:
            return self.memory.search_memory(call, request.query, request.k, request.budget)

        return {"session": session, "memory": memory}

    def record(self, tool: str, arguments: Arguments, answer: Answer | None, tokens: int, error: PenstockError | None) -> None:
        """Note a call; returns at once. What the secret rule refused never comes this far: its answer is the refusal."""
        if tool in UNRECORDED:
            return
        parts: Sequence[Mapping[str, Any]] = [dict(part) for part in answer.parts] if answer else []
        self.recorder.record(
            ToolEvent(
                tool=tool,
                arguments=summary_of(arguments),
                handles=tuple(dict.fromkeys(str(part["handle"]) for part in parts if part.get("handle"))),
                spans=tuple(_span_of(part) for part in parts if tool == "read" and part["view"] not in ("error", "tree")),
                tokens=tokens,
                is_error=error is not None or bool(answer and answer.is_error),
                excerpt=str(error) if error else answer.text if answer else "",
            )
        )

    def close(self) -> None:
        """Write what is buffered; at most a second."""
        self.archive.shutdown()

    def sources(self, tool: Callable[[str], Callable[..., Answer]]) -> PromptSources:
        """Return what prompts, resources and completions are made of."""

        def call(deadline: Deadline) -> Call:
            return Call(deadline=deadline, limit=LIMIT)

        return PromptSources(
            resume=lambda deadline, session: self._resume.text(call(deadline), session),
            explore=lambda deadline, path: tool("read")(call(deadline), path=path or ".").text,
            summary=lambda deadline, session: self.session.run(call(deadline), action="summary", id=session).text,
            sessions=self._session_names,
            handles=self._handles,
            content=lambda deadline, handle: tool("restore")(call(deadline), handle=handle).text,
            folders=self._folders,
            status=lambda deadline: tool("status")(call(deadline)).text,
        )

    def _read_file(self, path: str, deadline: Deadline) -> tuple[str, bytes]:
        source = self._engine.workspace.read(path, deadline=deadline)
        return source.rel, source.data

    def _has_handle(self, handle: str) -> bool:
        try:
            return self._engine.payloads.resolve(handle).size_bytes >= 0
        except PenstockError:
            return False

    def _keep_text(self, text: str, source: str) -> str:
        """Keep recorded text and return its handle."""
        tokens = self._engine.counter.count(text).tokens
        return self._engine.payloads.keep(text.encode(), kind=HandleKind.MEMORY_PAGE, source=source, tokens=tokens).id

    def _session_names(self) -> list[str]:
        views = self.archive.sessions()
        names = [name for view in views for name in (*view.row.names, view.row.id)]
        return names + [snapshot.label for view in views for snapshot in reversed(view.snapshots)]

    def _handles(self) -> list[HandleLine]:
        known = [handle for kind in HandleKind for handle in self._engine.payloads.handles.of_kind(kind)]
        return [HandleLine(handle.id, handle.tokens, printable(handle.source)) for handle in reversed(known[-SHOWN_HANDLES:])]

    def _folders(self, prefix: str) -> list[str]:
        walked = self._engine.workspace.walk("", deadline=Deadline(10.0))
        folders = {file.rel.rpartition("/")[0] + "/" for file in walked.files if "/" in file.rel}
        return sorted(printable(folder) for folder in folders if folder.startswith(prefix))


def summary_of(arguments: Arguments) -> str:
    """Return the arguments of a call on one short line: what is not at its default, long texts cut."""
    shown: list[str] = []
    for name, field in type(arguments).model_fields.items():
        value = getattr(arguments, name)
        if value is None or value == field.default:
            continue
        text = ",".join(value) if isinstance(value, list) else str(value)
        shown.append(f"{name}={printable(text[:120])}" if name not in ("path", "query") else printable(text[:120]))
    return " ".join(shown)


def _span_of(part: Mapping[str, Any]) -> TouchedSpan:
    lines: Sequence[int] | None = part.get("lines")
    is_whole = lines is None or tuple(lines) == (1, part.get("of"))
    return TouchedSpan(str(part["path"]), None if is_whole or lines is None else (lines[0], lines[1]))
