"""A million steps of the cache's model test: 0 stale bytes, 0 false stubs, 0 lost items, a ledger equal to the sum of entries.

`python -m tests.soak.state_machine [--steps N] [--seed S]`. Prints JSON lines; exit code 1 if a promise broke.
"""

import argparse
import json
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.cache.world import World

ROUND = 10_000
"""Steps per world; each has its own seed and begins with an empty folder."""
PROCESSES = 3 * (os.cpu_count() or 1)
"""A step waits for the disk, and for a file just written to come to rest, longer than it computes."""


def run_world(job: tuple[int, int]) -> tuple[int, int, dict[str, int], str]:
    """Return the seed, the steps that went well, what happened, and the broken promise if any."""
    seed, steps = job
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), seed)
        done = 0
        try:
            for done in range(1, steps + 1):  # noqa: B007 -- the count is the result
                world.step()
            world.check_all_handles()
            return seed, done, world.summary(), ""
        except Exception as error:  # the boundary of the run: whatever broke is the finding
            return seed, done, {}, f"seed {seed}, step {done}: {type(error).__name__}: {error}"
        finally:
            world.close()


def main() -> int:
    """Run all worlds; 1 if any promise broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=100)
    options = parser.parse_args()
    jobs = [(options.seed + number, min(ROUND, options.steps - at)) for number, at in enumerate(range(0, options.steps, ROUND))]
    start, steps, happened, broken = time.monotonic(), 0, Counter[str](), list[str]()
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        for _, done, summary, failure in pool.imap_unordered(run_world, jobs):
            steps += done
            happened.update(summary)
            broken += [failure] if failure else []
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{steps:,}/{options.steps:,} steps, {len(broken)} broken ")
    emit("steps", steps, "steps", options.steps)
    emit("seconds", round(time.monotonic() - start, 1), "s")
    for what, number in sorted(happened.items()):
        emit(what, number, "times")
    for failure in broken:
        emit("broken", failure, "")
    emit("broken_promises", len(broken), "promises", 0)
    return int(bool(broken) or steps < options.steps)


def emit(metric: str, value: float | str, unit: str, reference: float | None = None) -> None:
    row = {"bench": "state_machine", "metric": metric, "value": value, "unit": unit}
    print(json.dumps(row if reference is None else {**row, "reference": reference}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
