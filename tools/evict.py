"""`evict`: drop what is no longer needed, keep it restorable, and say what that costs; pin and unpin."""

import re
from collections.abc import Sequence
from typing import Final

from ..cache.errors import InvalidArgument
from ..cache.evicted import EvictedItem, EvictionReport, Outcome
from ..cache.evictor import Evictor
from ..cache.payloads import PayloadStore
from ..cache.workspace.files import Workspace
from ..cache.workspace.names import printable
from .answer import Answer, Part, compose, facts_line
from .call import Call

_NAME: Final = re.compile(r"h[0-9a-f]{4,64}|r\d+-[0-9a-f]{4}")
MAX_TARGETS: Final = 500
SHOWN: Final = 60


class EvictTool:
    """Serves `evict`."""

    def __init__(self, workspace: Workspace, payloads: PayloadStore, evictor: Evictor) -> None:
        self._workspace = workspace
        self._payloads = payloads
        self._evictor = evictor

    def run(
        self,
        call: Call,
        *,
        targets: str | list[str] | None = None,
        to_tokens: int | None = None,
        pin: str | list[str] | None = None,
        unpin: str | list[str] | None = None,
        dry_run: bool = False,
    ) -> Answer:
        """Answer one call.

        Raises:
            InvalidArgument: Nothing was asked for, or too much.
            UnknownHandle: A target looks like a handle and is none.
        """
        if targets is None and to_tokens is None and pin is None and unpin is None:
            raise InvalidArgument(
                "evict needs targets, to_tokens, pin or unpin", next_call='evict targets="path/to/file" or to_tokens=0'
            )
        notes = self._pins(_listed(pin), is_pinned=True, dry_run=dry_run) + self._pins(
            _listed(unpin), is_pinned=False, dry_run=dry_run
        )
        items: list[EvictedItem] = []
        if targets is not None:
            items += self._evictor.evict([self._named(name) for name in _listed(targets)], dry_run=dry_run).items
        if to_tokens is not None:
            call.deadline.check()
            items += self._evictor.evict_to_tokens(to_tokens, dry_run=dry_run).items
        return _answer(EvictionReport(tuple(items), is_dry_run=dry_run), notes)

    def _named(self, target: str) -> str:
        """Return a target as the evictor knows it; a handle must exist, a path must be inside the workspace."""
        target = target.strip()
        if _NAME.fullmatch(target):
            if target.startswith("h"):
                return self._payloads.resolve(target).id
            return target
        return self._workspace.relative(target)

    def _pins(self, names: Sequence[str], *, is_pinned: bool, dry_run: bool) -> list[str]:
        notes: list[str] = []
        done, verb = ("pinned", "pin") if is_pinned else ("unpinned", "unpin")
        for name in names:
            target = self._named(name)
            if dry_run:
                notes.append(f"{printable(target)} would be {done}")
                continue
            if _NAME.fullmatch(target):
                found = self._evictor.pin_handle(target, is_pinned=is_pinned)
            else:
                found = self._evictor.pin(target) if is_pinned else self._evictor.unpin(target)
            why = "it is not cached, or pins fill their share: read it first" if is_pinned else "it was not pinned"
            notes.append(
                f"{printable(target)} {done}" if found else f"{printable(target)} not {done} ({why}; {verb} again after that)"
            )
        return notes


def _listed(names: str | list[str] | None) -> list[str]:
    found = [] if names is None else [names] if isinstance(names, str) else list(dict.fromkeys(names))
    if len(found) > MAX_TARGETS:
        raise InvalidArgument(
            f"evict takes at most {MAX_TARGETS} names, got {len(found):,}", next_call="name a folder, or use to_tokens"
        )
    return found


def _answer(report: EvictionReport, notes: Sequence[str]) -> Answer:
    freed = sum(item.bytes_freed for item in report.items)
    left = [item for item in report.items if item.outcome in (Outcome.EVICTED, Outcome.PLANNED, Outcome.REVOKED)]
    verb = "would leave" if report.is_dry_run else "left"
    head = facts_line("evict", f"{len(left):,} of {len(report.items):,} items {verb}", f"{freed:,} bytes", *notes)
    parts: list[Part] = []
    for at, item in enumerate(report.items):
        line = _line(item) + "\n"
        if at < SHOWN:
            parts.append(Part(item.name, "evicted", line, handle=item.handle_id, is_lossy=False))
    foot = f"… {len(report.items) - SHOWN:,} more items …" if len(report.items) > SHOWN else ""
    return compose(parts, head=head, foot=foot)


def _line(item: EvictedItem) -> str:
    cost = f"a re-fetch costs {item.refetch_tokens:,} tok" if item.refetch_tokens is not None else ""
    dead = f"receipts that die: {', '.join(item.receipts)}" if item.receipts else ""
    kept = f"kept in {item.kept_in}" if item.kept_in else ""
    back = f"restore {item.handle_id}" if item.handle_id else ""
    return facts_line(
        printable(item.name),
        item.outcome.value,
        f"{item.bytes_freed:,} bytes" if item.bytes_freed else "",
        kept,
        back,
        cost,
        dead,
    )
