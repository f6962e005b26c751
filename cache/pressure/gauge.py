"""The pressure gauge: one place that turns the ledger and the probe into p.

Holds what a reading depends on: the start-up baseline, the fixed costs added to it (vocabulary, modules), the bytes the
allocator is known to retain, and the last stall and throttle counters. Decides nothing about actions.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ..deadline import Clock
from ..ledger import Ledger
from .levels import ENTER_RATIO, PressureLevel
from .limits import (
    GROWTH_BYTES,
    SCARCE_SHARE,
    STALL_RATIO,
    EffectiveLimit,
    RssLimit,
    plan_rss_limit,
    retained_cap,
)
from .probe import MemoryProbe, MemorySample
from .reading import Driver, PressureReading

logger = logging.getLogger(__name__)

LIMIT_TTL_S: Final = 30.0
"""An orchestrator may change a container's limit while it runs; nobody does so more often than this."""
MAX_FIXED_BYTES: Final = 48 * 1024 * 1024
"""numpy takes 10 to 30 MB, depending on its build."""
STALL_WINDOW_S: Final = 1.0
UNKNOWN: Final = EffectiveLimit(0, "unknown")


@dataclass(frozen=True, slots=True)
class GaugeStatistics:
    """What readings are computed from, in bytes."""

    budget_bytes: int
    limit: RssLimit
    effective_limit: EffectiveLimit
    fixed_bytes: Mapping[str, int]
    retained_bytes: int
    probe_failures: int


