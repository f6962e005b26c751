"""`search`: ranked chunks of the workspace, with what was searched and where to look next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..cache.deadline import Deadline
from ..cache.errors import InvalidArgument, PenstockError
from ..cache.index.cache import IndexCache
from ..cache.index.confidence import confidence_of, entropy_of
from ..cache.index.named import around, is_told
from ..cache.index.query import MAX_QUERY_CHARS
from ..cache.index.reservoir import SessionReservoir
from ..cache.index.snippet import snippet_of
from ..cache.index.values import Confidence, Coverage, Hit, Hop, Prefer, SearchResult
from ..cache.tokens import TokenCounter
from ..cache.workspace.names import printable
from ..cache.workspace.text import decode
from .answer import Answer, clean_text, facts_line
from .call import Call
from .paging import Room

DEFAULT_K: Final = 10
DEFAULT_BUDGET: Final = 2_500
MAX_K: Final = 200
_SHOWN_QUERY: Final = 60
_MAX_SNIPPET_LINES: Final = 8
_FRAME_TOKENS: Final = 160
"""Kept for the facts line and the last line."""

ReadBytes = Callable[[str, Deadline], bytes]
"""Whole file by path, through the jail."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """The arguments of one search, defaults filled in."""

    query: str
    path: str | None
    prefer: Prefer
    k: int
    budget: int


ScopeProvider = Callable[[Call, SearchRequest], Answer]
"""Answers a search in another scope than the workspace."""


@dataclass(frozen=True, slots=True)
class _Block:
    """One hit as text."""

    head: str
    lines: tuple[str, ...]


class SearchTool:
    """Searches the workspace, or hands the request to the provider of another scope."""

    def __init__(
        self,
        index: IndexCache,
        read: ReadBytes,
        counter: TokenCounter,
        *,
        reservoir: SessionReservoir | None = None,
        providers: Mapping[str, ScopeProvider] | None = None,
    ) -> None:
        self._index = index
        self._read = read
        self._counter = counter
        self._reservoir = SessionReservoir() if reservoir is None else reservoir
        self._providers = dict(providers or {})

    @property
    def reservoir(self) -> SessionReservoir:
        """The session reservoir, for `status`."""
        return self._reservoir

    def run(
        self,
        call: Call,
        *,
        query: str,
        scope: str = "workspace",
        path: str | None = None,
        prefer: str | None = None,
        k: int | None = None,
        budget: int | None = None,
    ) -> Answer:
        """Answer one search.

        Raises:
            InvalidArgument: The query is too long or empty, or the scope, `prefer`, `k` or `budget` is not one there is.
            PenstockError: As the index or the provider of the scope.
        """
        request = _request(query, path, prefer, k, budget)
        if scope != "workspace":
            return self._provider(scope)(call, request)
        result = self._index.search(
            request.query,
            k=request.k,
            path_glob=request.path,
            prefer=request.prefer,
            deadline=call.deadline,
            progress=call.progress,
        )
        confidence = self._judge(call.client, result)
        if not result.hits:
            return Answer(clean_text(_nothing_found(request, result)))
        blocks = self._fit(call, request, [self._block(hit, call.deadline) for hit in result.hits])
        head = _facts(request, result, len(blocks), confidence)
        return Answer(clean_text("\n".join([head, *blocks, _last_line(request, result, len(blocks))])))

    def _provider(self, scope: str) -> ScopeProvider:
        provider = self._providers.get(scope)
        if provider is None:
            known = ", ".join(["workspace", *sorted(self._providers)])
            raise InvalidArgument(
                f"scope {printable(scope)[:40]!r} is not available",
                why=f"there is: {known}",
                next_call='repeat with scope="workspace"',
            )
        return provider

    def _judge(self, session: str, result: SearchResult) -> Confidence:
        held = set(result.hits[0].matched) if result.hits else set[str]()
        share = len(held) / len(result.terms) if result.terms else 0.0
        entropy = entropy_of(result.top_scores)
        confidence = confidence_of(entropy, self._reservoir.median(session), share)
        self._reservoir.observe(session, entropy)
        return confidence

    def _block(self, hit: Hit, deadline: Deadline) -> _Block:
        try:
            lines = decode(self._read(hit.path, deadline)).text.split("\n")
        except PenstockError:
            deadline.check()
            return _Block(_head(hit, ()), ())  # gone or refused since it was indexed: the span stands, its text is not shown
        shown = snippet_of(
            lines,
            hit.start,
            hit.end,
            terms=hit.matched,
            symbol_lines={symbol.line for symbol in hit.symbols[:2]},
            limit=_MAX_SNIPPET_LINES,
        )
        numbers = [line.number for line in shown]
        return _Block(_head(hit, numbers), tuple(f"  {line.number}| {printable_line(line.text)}" for line in shown))

    def _fit(self, call: Call, request: SearchRequest, blocks: Sequence[_Block]) -> list[str]:
        """Lay out as many hits as fit, every head before any snippet, the snippets of the first hits first."""
        room = Room.of(call.limit)
        tokens = min(request.budget, call.limit.tokens) - _FRAME_TOKENS
        kept: list[_Block] = []
        for block in blocks:
            cost = self._counter.count(block.head).tokens + 1
            if kept and (cost > tokens or not room.take(block.head + "\n")):
                break
            tokens -= cost
            kept.append(block)
        texts: list[str] = []
        for position, block in enumerate(kept):
            # The first hits get more: half of what an equal share of the rest would double.
            share = min(tokens, max(tokens // (len(kept) - position) * 2, 0))
            lines: list[str] = []
            for line in block.lines:
                cost = self._counter.count(line).tokens + 1
                if cost > share or not room.take(line + "\n"):
                    break
                share -= cost
                tokens -= cost
                lines.append(line)
            texts.append("\n".join([block.head, *lines]))
        return texts


def _head(hit: Hit, shown: Sequence[int]) -> str:
    """Say where a hit is, which definition it is or, if no name tells, which holds the lines that matched, and why."""
    symbol = hit.symbols[0] if hit.symbols else None
    if symbol is not None and not is_told(symbol, hit.matched):
        symbol = around(hit.symbols, shown) or symbol
    named = f"{symbol.kind} {printable(symbol.name)}" if symbol else ""
    also = "also " + ", ".join(f"{first}-{last}" for first, last in hit.also) if hit.also else ""
    matched = ", ".join(printable(term) for term in hit.matched[:8])
    return facts_line(f"{printable(hit.path)}:{hit.start}-{hit.end}", named, matched, f"{hit.score:.2f}", also)


def printable_line(text: str) -> str:
    """Return a line of a file as it may be shown; tabs stay."""
    return "\t".join(printable(piece) for piece in text.split("\t"))


def _request(query: str, path: str | None, prefer: str | None, k: int | None, budget: int | None) -> SearchRequest:
    if len(query) > MAX_QUERY_CHARS:
        raise InvalidArgument(
            f"query has {len(query):,} characters, the limit is {MAX_QUERY_CHARS:,}",
            why="a query is words to look for",
            next_call="name the few words or identifiers that matter; compress(source=…) takes long texts",
        )
    names = [one.value for one in Prefer]
    if prefer is not None and prefer not in names:
        raise InvalidArgument(f"prefer must be one of {', '.join(names)}", next_call='repeat with prefer="any"')
    if k is not None and not 1 <= k <= MAX_K:
        raise InvalidArgument(f"k must be 1 to {MAX_K}, got {k}", next_call=f"repeat with k={DEFAULT_K}")
    if budget is not None and budget < 1:
        raise InvalidArgument(f"budget must be at least 1, got {budget}", next_call=f"repeat with budget={DEFAULT_BUDGET}")
    return SearchRequest(query, path, Prefer(prefer or "source"), k or DEFAULT_K, budget or DEFAULT_BUDGET)


def _facts(request: SearchRequest, result: SearchResult, shown: int, confidence: Confidence) -> str:
    return facts_line(
        f'search "{shown_query(request.query)}"',
        f"{shown:,} of {result.matching_chunks:,} matching chunks in {result.matching_files:,} files",
        coverage_text(result.coverage),
        f"confidence {confidence.value}",
    )


def shown_query(query: str) -> str:
    """Return a query as a facts line shows it."""
    text = printable(" ".join(query.split()))
    return text if len(text) <= _SHOWN_QUERY else text[:_SHOWN_QUERY] + "…"


def coverage_text(coverage: Coverage) -> str:
    """Say what was searched, and what was not and why."""
    total = f"{'≥ ' if not coverage.is_walk_complete else ''}{coverage.total_files:,}"
    parts = [f"searched {coverage.searched_files:,} of {total} files"]
    if not coverage.is_complete:
        parts.append("still indexing" if coverage.is_building else "partial")
    if coverage.is_walking:
        parts.append("still walking")
    elif coverage.capped_at:
        parts.append(f"walk capped at {coverage.capped_at:,} files")
    if coverage.age_s:
        parts.append(f"as of {coverage.age_s:.0f} s ago")
    skipped = [f"{count:,} {status.label}" for status, count in sorted(coverage.skipped.items())]
    if skipped:
        parts.append("skipped " + ", ".join(skipped))
    return " · ".join(parts)


def _nothing_found(request: SearchRequest, result: SearchResult) -> str:
    where = f" under {printable(request.path)}" if request.path else ""
    if result.coverage.is_complete:
        first = facts_line(f'search "{shown_query(request.query)}"', f"0 matches{where}", coverage_text(result.coverage))
    else:
        first = facts_line(f'search "{shown_query(request.query)}"', f"no match{where} so far", coverage_text(result.coverage))
    lines = [first]
    if result.suggestions:
        lines.append("near: " + ", ".join(printable(term) for term in result.suggestions))
    nexts: list[str] = []
    if result.suggestions:
        nexts.append(f'search(query="{printable(result.suggestions[0])}")')
    if request.path:
        nexts.append("search without path")
    if not result.coverage.is_complete:
        nexts.append("repeat when indexing is done")
    lines.append("next " + " · ".join(nexts or ["other words, or read(path=…) of a folder for its tree"]))
    return "\n".join(lines)


def _hop(hop: Hop) -> str:
    name = f" {printable(hop.name)}" if hop.name else ""
    return f"{hop.relation.value}{name} → {printable(hop.path)}:{hop.start}-{hop.end}"


def _last_line(request: SearchRequest, result: SearchResult, shown: int) -> str:
    best = result.hits[0]
    nexts = [f'read(path="{printable(best.path)}", lines="{best.start}-{best.end}")']
    nexts.extend(_hop(hop) for hop in result.hops)
    if shown < min(result.matching_files, MAX_K):
        nexts.append(f"more: k={min(MAX_K, max(request.k, shown) * 2)}" + (", budget=…" if shown < len(result.hits) else ""))
    if result.unknown:
        near = f", near: {', '.join(printable(term) for term in result.suggestions)}" if result.suggestions else ""
        nexts.append(f"nowhere: {', '.join(printable(term) for term in result.unknown[:5])}{near}")
    return "next " + " · ".join(nexts)
