"""The memory guard: watches the gauge, publishes one level, and calls for relief.

`level` is one int that hot loops read without a lock. Three ways lead to a sample: the task `run` (5 s, 1 s under
pressure, 15 s when calm), `after_call` once a tool call has moved the ledger across a mark, and `check_now` before a big
reservation. The guard never dies: a failure is logged once, and the next sample is taken as if nothing had happened.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import anyio
import anyio.to_thread
from anyio.from_thread import BlockingPortal

from ..deadline import Clock
from ..errors import UnderPressure
from .board import BoardStatistics, LevelBoard
from .gauge import PressureGauge
from .levels import PressureLevel, level_of
from .limits import GIVE_BACK_BYTES
from .reading import PressureReading

logger = logging.getLogger(__name__)

Relief = Callable[[PressureLevel], object]
"""Answers pressure, off the event loop: `EvictionOrchestrator.on_pressure`.

Called with NORMAL once pressure is over, and when RSS is far above what is accounted for: then the heap may be trimmed.
"""

BIG_RESERVATION_BYTES: Final = 8 * 1024 * 1024
HEAVY_WORK_BYTES: Final = 1024 * 1024
"""Work that touches less than this is let through even when CRITICAL: refusing it would save nothing."""


@dataclass(frozen=True, slots=True)
class PollIntervals:
    """Seconds between two samples of the task."""

    normal_s: float = 5.0
    """As Chromium's monitor; the ledger, not the poll, bounds memory."""
    pressure_s: float = 1.0
    calm_s: float = 15.0

    def __post_init__(self) -> None:
        for name in ("normal_s", "pressure_s", "calm_s"):
            if not 0 < getattr(self, name) <= 3600:
                raise ValueError(f"{name} must be in (0, 3600], got {getattr(self, name)}")


DEFAULT_POLLS: Final = PollIntervals()


@dataclass(frozen=True, slots=True)
class GuardStatistics(BoardStatistics):
    """The guard since its start."""

    failures: int
    refusals: int
    poll_s: float


