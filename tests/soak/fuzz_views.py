"""Fuzz the views: any bytes under any name must give an outline and views, in time, without a crash.

Samples of `tests/tools/samples` are mutated at random; with `atheris` installed (`pip install atheris`, where it has a wheel)
half of the time the input is guided by coverage. `FUZZ_MINUTES` (default 10) bounds these, `FUZZ_SEED` varies them. Besides,
hypothesis checks what every view promises on 10,000 texts. Inputs run in children that are replaced as the server replaces its
own: when they have grown, for tree-sitter keeps the stacks of a parse that was ended early.
"""

import importlib
import importlib.util
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.cache.pressure.probe import SystemProbe
from penstock.cache.worker import WorkerLimits
from penstock.tools.languages import compact, outline
from penstock.tools.views.dense import dense_view
from penstock.tools.views.focus import focus_view
from penstock.tools.views.map import map_view
from penstock.tools.views.outline import outline_view
from penstock.tools.views.view import has_marks, split_lines
from tests.soak._view_promises import BUDGETS, NAMES, SAMPLES, TEXTS, check_views, words

MAX_SECONDS = 2.0
PROPERTY_CASES = 10_000
REPLACED = 90
"""Exit code of a child that has grown."""


def check(data: bytes) -> float:
    """Run every view over one input and return the seconds of the slowest; raises if a promise is broken."""
    name = SAMPLES[data[0] % len(SAMPLES)].name.removesuffix(".sample") if data else "a.py"
    body = data[1:]
    slowest = 0.0
    start = time.monotonic()
    found = outline(name, body, True)
    slowest = max(slowest, time.monotonic() - start)
    fallback = found.fallback or ""
    assert not fallback.startswith("the outline of"), fallback
    assert all(1 <= one.start_line <= one.end_line <= max(1, found.total_lines) for one in found.definitions)
    start = time.monotonic()
    compacted = compact(name, body)
    slowest = max(slowest, time.monotonic() - start)
    assert not compacted.unchanged.startswith("reading its syntax failed"), compacted.unchanged
    assert len(compacted.text) <= len(body) or body[:2] in {b"\xff\xfe", b"\xfe\xff"}
    text = body.decode("utf-8", "replace")
    total = len(split_lines(text))
    start = time.monotonic()
    views = [
        outline_view(found, words, budget=60),
        map_view(found, words, budget=60),
        focus_view(text, "area scale", words, budget=40, definitions=found.definitions),
        dense_view(text, words, budget=40, definitions=found.definitions),
    ]
    slowest = max(slowest, time.monotonic() - start)
    for view in views[2:]:
        assert view.kept_lines + sum(last - first + 1 for first, last in view.omitted) == total
        assert words(view.body) <= 40 or not view.is_lossy
        assert len(view.body) <= len(text)
        assert bool(view.kept and view.omitted) <= has_marks(view.body)
    assert slowest <= MAX_SECONDS, f"{slowest:.1f} s for {name}, {len(body)} bytes"
    return slowest


def mutated(random_source: random.Random) -> bytes:
    """Return a sample with pieces cut, repeated, swapped with another sample's, or overwritten."""
    at = random_source.randrange(len(SAMPLES))
    body = bytearray(SAMPLES[at].read_bytes())
    other = SAMPLES[random_source.randrange(len(SAMPLES))].read_bytes()
    for _ in range(random_source.randrange(1, 8)):
        first = random_source.randrange(len(body) + 1)
        last = min(len(body), first + random_source.randrange(60))
        piece = random_source.choice(
            [b"", bytes(body[first:last]) * random_source.randrange(40), other[first : last + 20], random_source.randbytes(8)]
        )
        body[first:last] = piece
    return bytes([at]) + bytes(body[:100_000])


def run_random(minutes: float, seed: int) -> tuple[int, float]:
    """Check mutated samples until the time is over; return how many and the slowest seconds."""
    source = random.Random(seed)
    end = time.monotonic() + minutes * 60
    runs, slowest = 0, 0.0
    while time.monotonic() < end:
        data = mutated(source)
        try:
            slowest = max(slowest, check(data))
        except BaseException:
            Path("fuzz_views_failure.bin").write_bytes(data)
            raise
        runs += 1
    return runs, slowest


def run_guided(minutes: float) -> tuple[int, int]:
    """Fuzz with atheris in child processes (it ends the process it runs in); return how many inputs ran, in how many children."""
    end = time.monotonic() + minutes * 60
    runs, children = 0, 0
    with tempfile.TemporaryDirectory(prefix="fuzz-views-") as folder:
        for at, sample in enumerate(SAMPLES):
            (Path(folder) / sample.name).write_bytes(bytes([at]) + sample.read_bytes())
        while (left_s := int(end - time.monotonic())) > 0:
            command = [sys.executable, "-m", "tests.soak.fuzz_views", "--guided", str(left_s), folder]
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
            finished = re.findall(r"^(?:Done|Replaced after) (\d+) runs", done.stderr, re.MULTILINE)
            if done.returncode not in (0, REPLACED) or not finished:
                raise AssertionError(done.stderr[-4_000:])
            runs, children = runs + int(finished[-1]), children + 1
    return runs, children


def fuzz_guided(seconds: int, folder: str) -> None:
    """Run atheris here; does not return. What it has learnt so far is in the folder."""
    atheris = importlib.import_module("atheris")
    atheris.instrument_all()
    probe, runs = SystemProbe(), 0
    most = probe.rss_bytes() + WorkerLimits().retire_bytes

    def check_one(data: bytes) -> None:
        nonlocal runs
        check(data)
        runs += 1
        if probe.rss_bytes() > most:
            os.write(2, f"Replaced after {runs} runs\n".encode())
            os._exit(REPLACED)

    limits = [f"-max_total_time={seconds}", "-max_len=20000", f"-timeout={int(MAX_SECONDS * 5)}"]
    atheris.Setup([sys.argv[0], *limits, folder], check_one)
    atheris.Fuzz()


def run_properties(cases: int) -> int:
    """Check the promises of views on so many texts that hypothesis makes up; return how many it ran."""
    ran = 0

    @settings(max_examples=cases, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(NAMES, TEXTS, st.text(max_size=20), BUDGETS)
    def run(name: str, text: str, query: str, budget: int) -> None:
        nonlocal ran
        check_views(name, text, query, budget)
        ran += 1

    run()
    return ran


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    line = {"soak": "fuzz_views", "metric": metric, "value": round(value, 3), "unit": unit, "reference": reference}
    sys.stdout.write(json.dumps(line) + "\n")


def main() -> int:
    """Fuzz for `FUZZ_MINUTES`, half of it guided where atheris is installed, and report."""
    if sys.argv[1:2] == ["--guided"]:
        fuzz_guided(int(sys.argv[2]), sys.argv[3])
    minutes = float(os.environ.get("FUZZ_MINUTES", "10"))
    is_guided = importlib.util.find_spec("atheris") is not None
    if is_guided:
        guided, children = run_guided(minutes / 2)
        report("guided_inputs_without_failure", guided, f"inputs, in {children} children")
    runs, slowest = run_random(minutes / 2 if is_guided else minutes, seed=int(os.environ.get("FUZZ_SEED", "1")))
    report("promises_kept_on_texts", run_properties(PROPERTY_CASES), "texts", PROPERTY_CASES)
    report("mutated_inputs_without_failure", runs, "inputs")
    report("slowest_view", slowest, "s", MAX_SECONDS)
    report("minutes", minutes, "min")
    return 0


if __name__ == "__main__":
    sys.exit(main())
