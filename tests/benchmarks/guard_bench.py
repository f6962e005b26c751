"""What the memory guard costs: one sample, one look after a call, and the running task of an idle server.

The idle share is measured as CPU time of a process that runs nothing but the guard's task, less that of one that only sleeps.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable

from penstock.cache.ledger import Ledger
from penstock.cache.pressure.gauge import PressureGauge
from penstock.cache.pressure.guard import MemoryGuard
from penstock.cache.pressure.limits import MB
from penstock.cache.pressure.probe import SystemProbe

IDLE_S = 20.0
MAX_CORE_SHARE = 0.001
IDLE = """
import sys, time, anyio
from penstock.cache.ledger import Ledger
from penstock.cache.pressure.gauge import PressureGauge
from penstock.cache.pressure.guard import MemoryGuard
from penstock.cache.pressure.probe import SystemProbe
async def main(seconds, with_guard):
    guard = MemoryGuard(PressureGauge(Ledger(1 << 28), SystemProbe()))
    async with anyio.create_task_group() as tasks:
        if with_guard:
            tasks.start_soon(guard.run)
        await anyio.sleep(0.5)
        start = time.process_time()
        await anyio.sleep(seconds)
        print(time.process_time() - start)
        tasks.cancel_scope.cancel()
anyio.run(main, float(sys.argv[1]), sys.argv[2] == "guard")
"""


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    line = {"bench": "guard", "metric": metric, "value": round(value, 6), "unit": unit, "reference": reference}
    sys.stdout.write(json.dumps({**line, "ratio": reference and round(value / reference, 3)}) + "\n")
    sys.stdout.flush()


def cpu_us(body: Callable[[], object], rounds: int) -> float:
    """Return CPU microseconds a call of `body` takes."""
    start = time.process_time()
    for _ in range(rounds):
        body()
    return (time.process_time() - start) / rounds * 1e6


def idle_share(mode: str) -> float:
    """Return the share of one core that an idle process uses."""
    done = subprocess.run([sys.executable, "-c", IDLE, str(IDLE_S), mode], stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout) / IDLE_S


def main() -> int:
    """Print the figures; 1 if the idle guard takes more than its share."""
    ledger = Ledger(256 * MB)
    gauge = PressureGauge(ledger, SystemProbe())
    guard = MemoryGuard(gauge)
    guard.sample()
    sample_us = cpu_us(guard.sample, 500)
    report("full_sample", sample_us, "us")
    report("quick_sample", cpu_us(gauge.read_quickly, 2000), "us")
    report("after_call", cpu_us(guard.after_call, 100_000), "us")
    report("big_reservation_check", cpu_us(lambda: guard.check_now(9 * MB), 2000), "us")
    bare, watched = idle_share("bare"), idle_share("guard")
    share = max(0.0, watched - bare)
    report("idle_core_share", share, "of one core", MAX_CORE_SHARE)
    report("core_share_at_1_s_polls", sample_us / 1e6, "of one core", MAX_CORE_SHARE)
    return int(share > MAX_CORE_SHARE)


if __name__ == "__main__":
    sys.exit(main())
