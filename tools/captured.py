"""What a command wrote, as it is shown: compressed, with the original kept in parts that can be restored."""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from ..cache.errors import PenstockError, StoreUnavailable
from ..cache.handles import HandleKind
from ..cache.payloads import PayloadStore
from ..cache.tokens import TokenCount, TokenCounter
from .answer import facts_line
from .filters.changes import Earlier
from .filters.engine import compress_document
from .filters.excerpt import Bytes, excerpt
from .filters.facts import facts_of
from .filters.filter import Filtered, Focus

PART_BYTES: Final = 8 << 20
"""An original is kept in parts of at most this size: one restore brings one back in memory."""
END_BYTES: Final = 2 << 20
"""Above twice this only the ends of an output and the telling lines between are looked at; the original is kept whole."""
MAX_KEPT_BYTES: Final = 256 << 20
"""More of one output than this is not kept: half a spool."""


class Stored(Protocol):
    """A file that can be mapped: what `tempfile` returns."""

    def fileno(self) -> int:
        """Return its descriptor."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """The text to print for an output."""

    facts: str
    body: str
    is_lossy: bool
    handle: str = ""
    """The original, if it is kept in one part."""


class OutputReporter:
    """Compresses captured output and keeps the original."""

    def __init__(self, payloads: PayloadStore, counter: TokenCounter, *, budget: int, is_default: bool = True) -> None:
        self._payloads = payloads
        self._counter = counter
        self._budget = budget
        self._is_default = is_default

    def report(
        self, stored: Stored, size: int, *, command: list[str], exit_code: int, status: str, kind: str | None, before: str = ""
    ) -> Report:
        """Return what to print for the `size` bytes in `stored`, having kept them if anything is left out.

        `before` is the handle of the same command's last output: what changed since goes first.

        Raises:
            StoreUnavailable: The original cannot be kept; print it whole.
        """
        with mmap.mmap(stored.fileno(), size, access=mmap.ACCESS_READ) as data:
            document = excerpt(data, size, end_bytes=END_BYTES)
            focus = Focus(self._budget, exit_code=exit_code, is_default=self._is_default)
            earlier = None if document.skips else self._earlier(before)
            result = compress_document(document, focus, self._tokens, kind=kind, command=command, earlier=earlier)
            if not result.is_lossy:
                return Report("", document.text, is_lossy=False)
            raw = self._raw_tokens(result, size)
            handle, kept = self._keep(data, size, " ".join(command)[:200], raw.tokens)
        tokens = self._counter.count(result.text)
        return Report(
            facts_line(*facts_of(result, str(tokens), str(raw)), status, kept), result.text, is_lossy=True, handle=handle
        )

    def _earlier(self, handle: str) -> Earlier | None:
        if not handle:
            return None
        try:
            return Earlier(handle, self._payloads.load(handle).data.decode("utf-8", "replace"))
        except PenstockError:
            return None  # expired or damaged: there is nothing to compare with

    def _raw_tokens(self, result: Filtered, size: int) -> TokenCount:
        counted = self._counter.count(result.document.text)
        if not result.document.skips:
            return counted
        held = len(result.document.text.encode("utf-8", "surrogatepass"))
        return TokenCount(round(counted.tokens * size / max(1, held)), is_estimated=True)

    def _keep(self, data: mmap.mmap, size: int, source: str, tokens: int) -> tuple[str, str]:
        """Keep the original; return its handle, if it has one, and how to get it back."""
        end = min(size, MAX_KEPT_BYTES)
        parts = list(_parts(data, end))
        ids: list[str] = []
        for number, (start, stop) in enumerate(parts, 1):
            name = source if len(parts) == 1 else f"{source} (part {number} of {len(parts)})"
            share = round(tokens * (stop - start) / size)
            ids.append(self._payloads.keep(data[start:stop], kind=HandleKind.TOOL_RESULT, source=name, tokens=share).id)
        if not self._payloads.spool.is_durable:
            raise StoreUnavailable(
                "the output cannot be kept", why="the spool on disk cannot be used, and memory ends with this process"
            )
        lost = f", {size - end:,} bytes after {end:,} not kept" if end < size else ""
        if len(ids) == 1:
            return ids[0], f"original: restore {ids[0]}{lost}"
        listing = "".join(f"{id_}  bytes {start:,}-{stop:,}\n" for id_, (start, stop) in zip(ids, parts, strict=True))
        index = self._payloads.keep(
            listing.encode(), kind=HandleKind.TOOL_RESULT, source=f"{source} (its parts)", tokens=len(ids) * 20
        )
        return "", f"original in {len(ids)} parts: restore {index.id} lists them{lost}"

    def _tokens(self, text: str) -> int:
        return self._counter.count(text).tokens


def _parts(data: Bytes, end: int) -> Iterator[tuple[int, int]]:
    """Yield the byte ranges of the parts, cut at line ends where there are any."""
    at = 0
    while at < end:
        stop = min(end, at + PART_BYTES)
        if stop < end:
            newline = data.rfind(b"\n", at + PART_BYTES // 2, stop)
            stop = newline + 1 if newline >= 0 else stop
        yield at, stop
        at = stop
