"""The archive's store: one SQLite file per workspace that appends events and looks after itself.

What is appended is committed when `append` returns. Everything is bounded: events by age, number and bytes, entries by
clearing, snapshots by pruning, sessions by their last activity.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import StoreUnavailable
from .clearing import ClearPolicy, ClearReason, clear_due
from .database import Database, DatabaseStatistics
from .entries import Entry
from .entry_rows import count_entries, engage_entry, fold_into_entries
from .event_rows import append_event, count_events, delete_events, event_sizes
from .events import Record, check_session_id
from .fact_rows import count_facts
from .importance import importance_of
from .outline import decode_outline, encode_outline, fold_outline
from .retention import MaintenancePlan, RetentionPolicy, SessionAge, plan_maintenance, plan_trim
from .schema import SCHEMA
from .session_rows import (
    SessionRow,
    delete_session,
    ensure_session,
    find_session,
    list_sessions,
    read_outline,
    touch_session,
    write_outline,
)
from .snapshots import SnapshotPolicy, SnapshotReason, snapshot_due
from .states import Cleared, clear_session, take_snapshot

if TYPE_CHECKING:
    from apsw import Connection

FILE_NAME: Final = "archive.db"
_TRIM_EVENTS: Final = 5_000
_LOOK_SHARE: Final = 1 / 32
"""Of the cap: after so many characters the size is looked at between two rounds of maintenance, however fast events come."""


@dataclass(frozen=True, slots=True)
class ArchivePolicies:
    """How the archive takes snapshots, clears and forgets."""

    snapshots: SnapshotPolicy = field(default_factory=SnapshotPolicy)
    clearing: ClearPolicy = field(default_factory=ClearPolicy)
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)


@dataclass(frozen=True, slots=True)
class Appended:
    """What one append did."""

    last_seq: int
    snapshot_id: int | None
    cleared: Cleared | None


@dataclass(frozen=True, slots=True)
class MaintenanceResult:
    """What one round of maintenance did (seed 004)."""

    sessions_removed: tuple[str, ...]
    sessions_cleared: tuple[str, ...]
    events_removed: int
    was_damaged: bool


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """The store at one moment."""

    database: DatabaseStatistics
    sessions: int
    events: int
    facts: int


class ArchiveStore:
    """Appends events and keeps the file within its bounds. Thread-safe."""

    def __init__(
        self,
        directory: Path,
        *,
        policies: ArchivePolicies | None = None,
        wall: Callable[[], float] = time.time,
        pid: int | None = None,
    ) -> None:
        self.policies: Final = policies or ArchivePolicies()
        self.wall: Final = wall
        self.pid: Final = os.getpid() if pid is None else pid
        self._lock = threading.Lock()
        self._unseen_chars = 0
        self.database: Final = Database(directory, FILE_NAME, schema=SCHEMA, wall=wall)

    def __repr__(self) -> str:
        return f"<ArchiveStore {self.database!r}>"

    @property
    def notice(self) -> str:
        """What the user should know of the store: not persisted, put aside; empty when all is well."""
        return self.database.notice

    def append(self, session_id: str, records: Sequence[Record], *, engaged: Sequence[str] = ()) -> Appended:
        """Store records of a session, committed on return; take the snapshot or the clear that is due.

        `engaged` are keys of entries that recall brought back: those that the session holds gain importance.

        Raises:
            StoreUnavailable: Another process blocks the file, or there is no room even in memory.
            ValueError: The session id is not one.
        """
        check_session_id(session_id)
        now = self.wall()
        appended = self.database.write(lambda con: self._append(con, session_id, records, engaged, now))
        if self._is_look_due(sum(len(record.text) for record in records)):
            with suppress(StoreUnavailable):  # what was asked for is stored; the file is looked at again later
                self._trim()
        return appended

    def maintain(self, *, current: str = "") -> MaintenanceResult:
        """Remove what has expired, by last activity, and keep the file under its cap.

        Raises:
            StoreUnavailable: Another process blocks the file.
        """
        was_damaged = self.database.needs_check and not self.database.verify()
        now = self.wall()
        used = self.database.used_bytes()
        plan = self.database.read(lambda con: self._plan(con, current, now, used))
        removed = 0
        for session_id in plan.remove:
            removed += self._remove(session_id, current)
        cleared = [session_id for session_id in plan.clear if self._clear_idle(session_id)]
        removed += self._drain(lambda con: delete_events(con, before_s=plan.events_before_s))
        removed += self._trim()
        if removed:
            self.database.shrink()
        return MaintenanceResult(plan.remove, tuple(cleared), removed, was_damaged)

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def statistics(self) -> StoreStatistics:
        """Return the store at this moment."""
        counts = self.database.read(lambda con: (len(list_sessions(con)), count_events(con), count_facts(con)))
        return StoreStatistics(self.database.statistics(), *counts)

    def _is_look_due(self, chars: int) -> bool:
        """Whether so much text has come since the file's size was looked at that it may have outgrown its cap."""
        with self._lock:
            self._unseen_chars += chars
            if self._unseen_chars < self.policies.retention.max_bytes * _LOOK_SHARE:
                return False
            self._unseen_chars = 0
            return True

    def _append(
        self, con: "Connection", session_id: str, records: Sequence[Record], engaged: Sequence[str], now: float
    ) -> Appended:
        row = ensure_session(con, session_id, pid=self.pid, now_s=now)
        last = row.last_seq
        changed: list[Entry] = []
        for record in records:
            last = append_event(con, row.rid, record, now_s=now)
            changed.append(fold_into_entries(con, row.rid, record, last))
        for key in engaged:
            engage_entry(con, row.rid, key)
        outline = fold_outline(decode_outline(read_outline(con, row.rid)), records)
        write_outline(con, row.rid, encode_outline(outline))
        tokens = sum(record.tokens for record in records)
        touch_session(con, row.rid, pid=self.pid, now_s=now, events=len(records), tokens=tokens, last_seq=last)
        return self._settle(con, session_id, changed, last, now)

    def _settle(self, con: "Connection", session_id: str, changed: Sequence[Entry], last: int, now: float) -> Appended:
        row = find_session(con, session_id)
        assert row is not None
        policies = self.policies
        reason = clear_due(policies.clearing, events_since_clear=row.since_clear, entries=count_entries(con, row.rid))
        if reason is not None:
            cleared = self._clear(con, row, reason, now)
            return Appended(last, cleared.snapshot.id if cleared.snapshot else None, cleared)
        best = max((importance_of(entry, newest_seq=last).score for entry in changed), default=0.0)
        if snapshot_due(policies.snapshots, events_since=row.since_snapshot, best_changed_score=best):
            snapshot = take_snapshot(con, row, policies.snapshots, SnapshotReason.INTERVAL, now_s=now)
            return Appended(last, snapshot.id, None)
        return Appended(last, None, None)

    def _clear(self, con: "Connection", row: SessionRow, reason: ClearReason, now: float) -> Cleared:
        policies = self.policies
        return clear_session(con, row, reason, clearing=policies.clearing, snapshots=policies.snapshots, keep=(), now_s=now)

    def _plan(self, con: "Connection", current: str, now: float, used: int) -> MaintenancePlan:
        ages = [
            SessionAge(row.id, row.active_s, row.clears, count_entries(con, row.rid), bool(row.names), row.id == current)
            for row in list_sessions(con)
        ]
        return plan_maintenance(ages, self.policies.retention, now_s=now, used_bytes=used)

    def _remove(self, session_id: str, current: str) -> int:
        """Remove a session, looked at again inside the transaction: another process may have used it since."""

        def work(con: "Connection") -> int:
            row = find_session(con, session_id)
            if row is None or session_id not in self._plan(con, current, self.wall(), 0).remove:
                return 0
            deleted = delete_events(con, session=row.rid)
            if deleted == 0:
                delete_session(con, row.rid)
            return deleted

        return self._drain(work)

    def _clear_idle(self, session_id: str) -> bool:
        """Clear an idle session for room, unless it has become active since."""

        def work(con: "Connection") -> bool:
            now = self.wall()
            row = find_session(con, session_id)
            if row is None or now - row.active_s <= self.policies.retention.active_s:
                return False
            self._clear(con, row, ClearReason.MEMORY_THRESHOLD, now)
            return True

        return self.database.write(work)

    def _trim(self) -> int:
        """Delete the oldest events while the file is over its cap or holds too many."""
        retention = self.policies.retention
        deleted = 0
        for _ in range(20):
            excess = self.database.used_bytes() - retention.max_bytes
            spare = self.database.read(count_events) - retention.max_events
            if excess <= 0 and spare <= 0:
                break
            sizes = self.database.read(lambda con: event_sizes(con, limit=_TRIM_EVENTS))
            until = plan_trim(sizes, excess=excess)
            if spare > 0 and sizes:
                until = max(until, sizes[min(spare, len(sizes)) - 1][0])
            if not until:
                break
            deleted += self._drain(lambda con, until=until: delete_events(con, until_seq=until))
            self.database.write(_merge_index)
        return deleted

    def _drain(self, work: "Callable[[Connection], int]") -> int:
        """Repeat a bounded deletion, one short transaction at a time, until it finds nothing."""
        total = 0
        while deleted := self.database.write(work):
            total += deleted
        return total


def _merge_index(con: "Connection") -> None:
    """Let the text index drop what was deleted."""
    con.execute("INSERT INTO passage_terms(passage_terms, rank) VALUES('merge', -2000)")
