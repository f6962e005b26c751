"""What filters keep and how fast they are: tokens of default answers by group of outputs, and megabytes a second of every output.

Outputs are those of `tests/fixtures/filters`, and long ones made from them: the part that repeats is repeated, as in a larger
project. Speed is that of detecting, ranking and planning with the real token counter, once warm.
"""

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from penstock.cache.tokens import O200kCounter
from penstock.tools.filters.engine import compress_text
from penstock.tools.filters.filter import Filtered, Focus

Expected = dict[str, dict[str, Any]]
Count = Callable[[str], int]

FOLDER = Path(__file__).parents[1] / "fixtures" / "filters"
MIN_TOKENS = 2000
"""Shorter outputs are grown to those of a project of some size."""
PROJECT_BYTES = 40_000
GROUPS = {
    "test runs": (0.12, "pytest unittest jest vitest mocha tap go_test cargo_test ctest rspec maven gradle bazel/test"),
    "git": (0.40, "git_log git_status git_diff git_show git_blame"),
    "builds": (0.40, "make ninja cmake gcc cargo_build rustc tsc docker_build"),
    "linters": (0.40, "eslint ruff mypy pyright pylint flake8"),
    "logs and data": (0.40, "log nginx systemd docker_logs json ndjson csv xml html"),
    "lists": (0.40, "ls tree find du ps grep docker_ps kubectl_get"),
}
MIN_MB_S = 20.0
MAX_RUN_MS = 150.0
RUNS = 15
BLOCK_BYTES = 2_000_000
SPEED_RUNS = 5


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    line = {"bench": "filters", "metric": metric, "value": round(value, 4), "unit": unit, "reference": reference}
    sys.stdout.write(json.dumps({**line, "ratio": reference and round(value / reference, 3)}) + "\n")
    sys.stdout.flush()


def grown(text: str, size: int, lines_repeated: tuple[int, int] | None = None) -> str:
    """Return about `size` bytes like `text`: its middle third, or the lines given, repeated with other digits."""
    rng = random.Random(1)
    lines = text.split("\n")
    first, last = lines_repeated or (len(lines) // 3, max(1, 2 * len(lines) // 3))
    head, middle, tail = lines[:first], "\n".join(lines[first:last]), lines[last:]
    copies: list[str] = []
    for _ in range(max(1, (size - len(text)) // (len(middle) + 1))):
        digits = "".join(rng.sample("0123456789", 10))
        copies.append(middle.translate(str.maketrans("0123456789", digits)))
    return "\n".join([*head, *copies, *tail])


def as_of_a_project(text: str, result: Filtered) -> str:
    """Return the output of a larger project with the same failures: more of what the result leaves out most of."""
    gaps = [(piece.end - piece.start, piece.start, piece.end) for piece in result.pieces if not piece.is_kept]
    return grown(text, PROJECT_BYTES, max(gaps)[1:]) if gaps else text


def measure_group(group: str, limit: float, prefixes: str, expected: Expected, count: Count) -> bool:
    """Report what default answers keep of a group's outputs; whether the limit holds and every planted failure survives."""
    ratios: list[float] = []
    missing = 0
    for name, entry in expected.items():
        if not name.startswith(tuple(prefixes.split())):
            continue
        text = (FOLDER / f"{name}.txt").read_text("utf-8")
        if count(text) < MIN_TOKENS:
            text = as_of_a_project(text, compress_text(text, Focus(2500, is_default=True), count))
        result = compress_text(text, Focus(2500, exit_code=entry["exit"], is_default=True), count)
        ratios.append(count(result.text) / count(text))
        absent = [must for must in entry["must"] if must not in result.text]
        missing += len(absent)
        note(f"{name:36} {ratios[-1]:6.3f} {absent or ''}")
    report(f"{group}: median share of tokens kept, {len(ratios)} outputs", statistics.median(ratios), "ratio", limit)
    report(f"{group}: largest share", max(ratios), "ratio", 1.0)
    report(f"{group}: planted failures missing", missing, "lines")
    return statistics.median(ratios) <= limit and max(ratios) <= 1 and missing == 0


def measure_speed(expected: Expected, count: Count) -> bool:
    """Report megabytes a second of processor time, every output grown to 2 MB; whether all are fast enough."""
    speeds: dict[str, float] = {}
    for name in expected:
        text = grown((FOLDER / f"{name}.txt").read_text("utf-8"), BLOCK_BYTES)
        speeds[name] = len(text.encode()) / 1e6 / min(seconds_of(text, count) for _ in range(SPEED_RUNS))
    for name, speed in sorted(speeds.items(), key=lambda entry: entry[1]):
        note(f"{name:32} {speed:8.1f} MB/s")
    slowest = min(speeds, key=lambda name: speeds[name])
    families = len({name.split("/")[0] for name in speeds})
    report(
        f"median speed over {len(speeds)} outputs of {families} families", statistics.median(speeds.values()), "MB/s", MIN_MB_S
    )
    report(f"slowest output: {slowest}", speeds[slowest], "MB/s", MIN_MB_S)
    report("outputs under 20 MB/s", sum(speed < MIN_MB_S for speed in speeds.values()), "outputs")
    return speeds[slowest] >= MIN_MB_S


def seconds_of(text: str, count: Count) -> float:
    start = time.process_time()
    compress_text(text, Focus(2500, is_default=True), count)
    return time.process_time() - start


def measure_run() -> bool:
    """Report what `penstock run -- true` takes over `true`, the median of several, interleaved; whether that is little enough."""
    extra: list[float] = []
    for _ in range(RUNS):
        bare, wrapped = (timed([*prefix, "true"]) for prefix in ((), (sys.executable, "-m", "penstock.server", "run", "--")))
        extra.append((wrapped - bare) * 1000)
    report("penstock run -- true, over true", statistics.median(extra), "ms", MAX_RUN_MS)
    return statistics.median(extra) <= MAX_RUN_MS


def timed(argv: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(argv, check=True)
    return time.perf_counter() - start


def note(line: str) -> None:
    """Say more with `-v`."""
    if "-v" in sys.argv:
        sys.stderr.write(f"{line}\n")


def main() -> int:
    counter = O200kCounter(lambda: resources.files("penstock.configs").joinpath("vocab/o200k_base.bin.gz").read_bytes())

    def count(text: str) -> int:
        return counter.count(text).tokens

    count("warm")
    expected: Expected = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    groups = [measure_group(group, limit, prefixes, expected, count) for group, (limit, prefixes) in GROUPS.items()]
    return int(not all([*groups, measure_speed(expected, count), measure_run()]))


if __name__ == "__main__":
    sys.exit(main())
