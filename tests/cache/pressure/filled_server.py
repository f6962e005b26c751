"""Run as a process of its own: fill a cache with real memory, let the guard answer, print RSS before and after as JSON.

`filled_server.py MEGABYTES MODE`: MODE `ledger` charges what it allocates; `ballast` allocates memory the ledger knows nothing
of, as a neighbour inside the process would, lets it go at the end and waits for the level to fall.
"""

import json
import random
import sys

from penstock.cache.ledger import Ledger
from penstock.cache.pressure.gauge import PressureGauge
from penstock.cache.pressure.guard import MemoryGuard
from penstock.cache.pressure.levels import PressureLevel
from penstock.cache.pressure.limits import MB
from penstock.cache.pressure.orchestrator import EvictionOrchestrator
from penstock.cache.pressure.probe import SystemProbe


class RealCache:
    """Keeps real bytes and charges them; one entry in ten has derived outputs as small objects."""

    resident_bytes = 0

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._random = random.Random(7)
        self.entries: dict[int, tuple[bytes, list[bytes]]] = {}

    def fill(self, nbytes: int) -> None:
        """Store entries of 1 to 200 KB until `nbytes` are charged."""
        while self._ledger.used_bytes < nbytes:
            number = len(self.entries)
            data = self._random.randbytes(self._random.randrange(1_000, 200_000))
            outputs = [data[at : at + 60] for at in range(0, len(data), 600)] if number % 10 == 0 else []
            if not self._ledger.try_charge("content", len(data) + 100 * len(outputs)):
                return
            self.entries[number] = (data, outputs)

    def evict_to_budget(self, target_bytes: int) -> int:
        freed = 0
        while self.entries and self._ledger.used_bytes > target_bytes:
            data, outputs = self.entries.pop(next(iter(self.entries)))
            self._ledger.release("content", len(data) + 100 * len(outputs))
            freed += len(data) + 100 * len(outputs)
        return freed

    evict_probationary = evict_to_budget

    def clear(self) -> int:
        return self.evict_to_budget(0)

    def trim_outputs(self) -> int:
        return 0

    def unload(self) -> int:
        return 0

    def release_pages(self) -> None:
        """Do nothing: it maps none."""

    mapped_bytes = 0


class Clock:
    """Seconds that move by one with every look: the hold of the levels passes without waiting."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


def main(megabytes: int, mode: str) -> None:
    ledger = Ledger(megabytes * MB)
    clock = Clock()
    gauge = PressureGauge(ledger, SystemProbe(), growth_bytes=2 * megabytes * MB, clock=clock)
    cache = RealCache(ledger)
    orchestrator = EvictionOrchestrator(cache, cache, gauge, clock=clock)
    guard = MemoryGuard(gauge, relief=orchestrator.on_pressure, clock=clock)
    report: dict[str, object] = {"baseline": gauge.read().rss_bytes}
    if mode == "ledger":
        cache.fill(int(0.97 * megabytes * MB))
        report["filled"] = gauge.read().rss_bytes
        guard.after_call()
    else:
        cache.fill(megabytes * MB // 4)
        ballast = []
        # RSS alone reaches CRITICAL: the ledger stays at a quarter.
        while guard.level < PressureLevel.CRITICAL:
            ballast.append(b"\xa5" * (4 * MB))
            guard.sample()
        report["filled"] = gauge.read().rss_bytes
        report["ledger_ratio"] = ledger.used_bytes / ledger.budget_bytes
        rounds = [orchestrator.on_pressure(PressureLevel.CRITICAL) for _ in range(3)]
        report["actions"] = [each.action.name for each in rounds if each]
        report["retained"] = gauge.statistics().retained_bytes
        ballast.clear()
        levels = [guard.level]
        while guard.level > PressureLevel.NORMAL and clock.now_s < 5000:
            guard.sample()
            levels.append(guard.level)
        report["fell_to"] = guard.level.name
    report["after"] = gauge.read().rss_bytes
    report["left"] = len(cache.entries)
    report["history"] = [change.level.name for change in guard.statistics().history]
    report["retained_at_the_end"] = gauge.statistics().retained_bytes
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
