"""Carries out what homeostasis decides: plan, execute, measure, report.

One round at a time; a second caller returns at once instead of waiting. No lock is held while evictors run: they spool
before they drop, which is disk I/O. When memory does not fall because the allocator keeps it, that is recognised,
excused and said, and rounds come at 1 to 60 s. Nothing here ends the process or drops a pin.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from ..deadline import Clock
from .allocator import Allocator
from .gauge import PressureGauge
from .homeostasis import Action, Decision, HomeostasisController
from .levels import PressureLevel
from .limits import GIVE_BACK_BYTES, MB
from .reading import Driver, PressureReading
from .rounds import Explanation, OrchestratorStatistics, Patience

logger = logging.getLogger(__name__)

KEPT_EXPLANATIONS: Final = 100
GIVE_BACK_STEP_BYTES: Final = 32 * MB
"""And only if there is so much more of it than the last trim left behind."""
RECYCLE_INTERVAL_S: Final = 60.0
"""A worker that is restarted more often than this does no work between restarts."""


class EvictorLike(Protocol):
    """What takes bytes out of the caches, spooling first. Returns bytes freed; may raise OSError or PenstockError.

    A target is the number of bytes that the ledger may still hold afterwards. Pinned entries always stay.
    """

    def trim_outputs(self) -> int:
        """Drop derived outputs."""
        ...

    def evict_probationary(self, target_bytes: int) -> int:
        """Evict entries read once until the ledger holds at most the target, or none is left."""
        ...

    def evict_to_budget(self, target_bytes: int) -> int:
        """Evict probationary, then protected entries until the ledger holds at most the target, or only pins are left."""
        ...

    def clear(self) -> int:
        """Evict everything that is not pinned."""
        ...


class IndexLike(Protocol):
    """A search index that can be unmapped and comes back by itself."""

    def unload(self) -> int:
        """Let go of the index; return the bytes freed, mapped ones included."""
        ...

    def release_pages(self) -> None:
        """Let go of the mapped pages but not of the maps."""
        ...

    @property
    def mapped_bytes(self) -> int:
        """Bytes of the maps, resident or not; 0 while nothing is mapped."""
        ...

    @property
    def resident_bytes(self) -> int:
        """Bytes that `unload` would free; 0 while nothing is loaded."""
        ...


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing to try; `is_always` even when the target is met without it."""

    name: str
    run: Callable[[], int]
    is_always: bool = False


