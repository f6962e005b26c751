"""One conversation's archive: save, clear, restore, hand off, summarise. Built once per conversation over the shared store.

The conversation records into its own session. Restoring another one copies what that one holds (from a snapshot, or as it is
now) into this session and links the two, so that two processes never write into each other's state by accident.
"""

import secrets
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from .bridge import restore_bridge
from .clearing import ClearReason
from .columns import storable
from .entries import Entry
from .entry_rows import read_entries
from .events import check_session_id
from .history import History, HistoryStatistics, Operation, OperationKind
from .outline import Outline, decode_outline, encode_outline, merge_outlines
from .recall import Recall
from .recollection import MAX_RECALLED, Recollection
from .recorder import Recorder
from .session_rows import (
    NameRow,
    SessionRow,
    ensure_session,
    find_session,
    lineage,
    list_sessions,
    put_name,
    read_outline,
    read_written,
    set_origin,
    write_outline,
    write_written,
)
from .snapshot_rows import SnapshotRow, list_snapshots
from .snapshots import SnapshotReason
from .states import Cleared, clear_session, restore_into, take_snapshot
from .store import ArchiveStore
from .summary import CountTokens, Summary, sampling_prompt, summarise
from .targets import Target, check_free, entries_of, find_target

if TYPE_CHECKING:
    from apsw import Connection

_T = TypeVar("_T")

FLUSH_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Saved:
    """A snapshot that was asked for, and its name."""

    session: SessionRow
    snapshot: SnapshotRow
    name: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought back."""

    target: Target
    entries: tuple[Entry, ...]
    """Oldest first."""
    bridge: str
    age_s: float


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as a list shows it."""

    row: SessionRow
    snapshots: tuple[SnapshotRow, ...]
    entries: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class WrittenSummary:
    """A summary that the client's model wrote, and the newest event it covers."""

    text: str
    seq: int


def new_session_id(wall: Callable[[], float] = time.time, token: Callable[[int], str] = secrets.token_hex) -> str:
    """Return an id for a conversation that was given none: the day and six random hex digits."""
    return f"{time.strftime('%Y%m%d', time.gmtime(wall()))}-{token(3)}"


