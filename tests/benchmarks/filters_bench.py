"""What filters keep and how fast they are: tokens of default answers by group of outputs, and megabytes a second by family.

Outputs are those of `tests/fixtures/filters`, and long ones made from them: the part that repeats is repeated, as in a larger
project. Speed is that of detecting, ranking and planning with the real token counter, once warm.
"""

import json
import random
import statistics
import sys
import time
from importlib import resources
from pathlib import Path

from penstock.cache.tokens import O200kCounter
from penstock.tools.filters.engine import compress_text
from penstock.tools.filters.filter import Focus

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
BLOCK_BYTES = 2_000_000


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    line = {"bench": "filters", "metric": metric, "value": round(value, 4), "unit": unit, "reference": reference}
    sys.stdout.write(json.dumps({**line, "ratio": reference and round(value / reference, 3)}) + "\n")
    sys.stdout.flush()


def grown(text: str, size: int) -> str:
    """Return about `size` bytes like `text`: its middle third repeated with other digits, its beginning and end once."""
    rng = random.Random(1)
    lines = text.split("\n")
    third = max(1, len(lines) // 3)
    head, middle, tail = lines[:third], "\n".join(lines[third : 2 * third]), lines[2 * third :]
    copies: list[str] = []
    for _ in range(max(1, (size - len(text)) // (len(middle) + 1))):
        digits = "".join(rng.sample("0123456789", 10))
        copies.append(middle.translate(str.maketrans("0123456789", digits)))
    return "\n".join([*head, *copies, *tail])


def main() -> int:
    counter = O200kCounter(lambda: resources.files("penstock.configs").joinpath("vocab/o200k_base.bin.gz").read_bytes())

    def count(text: str) -> int:
        return counter.count(text).tokens

    count("warm")
    expected = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    failed = False
    for group, (limit, prefixes) in GROUPS.items():
        ratios: list[float] = []
        missing = 0
        for name, entry in expected.items():
            if not name.startswith(tuple(prefixes.split())):
                continue
            text = (FOLDER / f"{name}.txt").read_text("utf-8")
            if count(text) < MIN_TOKENS:
                text = grown(text, PROJECT_BYTES)
            result = compress_text(text, Focus(2500, exit_code=entry["exit"], is_default=True), count)
            ratios.append(count(result.text) / count(text))
            absent = [must for must in entry["must"] if must not in result.text]
            missing += len(absent)
            if "-v" in sys.argv:
                sys.stderr.write(f"{name:36} {ratios[-1]:6.3f} {absent or ''}\n")
        report(f"{group}: median share of tokens kept, {len(ratios)} outputs", statistics.median(ratios), "ratio", limit)
        report(f"{group}: largest share", max(ratios), "ratio", 1.0)
        report(f"{group}: planted failures missing", missing, "lines")
        failed |= statistics.median(ratios) > limit or max(ratios) > 1 or missing > 0
    speeds: dict[str, float] = {}
    for name in expected:
        if name.split("/")[0] in speeds or "minified" in name:
            continue
        text = grown((FOLDER / f"{name}.txt").read_text("utf-8"), BLOCK_BYTES)
        compress_text(text[:20_000], Focus(2500), count)
        start = time.perf_counter()
        compress_text(text, Focus(2500, is_default=True), count)
        speeds[name.split("/")[0]] = len(text.encode()) / 1e6 / (time.perf_counter() - start)
    slowest = min(speeds, key=lambda family: speeds[family])
    report(f"median speed over {len(speeds)} families", statistics.median(speeds.values()), "MB/s", MIN_MB_S)
    report(f"slowest family: {slowest}", speeds[slowest], "MB/s", MIN_MB_S)
    if "-v" in sys.argv:
        for family, speed in sorted(speeds.items(), key=lambda entry: entry[1]):
            sys.stderr.write(f"{family:20} {speed:8.1f} MB/s\n")
    return int(failed or statistics.median(speeds.values()) < MIN_MB_S)


if __name__ == "__main__":
    sys.exit(main())
