"""The last operations on sessions, and what they add up to (seed 004)."""

import threading
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Final

MAX_OPERATIONS: Final = 100


class OperationKind(Enum):
    """What was done."""

    CLEAR = "clear"
    RETRIEVE = "retrieve"
    SNAPSHOT = "snapshot"
    RESTORE = "restore"
    HANDOFF = "handoff"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation."""

    kind: OperationKind
    at_s: float
    """Wall clock, for display."""
    session_id: str
    entries: int
    """Entries affected."""
    details: str


@dataclass(frozen=True, slots=True)
class HistoryStatistics:
    """Totals since this process started; never negative, whatever is kept."""

    clears: int
    retrievals: int
    restores: int
    snapshots: int
    entries_preserved: int
    entries_cleared: int
    entries_retrieved: int
    last_operation_s: float | None


class History:
    """The newest 100 operations and their totals. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: deque[Operation] = deque(maxlen=MAX_OPERATIONS)
        self._counts = dict.fromkeys(OperationKind, 0)
        self._preserved = self._cleared = self._retrieved = 0

    def add(self, operation: Operation, *, preserved: int = 0) -> None:
        """Take one operation; `preserved` are the entries that a clear kept."""
        with self._lock:
            self._operations.append(operation)
            self._counts[operation.kind] += 1
            if operation.kind is OperationKind.CLEAR:
                self._preserved += preserved
                self._cleared += operation.entries
            elif operation.kind is OperationKind.RETRIEVE:
                self._retrieved += operation.entries

    def operations(self) -> tuple[Operation, ...]:
        """Return the operations, oldest first."""
        with self._lock:
            return tuple(self._operations)

    def statistics(self) -> HistoryStatistics:
        """Return the totals."""
        with self._lock:
            count = self._counts
            return HistoryStatistics(
                count[OperationKind.CLEAR],
                count[OperationKind.RETRIEVE],
                count[OperationKind.RESTORE],
                count[OperationKind.SNAPSHOT] + count[OperationKind.HANDOFF],
                self._preserved,
                self._cleared,
                self._retrieved,
                self._operations[-1].at_s if self._operations else None,
            )
