"""The state of all parts as plain data: what `status` and `penstock stats` show."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..cache.evicted import EvictedItem
from ..cache.handles import HandleKind, Place
from ..cache.pressure.snapshot import pressure_snapshot
from ..cache.workspace.names import printable

if TYPE_CHECKING:
    from ..cache.index.values import WatchStatistics
    from .engine import Engine

MB: Final = 1 << 20
SHOWN: Final = 20


class Snapshot:
    """Takes snapshots of an engine."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def __call__(self) -> Mapping[str, Any]:
        """Return the state now. In bytes, tokens and seconds; strings are lines for people."""
        engine = self._engine
        found: dict[str, Any] = dict(pressure_snapshot(engine.guard, engine.gauge, engine.orchestrator, now_s=time.monotonic()))
        evicted = [
            handle
            for handle in engine.payloads.handles.of_kind(HandleKind.FILE_VIEW)
            if handle.residency.place is not Place.RESIDENT
        ]
        # Maps are not charged: their pages come and go with the system's page cache, and p sees what is resident through RSS.
        found["ledger"]["beside"] = {"index.maps": engine.index.mapped_bytes}
        found["cache"] = self._cache()
        found["handles"] = self._handles()
        found["receipts"] = self._receipts()
        found["index"] = self._index()
        found["reservoir"] = self._reservoir()
        found["workers"] = self._workers()
        found["notices"] = list(engine.spool.statistics().notices)
        found["explanations"] = [_explained(each) for each in found["evictions"]["last"]]
        found["evicted"] = {handle.id: handle.source for handle in evicted[-SHOWN:]}
        found["evicted_total"] = len(evicted)
        found["left"] = [_left(item) for item in engine.evictor.statistics().recent[-SHOWN:]]
        return found

    def _cache(self) -> str:
        found = self._engine.session.statistics()
        causes = ", ".join(f"{cause.value} {count:,}" for cause, count in found.removals.items() if count)
        return (
            f"{found.entries:,} files ({found.protected_entries:,} protected), {found.content_bytes / MB:.1f} MB"
            f" + {found.output_bytes / MB:.1f} MB views, hit ratio {found.hit_ratio:.0%}; left: {causes or 'none'}"
        )

    def _handles(self) -> str:
        engine = self._engine
        handles, spool = engine.payloads.handles, engine.spool.statistics()
        held = f"{handles.resident_tokens():,} tok resident, {handles.non_resident_tokens():,} tok elsewhere"
        on_disk = f"{spool.items:,} items, {spool.used_bytes / MB:.1f} of {spool.max_bytes / MB:.0f} MB"
        return f"{len(handles):,} known, {held}; spool {on_disk}"

    def _index(self) -> str:
        found = self._engine.index.statistics()
        if not found.searches and not found.is_loaded:
            return "not loaded: no search yet"
        coverage = found.coverage
        covered = f"{coverage.searched_files:,} of {coverage.total_files:,} files" if coverage else "nothing"
        skipped = ", ".join(f"{count:,} {status.name.lower()}" for status, count in coverage.skipped.items()) if coverage else ""
        state = "building" if found.is_building else "loaded" if found.is_loaded else "unloaded"
        held = f"{found.mapped_bytes / MB:.1f} MB mapped, {found.heap_bytes / MB:.1f} MB held"
        size = f"{found.chunks:,} chunks in {found.segments} segments, {held}"
        done = f"{found.searches:,} searches, {found.updates:,} updates, {found.builds:,} builds"
        rest = _watching(found.watch) + (f"; skipped {skipped}" if skipped else "")
        return f"{state}, {covered}, {size}; {done}{rest}"

    def _reservoir(self) -> str:
        reservoir = self._engine.reservoir
        found, limits = reservoir.statistics(), reservoir.limits
        return (
            f"{found.sessions:,} of {limits.max_sessions:,} sessions,"
            f" {found.calibrated:,} calibrated after {limits.warmup} searches;"
            f" {found.observations:,} observations, last {limits.window} kept;"
            f" {found.expired:,} idle for {limits.idle_ttl_s:g} s dropped in {found.sweeps:,} sweeps"
            f" every {limits.sweep_every_s:g} s, {found.displaced:,} displaced"
        )

    def _workers(self) -> str:
        worker = self._engine.worker
        found, limits = worker.statistics(), worker.limits
        lost = ", ".join(
            f"{count:,} {what}" for what, count in (("crashes", found.crashes), ("timeouts", found.timeouts)) if count
        )
        most = f"at most {limits.max_children} of {limits.memory_bytes / MB:,.0f} MB each"
        return f"{found.live} live, {most}; {found.calls:,} calls, {found.spawned:,} started" + (f", {lost}" if lost else "")

    def _receipts(self) -> str:
        found = self._engine.receipts.statistics()
        return (
            f"{found.live:,} live of {found.minted:,}, {found.stubs:,} stubs,"
            f" stub_then_full_within_5 {found.stub_then_full_within_5:,}, revoked {found.revoked:,}"
        )


def _explained(each: Mapping[str, Any]) -> str:
    escalated = " (escalated)" if each["is_escalated"] else ""
    return (
        f"{each['ago_s']} s ago {each['level']}: {each['action']}{escalated}: {each['what']}; freed {each['freed_bytes']:,} B,"
        f" RSS {each['rss_delta_bytes']:+,} B, p {each['p_before']} -> {each['p_after']}"
    )


def _watching(found: "WatchStatistics") -> str:
    if found.is_watching:
        left_out = f" but {found.left_out:,}" if found.left_out else ""
        return f"; {found.folders:,} folders watched{left_out}, {found.heard:,} changes heard"
    return f"; not watched: {found.notice}" if found.notice else ""


def _left(item: EvictedItem) -> str:
    back = f"restore {item.handle_id}" if item.handle_id else "the file has it"
    return f"{printable(item.name)} {item.outcome.value} ({item.cause.value}), {item.bytes_freed:,} B; {back}"
