"""The session reservoir: how diffuse the answers of a session usually are.

After seed 003 (mnem-core's gap 01): per session a ring of the last 128 score entropies, whose median counts after 12
observations; a session idle for an hour is dropped by a sweep every eighth of that. Unlike the seed, a value that is not
finite is refused at the door, so the median sorts a total order, and the cap on sessions holds after every insert, not only
at sweeps. Clock and sizes are arguments.
"""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

WINDOW: Final = 128
"""Entropies kept per session: the smallest window whose median varied by less than 5 % over the seed's replays."""
WARMUP: Final = math.ceil(math.sqrt(WINDOW))
IDLE_TTL_S: Final = 3600.0
"""`WINDOW` times the 95th percentile of the gap between two queries (28 s), rounded."""
MAX_SESSIONS: Final = 10 * WINDOW


@dataclass(frozen=True, slots=True)
class ReservoirLimits:
    """Sizes of the reservoir."""

    window: int = WINDOW
    warmup: int = WARMUP
    idle_ttl_s: float = IDLE_TTL_S
    max_sessions: int = MAX_SESSIONS

    def __post_init__(self) -> None:
        for name in ("window", "warmup", "idle_ttl_s", "max_sessions"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if self.warmup > self.window:
            raise ValueError(f"warmup must be <= window, got {self.warmup} > {self.window}")

    @property
    def sweep_every_s(self) -> float:
        """Seconds between two sweeps: an idle session stays at most an eighth of its time too long."""
        return self.idle_ttl_s / 8


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep dropped and left."""

    expired: int
    active: int


@dataclass(frozen=True, slots=True)
class ReservoirStatistics:
    """The reservoir at one moment."""

    sessions: int
    calibrated: int
    """Sessions with enough observations to be judged by."""
    observations: int
    sweeps: int
    expired: int
    """Sessions dropped for being idle."""
    displaced: int
    """Sessions dropped because another came and the cap was reached."""
    idle_ttl_s: float


@dataclass(slots=True)
class _Shard:
    samples: deque[float] = field(default_factory=deque[float])
    last_seen: float = 0.0


class SessionReservoir:
    """Rolling medians per session. Thread-safe; in memory only."""

    def __init__(self, limits: ReservoirLimits = ReservoirLimits(), *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits: Final = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._shards: OrderedDict[str, _Shard] = OrderedDict()
        self._last_sweep = clock()
        self._observations = self._sweeps = self._expired = self._displaced = 0

    def __repr__(self) -> str:
        return f"<SessionReservoir {len(self._shards)} sessions>"

    def __len__(self) -> int:
        return len(self._shards)

    def observe(self, session: str, entropy: float) -> None:
        """Record one answer of a session.

        Raises:
            ValueError: The entropy is not a finite number; nothing is recorded.
        """
        if not math.isfinite(entropy):
            raise ValueError(f"entropy must be finite, got {entropy}")
        now = self._clock()
        with self._lock:
            if now - self._last_sweep >= self.limits.sweep_every_s:
                self._sweep(now)
            shard = self._shards.get(session)
            if shard is None:
                shard = self._shards[session] = _Shard(deque(maxlen=self.limits.window))
            shard.samples.append(entropy)
            shard.last_seen = now
            self._observations += 1
            self._shards.move_to_end(session)
            while len(self._shards) > self.limits.max_sessions:
                self._shards.popitem(last=False)
                self._displaced += 1

    def median(self, session: str) -> float | None:
        """Return the rolling median of a session, None while it is unknown or warming up."""
        with self._lock:
            shard = self._shards.get(session)
            if shard is None or len(shard.samples) < self.limits.warmup:
                return None
            samples = list(shard.samples)
        samples.sort()
        middle = len(samples) // 2
        return samples[middle] if len(samples) % 2 else (samples[middle - 1] + samples[middle]) / 2

    def is_warming_up(self, session: str) -> bool:
        """Whether a session has too few observations to be judged by."""
        return self.median(session) is None

    def sweep(self) -> SweepReport:
        """Drop the sessions that have been idle for longer than the limit."""
        with self._lock:
            before = len(self._shards)
            self._sweep(self._clock())
            return SweepReport(before - len(self._shards), len(self._shards))

    def _sweep(self, now: float) -> None:
        self._last_sweep = now
        self._sweeps += 1
        # In order of their last observation, so the first live one ends the sweep.
        while self._shards:
            session, shard = next(iter(self._shards.items()))
            if now - shard.last_seen <= self.limits.idle_ttl_s:
                return
            del self._shards[session]
            self._expired += 1

    def statistics(self) -> ReservoirStatistics:
        """Return the counters at this moment."""
        with self._lock:
            calibrated = sum(len(shard.samples) >= self.limits.warmup for shard in self._shards.values())
            return ReservoirStatistics(
                sessions=len(self._shards),
                calibrated=calibrated,
                observations=self._observations,
                sweeps=self._sweeps,
                expired=self._expired,
                displaced=self._displaced,
                idle_ttl_s=self.limits.idle_ttl_s,
            )