class MemoryGuard:
    """Publishes the pressure level. All methods may be called from any thread."""

    def __init__(
        self,
        gauge: PressureGauge,
        *,
        relief: Relief | None = None,
        polls: PollIntervals = DEFAULT_POLLS,
        clock: Clock = time.monotonic,
    ) -> None:
        self._gauge: Final = gauge
        self._relief: Final = relief
        self._polls: Final = polls
        self._board: Final = LevelBoard(clock)
        self._failures = self._refusals = 0
        self._relieved = PressureLevel.NORMAL
        self._failing: set[str] = set()
        self._wake: Callable[[], object] | None = None

    def __repr__(self) -> str:
        return f"<MemoryGuard {self.level.name}, {self._board.statistics().changes} changes>"

    @property
    def level(self) -> PressureLevel:
        """The published level: one int, to be read as often as you like."""
        return self._board.level

    @property
    def poll_s(self) -> float:
        """Seconds until the next sample of `run`."""
        if self.level > PressureLevel.NORMAL:
            return self._polls.pressure_s
        return self._polls.calm_s if self._board.is_calm else self._polls.normal_s

    async def run(self) -> None:
        """Sample for ever. Start it in the lifespan's task group; cancelling it leaves no thread behind but a running relief."""
        limiter = anyio.CapacityLimiter(2)  # its own: a full tool pool must not blind the guard
        async with BlockingPortal() as portal, anyio.create_task_group() as tasks:
            woken = anyio.Event()

            def wake() -> None:
                woken.set()

            self._wake = partial(portal.start_task_soon, wake)
            try:
                while True:
                    if await self._in_thread(self._watch, limiter):
                        tasks.start_soon(self._in_thread, self._relieve, limiter)
                    with anyio.move_on_after(self.poll_s):
                        await woken.wait()
                    woken = anyio.Event()
            finally:
                self._wake = None

    async def _in_thread(self, body: Callable[[], bool | None], limiter: anyio.CapacityLimiter) -> bool | None:
        """Run `body` off the event loop."""
        try:
            return await anyio.to_thread.run_sync(body, limiter=limiter, abandon_on_cancel=True)
        except Exception:  # boundary: a process at its memory limit cannot start threads; it may later
            self._note_failure("thread")
            return None

    def sample(self) -> PressureReading:
        """Take a full reading now, publish the level it leads to, and return it. Calls for no relief."""
        return self._board.publish(self._gauge.read())

    def after_call(self) -> None:
        """Note that a tool call ended: an int comparison, and a sample when the ledger has crossed a mark.

        500 calls can pass within one poll. Relief is asked of the running task; without one it happens here.
        """
        low, high = self._board.band
        if low <= self._gauge.ledger.used_bytes < high:
            return
        if self._watch(self._gauge.read_quickly):
            wake = self._wake
            if wake is None:
                self._relieve()
                return
            try:
                wake()
            except RuntimeError:  # the task ended between the two lines
                self._relieve()

    def check_now(self, reservation_bytes: int = 0) -> PressureLevel:
        """Look at memory before `reservation_bytes` are reserved, and return the level they would lead to.

        Up to 8 MB only the published level is returned. Beyond, RSS is read (15 µs), and if the reservation would lead
        to pressure, room is made before returning; a reservation alone never causes an EMERGENCY_DROP.
        """
        if reservation_bytes <= BIG_RESERVATION_BYTES:
            return self.level
        reading = self._board.publish(self._gauge.read_quickly())
        projected = self._projected(reading, reservation_bytes)
        if projected is PressureLevel.NORMAL:
            return projected
        self._call_relief(max(reading.level, min(projected, PressureLevel.HARD)))
        return self._projected(self._board.publish(self._gauge.read_quickly()), reservation_bytes)

    def admit(self, work: str, nbytes: int, *, instead: str = "") -> None:
        """Let heavy work start, or say why it may not.

        `work` names it for the message ("building the index"), `nbytes` is what it will read or allocate, `instead` is
        the call to make in its place. Work below 1 MB always starts; so do plain reads, which never ask.

        Raises:
            UnderPressure: The level is CRITICAL.
        """
        if nbytes < HEAVY_WORK_BYTES:
            return
        self.check_now(nbytes)
        if self.level is not PressureLevel.CRITICAL:
            return
        self._refusals += 1
        reading = self._board.reading
        cause = f" ({reading.driver.value}, p {reading.p:.2f})" if reading else ""
        raise UnderPressure(
            f"{work} ({nbytes:,} bytes) was not started",
            why=f"memory pressure is critical{cause}; heavy work waits, plain reads keep working",
            next_call=instead or 'read the parts you need with view="lines", or repeat this call in about 30 s',
        )

    def statistics(self) -> GuardStatistics:
        """Return the level, its history and counters."""
        board = self._board.statistics()
        return GuardStatistics(
            board.level,
            board.reading,
            board.history,
            board.changes,
            board.seen,
            board.samples,
            failures=self._failures,
            refusals=self._refusals,
            poll_s=self.poll_s,
        )

    def _watch(self, read: Callable[[], PressureReading] | None = None) -> bool:
        """Sample once; return whether relief is due. Never raises."""
        try:
            reading = self._board.publish((read or self._gauge.read)())
        except Exception:  # boundary: a guard that dies protects nothing
            self._note_failure("sample")
            return False
        self._failing.discard("sample")
        # Relief follows what p says now, not the published level: one that only lingers needs no action.
        is_over = reading.level is PressureLevel.NORMAL and self._relieved > PressureLevel.NORMAL
        return reading.level > PressureLevel.NORMAL or is_over or reading.unexplained_bytes >= GIVE_BACK_BYTES

    def _relieve(self) -> None:
        """Call for relief at the last reading's level."""
        reading = self._board.reading
        if reading is not None:
            self._call_relief(reading.level)

    def _call_relief(self, level: PressureLevel) -> None:
        self._relieved = level
        if self._relief is None:
            return
        try:
            self._relief(level)
            if level > PressureLevel.NORMAL:
                self._board.publish(self._gauge.read_quickly())
        except Exception:  # boundary: relief runs caches, stores and the index
            self._note_failure("relief")
        else:
            self._failing.discard("relief")

    def _note_failure(self, what: str) -> None:
        """Log the first failure of a burst."""
        self._failures += 1
        if what not in self._failing:
            self._failing.add(what)
            logger.exception("the memory guard failed (%s); it goes on", what)

    def _projected(self, reading: PressureReading, reservation_bytes: int) -> PressureLevel:
        """Return the level that p would stand for with the reservation made."""
        # The ledger is left out: its own reclaimers make room for the reservation.
        by_rss = (reading.growth_bytes + reservation_bytes) / reading.limit.growth_bytes
        return level_of(max(reading.p, by_rss))