class PressureGauge:
    """Reads p. Thread-safe; the probe is asked outside the lock."""

    def __init__(
        self,
        ledger: Ledger,
        probe: MemoryProbe,
        *,
        growth_bytes: int = GROWTH_BYTES,
        baseline_bytes: int | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._ledger: Final = ledger
        self._probe: Final = probe
        self._growth_bytes: Final = growth_bytes
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._failures = 0
        self._is_failing = False
        self._sample = MemorySample(0)
        self._alarm: tuple[Driver, str] | None = None
        self._stall_anchor: tuple[float, int] | None = None
        self._is_stalled = False
        self._throttles: int | None = None
        self._fixed: dict[str, int] = {}
        self._retained = 0
        self._effective = UNKNOWN
        self._effective_at_s = float("-inf")
        self._measured_baseline = 0
        self._limit = plan_rss_limit(0, 4 * growth_bytes, growth_bytes=growth_bytes)
        self.measure_baseline(baseline_bytes)

    def __repr__(self) -> str:
        return f"<PressureGauge budget {self._ledger.budget_bytes}, L {self._limit.limit_bytes} bytes>"

    @property
    def ledger(self) -> Ledger:
        """The ledger whose ratio this gauge reads."""
        return self._ledger

    def measure_baseline(self, baseline_bytes: int | None = None) -> int:
        """Take the present RSS less the ledger's charges (or `baseline_bytes`) as what the empty server occupies.

        Call it once more at the end of the start-up. Returns the baseline in bytes.
        """
        self._refresh(full=True)
        with self._lock:
            measured = max(0, self._sample.rss_bytes - self._ledger.used_bytes)
            self._measured_baseline = measured if baseline_bytes is None else baseline_bytes
            self._fixed.clear()
            self._retained = 0
            self._replan()
            return self._measured_baseline

    def add_fixed(self, name: str, nbytes: int) -> None:
        """Count `nbytes` that no eviction can give back (a loaded vocabulary, imported modules) as baseline.

        The same name again replaces the earlier number.

        Raises:
            ValueError: If `nbytes` is negative.
        """
        if nbytes < 0:
            raise ValueError(f"nbytes must be >= 0, got {nbytes}")
        with self._lock:
            self._fixed[name] = nbytes
            self._replan()

    def load_fixed(self, name: str, load: Callable[[], object]) -> None:
        """Run `load`, which imports what stays, and count what RSS grows by as baseline; once per name.

        What other threads allocate meanwhile is counted with it, so at most `MAX_FIXED_BYTES` are.
        """
        if name in self._fixed:
            return
        self._refresh(full=False)
        before = self._sample.rss_bytes
        load()
        self._refresh(full=False)
        self.add_fixed(name, min(MAX_FIXED_BYTES, max(0, self._sample.rss_bytes - before)))

    def read(self) -> PressureReading:
        """Sample everything and return the pressure; if the probe fails, its last sample stands."""
        self._refresh(full=True)
        return self._reading()

    def read_quickly(self) -> PressureReading:
        """Sample RSS and the ledger only (about 15 µs); alarms stay as the last full reading left them."""
        self._refresh(full=False)
        return self._reading()

    def excuse_retained(self) -> int:
        """Take the bytes that neither the baseline nor the ledger explains as retained by the allocator.

        They no longer count towards p, up to `retained_cap`. The excuse shrinks by itself when RSS falls or the
        ledger fills the retained memory again. Returns the bytes now excused.
        """
        with self._lock:
            unexplained = self._unexplained()
            effective = self._effective.limit_bytes or 4 * self._limit.limit_bytes
            self._retained = max(0, min(unexplained, retained_cap(self._limit, effective)))
            return self._retained

    def statistics(self) -> GaugeStatistics:
        """Return the limits and what was learned about this process."""
        with self._lock:
            return GaugeStatistics(
                self._ledger.budget_bytes, self._limit, self._effective, dict(self._fixed), self._retained, self._failures
            )

    def _refresh(self, *, full: bool) -> None:
        """Ask the probe, and keep what it says."""
        now = self._clock()
        try:
            if full:
                sample = self._probe.sample()
                effective = self._probe.effective_limit() if now - self._effective_at_s >= LIMIT_TTL_S else None
            else:
                sample, effective = replace(self._sample, rss_bytes=self._probe.rss_bytes()), None
        except Exception:  # boundary: the probe is the operating system; without it the ledger still rules
            self._failures += 1
            if not self._is_failing:
                self._is_failing = True
                logger.warning("memory cannot be measured; pressure follows the ledger until it can", exc_info=True)
            return
        self._is_failing = False
        with self._lock:
            self._sample = sample
            if effective is not None:
                self._effective, self._effective_at_s = effective, now
                self._replan()
            if full:
                self._alarm = self._alarm_of(sample, now)
            self._retained = min(self._retained, self._unexplained())

    def _replan(self) -> None:
        baseline = self._measured_baseline + sum(self._fixed.values())
        effective = self._effective.limit_bytes or 2 * (baseline + self._growth_bytes)
        # A baseline above the limit is a limit that does not bind (RSS would have been refused): leave a token room.
        effective = max(effective, baseline + 2)
        self._limit = plan_rss_limit(baseline, effective, growth_bytes=self._growth_bytes)

    def _unexplained(self) -> int:
        return max(0, self._sample.rss_bytes - self._limit.baseline_bytes - self._ledger.used_bytes)

    def _alarm_of(self, sample: MemorySample, now_s: float) -> tuple[Driver, str] | None:
        """Return what, besides the ledger and RSS, makes the situation critical."""
        throttles, self._throttles = self._throttles, sample.throttles
        self._watch_stalls(sample, now_s)
        available = sample.available_bytes
        if available is not None and available < SCARCE_SHARE * self._effective.limit_bytes:
            return Driver.SCARCE, f"{sample.available_source}: {available} bytes left"
        # Page cache alone also hits memory.high on a workspace larger than the container; that is no pressure.
        if sample.is_tight and throttles is not None and (sample.throttles or 0) > throttles:
            return Driver.THROTTLE, sample.available_source
        if self._is_stalled:
            return Driver.STALL, "PSI some"
        return None

    def _watch_stalls(self, sample: MemorySample, now_s: float) -> None:
        """Judge the share of time stalled over windows of at least `STALL_WINDOW_S`."""
        if sample.stall_us is None:
            self._stall_anchor, self._is_stalled = None, False
            return
        if self._stall_anchor is None:
            self._stall_anchor = (now_s, sample.stall_us)
            return
        since_s, since_us = self._stall_anchor
        if now_s - since_s >= STALL_WINDOW_S:
            self._is_stalled = (sample.stall_us - since_us) / 1e6 >= STALL_RATIO * (now_s - since_s)
            self._stall_anchor = (now_s, sample.stall_us)

    def _reading(self) -> PressureReading:
        with self._lock:
            reading = PressureReading(
                p=0.0,
                driver=Driver.LEDGER,
                ledger_bytes=self._ledger.used_bytes,
                budget_bytes=self._ledger.budget_bytes,
                rss_bytes=self._sample.rss_bytes,
                retained_bytes=self._retained,
                limit=self._limit,
                file_bytes=self._sample.file_bytes,
            )
            alarm = self._alarm
        p = max(reading.ledger_ratio, reading.rss_ratio)
        driver = Driver.RSS if reading.rss_ratio > reading.ledger_ratio else Driver.LEDGER
        if alarm is None or p >= ENTER_RATIO[PressureLevel.CRITICAL]:
            return replace(reading, p=p, driver=driver)
        return replace(reading, p=ENTER_RATIO[PressureLevel.CRITICAL], driver=alarm[0], detail=alarm[1])