class EvictionOrchestrator:
    """Answers pressure by eviction. Thread-safe and single-flight."""

    def __init__(
        self,
        evictor: EvictorLike,
        index: IndexLike,
        gauge: PressureGauge,
        *,
        allocator: Allocator | None = None,
        recycle: Callable[[], object] | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._evictor: Final = evictor
        self._index: Final = index
        self._gauge: Final = gauge
        self._clock: Final = clock
        self._allocator: Final = allocator or Allocator(clock=clock)
        self._recycle: Final = recycle
        self._controller: Final = HomeostasisController()
        self._patience: Final = Patience()
        self._lock: Final = threading.Lock()
        self._is_running = False
        self._failing: set[str] = set()
        self._recycled_at_s = float("-inf")
        self._kept_by_heap = 0
        self._rounds = self._skipped = self._failures = self._freed = 0
        self._explanations: deque[Explanation] = deque(maxlen=KEPT_EXPLANATIONS)

    def __repr__(self) -> str:
        return f"<EvictionOrchestrator {self._rounds} rounds, {self._freed} bytes freed>"

    def on_pressure(self, level: PressureLevel) -> Explanation | None:
        """Answer `level` by one round; return what was done, or None if there was nothing to do now.

        None also means: another round is running, or the last rounds gained nothing and it is too early to try again.
        Blocks for as long as spooling takes, so never call it on the event loop. Does not raise.
        """
        if level is PressureLevel.NORMAL:
            self._recover()
            self._give_back()
            return None
        if not self._begin(level):
            return None
        try:
            return self._round(level)
        finally:
            with self._lock:
                self._is_running = False

    def statistics(self) -> OrchestratorStatistics:
        """Return counters and the last explanations, oldest first."""
        with self._lock:
            return OrchestratorStatistics(
                rounds=self._rounds,
                skipped=self._skipped,
                failures=self._failures,
                freed_bytes=self._freed,
                retained_bytes=self._gauge.statistics().retained_bytes,
                backoff_s=self._patience.backoff_s,
                explanations=tuple(self._explanations),
            )

    def _begin(self, level: PressureLevel) -> bool:
        """Claim the right to run a round."""
        with self._lock:
            if self._is_running or not self._patience.is_due(level, self._clock()):
                self._skipped += 1
                return False
            self._is_running = True
            return True

    def _recover(self) -> None:
        with self._lock:
            if not self._is_running:
                self._controller.recover()
                self._patience.reset()

    def _give_back(self) -> None:
        """Trim the heap if calls and explicit evictions have left much of it unused."""
        unexplained = self._gauge.read_quickly().unexplained_bytes
        self._kept_by_heap = min(self._kept_by_heap, unexplained)
        if unexplained < max(GIVE_BACK_BYTES, self._kept_by_heap + GIVE_BACK_STEP_BYTES):
            return
        if self._allocator.release():
            self._kept_by_heap = self._gauge.read_quickly().unexplained_bytes

    def _round(self, level: PressureLevel) -> Explanation:
        """Plan, execute, give memory back, measure, report."""
        before = self._gauge.read()
        decision = self._controller.evaluate(level, before)
        done, freed = self._execute(decision)
        is_critical = decision.level is PressureLevel.CRITICAL
        was_released = self._allocator.release(is_urgent=is_critical)
        after = self._gauge.read()
        helped = freed > 0 and after.p < before.p
        self._controller.report(helped=helped)
        self._judge(decision.level, before, after, was_released=was_released)
        explanation = Explanation(
            at_s=self._clock(),
            level=decision.level,
            action=decision.action,
            is_escalated=decision.is_escalated,
            driver=before.driver,
            what=", ".join(done),
            freed_bytes=freed,
            rss_delta_bytes=after.rss_bytes - before.rss_bytes,
            p_before=before.p,
            p_after=after.p,
            retained_bytes=after.retained_bytes,
            helped=helped,
        )
        with self._lock:
            self._rounds += 1
            self._freed += freed
            self._explanations.append(explanation)
        logger.info("pressure %s: %s freed %d bytes, p %.2f", level.name, decision.action.name, freed, after.p)
        return explanation

    def _execute(self, decision: Decision) -> tuple[list[str], int]:
        """Run the action's steps, gentlest first, until the target is met; return what was done and the bytes freed."""
        done: list[str] = []
        freed = 0
        for step in self._steps(decision):
            if not step.is_always and done and self._gauge.ledger.used_bytes <= decision.target_bytes:
                break
            nbytes = self._attempt(step)
            done.append(f"{step.name} failed" if nbytes is None else f"{step.name} {nbytes:,} bytes")
            freed += nbytes or 0
        if decision.level >= PressureLevel.HARD:
            self._recycle_workers(done)
        return done, freed

    def _steps(self, decision: Decision) -> list[_Step]:
        """Return the steps of the action, with the gentler ones it includes."""
        target = decision.target_bytes
        trim = _Step("trimmed outputs", self._evictor.trim_outputs)
        pages = [_Step("released index pages", self._release_pages, is_always=True)] if self._index.mapped_bytes else []
        unload = _Step("unloaded index", self._unload, is_always=True)
        probationary = _Step("evicted probationary", lambda: self._evictor.evict_probationary(target))
        protected = _Step("evicted protected", lambda: self._evictor.evict_to_budget(target))
        drop = _Step("dropped caches", self._evictor.clear, is_always=True)
        return {
            Action.NONE: [],
            Action.TRIM_OUTPUTS: [trim, *pages],
            Action.EVICT_PROBATIONARY: [trim, *pages, probationary],
            Action.UNLOAD_INDICES: [trim, unload, probationary],
            Action.EVICT_PROTECTED: [trim, unload, probationary, protected],
            Action.EMERGENCY_DROP: [drop, unload],
        }[decision.action]

    def _release_pages(self) -> int:
        """Let go of the index's pages; return what RSS fell by: how many were resident is dear to find out otherwise."""
        before = self._gauge.read_quickly().rss_bytes
        self._index.release_pages()
        return before - self._gauge.read_quickly().rss_bytes

    def _unload(self) -> int:
        """Unload the index if there is anything to unload."""
        return self._index.unload() if self._index.resident_bytes else 0

    def _attempt(self, step: _Step) -> int | None:
        """Run one step; a failing one must not keep the others from freeing memory."""
        try:
            freed = step.run()
        except Exception:  # boundary: store and index calls; what could not be spooled is still there
            self._failures += 1
            if step.name not in self._failing:
                self._failing.add(step.name)
                logger.warning("eviction step failed: %s", step.name, exc_info=True)
            return None
        self._failing.discard(step.name)
        return max(0, freed)

    def _recycle_workers(self, done: list[str]) -> None:
        """Restart worker processes: the only sure way to get their memory back."""
        now = self._clock()
        if self._recycle is None or now - self._recycled_at_s < RECYCLE_INTERVAL_S:
            return
        self._recycled_at_s = now
        try:
            self._recycle()
        except Exception:  # boundary: a worker that cannot be restarted is the worker's problem
            self._failures += 1
            logger.warning("workers could not be recycled", exc_info=True)
            return
        done.append("recycled workers")

    def _judge(self, level: PressureLevel, before: PressureReading, after: PressureReading, *, was_released: bool) -> None:
        """Notice rounds without gain; excuse what the allocator retains once two of them gained nothing."""
        if before.driver is Driver.LEDGER:
            used, left = before.ledger_bytes, after.ledger_bytes
        elif was_released:
            used, left = before.rss_bytes, after.rss_bytes
        else:
            # Before the next trim RSS shows unmapped memory only; credit what was freed on the heap.
            on_heap = max(0, before.ledger_bytes - after.ledger_bytes)
            used, left = before.rss_bytes, min(after.rss_bytes, before.rss_bytes - on_heap)
        is_stuck = self._patience.note(level, used, left, self._clock())
        if is_stuck and was_released and before.driver is Driver.RSS:
            excused = self._gauge.excuse_retained()
            logger.info("two rounds freed nothing: %d bytes are retained by the allocator", excused)