class SessionArchive:
    """The operations on sessions, for one conversation. Thread-safe."""

    def __init__(self, store: ArchiveStore, recorder: Recorder, recall: Recall | None = None) -> None:
        self.session_id: Final = check_session_id(recorder.session_id)
        self.store: Final = store
        self.recorder: Final = recorder
        self._recall = recall or Recall(store)
        self._history = History()

    def __repr__(self) -> str:
        return f"<SessionArchive {self.session_id}>"

    def save(self, name: str = "", *, note: str = "", reason: SnapshotReason = SnapshotReason.SAVE) -> Saved:
        """Take a snapshot now; give it a name if one is asked for.

        Raises:
            InvalidArgument: The name is none, or belongs to another session.
            StoreUnavailable: The store cannot be written.
        """
        self.recorder.flush(FLUSH_S)

        def work(con: "Connection", now: float) -> Saved:
            row = self._row(con, now)
            if name:
                check_free(con, name, row)
            snapshot = take_snapshot(con, row, self.store.policies.snapshots, reason, now_s=now)
            if name:
                put_name(con, NameRow(name, row.rid, snapshot.id, storable(note)[:400], now))
            return Saved(row, snapshot, name)

        saved = self._write(work)
        kind = OperationKind.HANDOFF if reason is SnapshotReason.HANDOFF else OperationKind.SNAPSHOT
        self._note(kind, saved.snapshot.entries, saved.snapshot.label)
        return saved

    def clear(
        self,
        keep: Collection[str] = (),
        *,
        min_importance: float | None = None,
        reason: ClearReason = ClearReason.MANUAL,
    ) -> Cleared:
        """Keep what matters and what `keep` names; the rest stays restorable.

        `min_importance` takes the place of the policy's threshold, from 0 to 1.

        Raises:
            StoreUnavailable: The store cannot be written.
        """
        self.recorder.flush(FLUSH_S)
        clearing, snapshots = self.store.policies.clearing, self.store.policies.snapshots
        if min_importance is not None:
            clearing = replace(clearing, min_importance_to_preserve=min_importance)

        def work(con: "Connection", now: float) -> Cleared:
            row = self._row(con, now)
            return clear_session(con, row, reason, clearing=clearing, snapshots=snapshots, keep=keep, now_s=now)

        cleared = self._write(work)
        preserved = len(cleared.plan.kept)
        self._note(OperationKind.CLEAR, len(cleared.plan.cleared), reason.value, preserved=preserved)
        return cleared

    def restore(self, wanted: str) -> Restored:
        """Bring back a session, a name or a snapshot into this conversation's session.

        Raises:
            InvalidArgument: `wanted` cannot be an id.
            UnknownHandle: There is nothing of this name.
            CorruptPayload: The snapshot is damaged.
            StoreUnavailable: The store cannot be written.
        """
        self.recorder.flush(FLUSH_S)

        def work(con: "Connection", now: float) -> Restored:
            target = find_target(con, wanted)
            entries = entries_of(con, target)
            row = self._row(con, now)
            restore_into(con, row, entries, self.store.policies.snapshots, now_s=now)
            if target.session.rid != row.rid:
                set_origin(con, row.rid, target.session.id)
                earlier, ours = (decode_outline(read_outline(con, rid)) for rid in (target.session.rid, row.rid))
                write_outline(con, row.rid, encode_outline(merge_outlines(earlier, ours)))
            at = target.snapshot.at_s if target.snapshot else target.session.active_s
            listed = tuple(entries.values())
            newest_first = sorted(listed, key=lambda entry: -entry.last_seq)
            bridge = restore_bridge(newest_first, source=target.label, age_s=now - at)
            return Restored(target, listed, bridge, now - at)

        restored = self._write(work)
        self._note(OperationKind.RESTORE, len(restored.entries), restored.target.label)
        return restored

    def sessions(self) -> list[SessionView]:
        """Return this session first, then the others, most recently active first."""
        self.recorder.refresh()

        def work(con: "Connection") -> list[SessionView]:
            views = [
                SessionView(row, tuple(list_snapshots(con, row.rid)), len(read_entries(con, row.rid)), row.id == self.session_id)
                for row in list_sessions(con)
            ]
            return sorted(views, key=lambda view: not view.is_current)

        return self.store.database.read(work)

    def entries(self) -> tuple[Entry, ...]:
        """Return what this session holds, oldest first."""
        self.recorder.refresh()

        def work(con: "Connection") -> tuple[Entry, ...]:
            row = find_session(con, self.session_id)
            return tuple(read_entries(con, row.rid).values()) if row else ()

        return self.store.database.read(work)

    def target(self, wanted: str = "") -> Target | None:
        """Return what an id means; without one this session, or the one to resume when this one is still empty.

        To resume is the most recently active session of this workspace that has events.

        Raises:
            InvalidArgument: `wanted` cannot be an id.
            UnknownHandle: There is nothing of this name.
        """
        self.recorder.refresh()

        def work(con: "Connection") -> Target | None:
            if wanted:
                return find_target(con, wanted)
            ours = find_session(con, self.session_id)
            if ours is not None and (ours.events or ours.origin):
                return Target(ours, None)
            return next((Target(row, None) for row in list_sessions(con) if row.events), None)

        return self.store.database.read(work)

    def outline(self, target: Target) -> Outline:
        """Return the running outline of a target's session."""
        return self.store.database.read(lambda con: decode_outline(read_outline(con, target.session.rid)))

    def summary(
        self, target: Target, budget_tokens: int, count: CountTokens, *, has_handle: Callable[[str], bool] = lambda handle: True
    ) -> Summary:
        """Return the summary of a target's session in at most `budget_tokens`."""
        return summarise(self.outline(target), budget_tokens, count, has_handle=has_handle)

    def written_summary(self, target: Target) -> WrittenSummary | None:
        """Return the summary that the client's model wrote last, if it did."""
        text, seq = self.store.database.read(lambda con: read_written(con, target.session.rid))
        return WrittenSummary(text, seq) if text else None

    def keep_written_summary(self, target: Target, text: str) -> None:
        """Store a summary that the client's model wrote, in place of the last one."""
        self._write(lambda con, now: write_written(con, target.session.rid, text, target.session.last_seq))

    def prompt_for_model(self, target: Target, count: CountTokens, *, budget_tokens: int = 3_000) -> str:
        """Return what to ask the client's model for a summary of a target's session."""
        written = self.written_summary(target)
        extract = self.summary(target, budget_tokens, count)
        return sampling_prompt(written.text if written else "", extract.text)

    def recall(self, query: str, *, limit: int = MAX_RECALLED) -> Recollection:
        """Search what this conversation has met, and remember that it was asked for."""
        self.recorder.refresh()
        found = self._recall.search(query, session_id=self.session_id, limit=limit)
        self.recorder.engage(self.session_id, list(dict.fromkeys(one.key for one in found.found)))
        tiers = ", ".join(tier.value for tier in found.tiers)
        self._note(OperationKind.RETRIEVE, len(found.found), f"tiers: {tiers}; terms: {len(found.terms)}")
        return found

    def lineage(self) -> Sequence[SessionRow]:
        """Return this session and those it was restored from."""
        return self.store.database.read(lambda con: lineage(con, self.session_id))

    def operations(self) -> tuple[Operation, ...]:
        """Return the last 100 operations, oldest first."""
        return self._history.operations()

    def statistics(self) -> HistoryStatistics:
        """Return the totals of this process."""
        return self._history.statistics()

    def shutdown(self, timeout_s: float = FLUSH_S) -> bool:
        """Flush and close within about a second; return whether everything is on disk."""
        is_flushed = self.recorder.stop(timeout_s)
        self.store.close()
        return is_flushed

    def _row(self, con: "Connection", now: float) -> SessionRow:
        return ensure_session(con, self.session_id, pid=self.store.pid, now_s=now)

    def _write(self, work: Callable[["Connection", float], _T]) -> _T:
        now = self.store.wall()
        return self.store.database.write(lambda con: work(con, now))

    def _note(self, kind: OperationKind, entries: int, details: str, *, preserved: int = 0) -> None:
        operation = Operation(kind, self.store.wall(), self.session_id, entries, details)
        self._history.add(operation, preserved=preserved)
