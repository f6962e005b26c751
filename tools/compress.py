"""`compress`: long output made short, every kept line verbatim, the original under a handle before the answer is given."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ..cache.errors import InvalidArgument, PenstockError
from ..cache.handles import HandleKind
from ..cache.payloads import PayloadStore
from ..cache.tokens import TokenCount, TokenCounter
from ..cache.workspace.text import decode
from .answer import Answer, Part, compose, facts_line
from .arguments import MAX_QUERY_CHARS
from .call import Call
from .filters.changes import Earlier
from .filters.engine import compress_document, kind_of
from .filters.facts import facts_of
from .filters.families import find_family, kind_names
from .filters.filter import Document, Filtered, Focus
from .filters.marks import carries_marks
from .paging import Room
from .source import TEXT_LABEL, SourceReader, SourceText

DEFAULT_BUDGET: Final = 2500
_COMPARED_BYTES: Final = 8 << 20
_SHRINK: Final = 0.8
_TRIES: Final = 12


class CompressTool:
    """Serves `compress`."""

    def __init__(
        self, sources: SourceReader, payloads: PayloadStore, counter: TokenCounter, *, default_budget: int = DEFAULT_BUDGET
    ) -> None:
        self._sources = sources
        self._payloads = payloads
        self._counter = counter
        self._default_budget = default_budget

    def run(
        self, call: Call, *, source: str, budget: int | None = None, query: str | None = None, kind: str | None = None
    ) -> Answer:
        """Answer one call.

        Raises:
            PenstockError: An unknown kind, or the source cannot be loaded.
        """
        _check(query, kind)
        texts = self._sources.load(call, source)
        room = Room.of(call.limit)
        if len(texts) == 1:
            return compose([self._part(call, texts[0], budget, query or "", kind, room)])
        return compose(self._parts(call, texts, budget or self._default_budget, query or "", kind, room))

    def _parts(
        self, call: Call, texts: Sequence[SourceText], budget: int, query: str, kind: str | None, room: Room
    ) -> Sequence[Part]:
        """Share the budget: what the shorter texts do not need is left to the longer ones."""
        parts: dict[int, Part] = {}
        for number in sorted(range(len(texts)), key=lambda number: len(texts[number].document.text)):
            call.deadline.check()
            share = budget // (len(texts) - len(parts))
            parts[number] = self._part(call, texts[number], max(1, share), query, kind, room)
            budget -= parts[number].tokens
        return [parts[number] for number in range(len(texts))]

    def _part(self, call: Call, source: SourceText, budget: int | None, query: str, kind: str | None, room: Room) -> Part:
        if not source.sha256:
            return Part(source.label, "error", "", facts_line(source.label, source.note))
        focus = Focus(min(budget or self._default_budget, call.limit.tokens), query=query, is_default=budget is None)
        origin = f"{source.label} ({kind or kind_of(source.document)})" if source.label == TEXT_LABEL else source.label
        earlier = None if source.handle else self._earlier(origin, source.sha256)
        result = self._fitted(source.document, focus, kind, room, earlier)
        raw = self._raw_tokens(source.document)
        handle = source.handle
        if result.is_lossy and not handle and source.data:
            # Durable before the answer: what is left out of an answer can be brought back whatever happens next.
            kept = self._payloads.keep(source.data, kind=HandleKind.TOOL_RESULT, source=origin, tokens=raw.tokens)
            handle = kept.id
        tokens = self._counter.count(result.text)
        marked = "source holds marks of an earlier omission: not a whole text" if carries_marks(source.document.text) else ""
        label = "" if source.label == TEXT_LABEL else source.label
        facts = facts_of(result, str(tokens), str(raw))
        return Part(
            path=source.label,
            view="compress",
            body=result.text,
            facts=facts_line(label, *facts, marked, source.note, f"original: restore {handle}" if handle else ""),
            lines=(1, result.total_lines) if result.total_lines else None,
            of_lines=result.total_lines,
            sha256=source.sha256,
            is_lossy=result.is_lossy,
            handle=handle,
            tokens=tokens.tokens,
            raw_tokens=raw.tokens,
        )

    def _raw_tokens(self, document: Document) -> TokenCount:
        """Count the original; of one that was not read whole, estimate it by the lines that were."""
        counted = self._counter.count(document.text)
        if not document.skips:
            return counted
        return TokenCount(round(counted.tokens * document.total_lines / max(1, len(document))), is_estimated=True)

    def _earlier(self, origin: str, sha256: str) -> Earlier | None:
        """Return what was compressed before under the same name, if it is another text and still there."""
        handle = self._payloads.handles.for_source(origin)
        if handle is None or handle.sha256 == sha256 or handle.size_bytes > _COMPARED_BYTES:
            return None
        try:
            return Earlier(handle.id, decode(self._payloads.load(handle.id).data).text)
        except PenstockError:
            return None

    def _fitted(self, document: Document, focus: Focus, kind: str | None, room: Room, earlier: Earlier | None) -> Filtered:
        """Compress `document` into the budget and into what the client shows."""
        result = compress_document(document, focus, self._tokens, kind=kind, earlier=earlier)
        for _ in range(_TRIES):
            body = result.text
            if room.copy().take(body, body.count("\n") + 1):
                break
            focus = replace(focus, budget=max(1, int(min(focus.budget, self._tokens(body)) * _SHRINK)))
            result = compress_document(document, focus, self._tokens, kind=kind, earlier=earlier)
        room.take(result.text, result.text.count("\n") + 1)
        return result

    def _tokens(self, text: str) -> int:
        return self._counter.count(text).tokens


def _check(query: str | None, kind: str | None) -> None:
    if query is not None and len(query) > MAX_QUERY_CHARS:
        raise InvalidArgument(
            f"query has {len(query):,} characters; the limit is {MAX_QUERY_CHARS:,}", next_call="repeat with its key words"
        )
    if kind and find_family(kind) is None:
        known = ", ".join(kind_names())
        raise InvalidArgument(
            f"kind {kind[:60]!r} is not known", why=f"known: {known}", next_call="repeat without kind: it is detected"
        )
