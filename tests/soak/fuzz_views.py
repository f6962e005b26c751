"""Fuzz the views: any bytes under any name must give an outline and views, in time, without a crash.

With `atheris` installed the input is guided by coverage (`pip install atheris`; a few Pythons have wheels), else it is
made by mutating the samples of `tests/tools/samples` at random. `FUZZ_MINUTES` (default 10) bounds the run.
"""

import importlib
import importlib.util
import json
import os
import random
import sys
import time
from pathlib import Path

from penstock.tools.languages import compact, outline
from penstock.tools.views.dense import dense_view
from penstock.tools.views.focus import focus_view
from penstock.tools.views.map import map_view
from penstock.tools.views.outline import outline_view
from penstock.tools.views.view import has_marks, split_lines

SAMPLES = sorted(path for path in (Path(__file__).parents[1] / "tools" / "samples").iterdir() if path.suffix != ".outline")
MAX_SECONDS = 2.0


def words(text: str) -> int:
    """Count something like tokens, quickly."""
    return len(text.split()) + text.count("\n")


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


def _check_one(data: bytes) -> None:
    check(data)


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


def main() -> int:
    """Fuzz for `FUZZ_MINUTES`; print one JSON line at the end."""
    minutes = float(os.environ.get("FUZZ_MINUTES", "10"))
    if importlib.util.find_spec("atheris") is not None and "--random" not in sys.argv:
        atheris = importlib.import_module("atheris")
        atheris.instrument_all()
        atheris.Setup([sys.argv[0], f"-max_total_time={int(minutes * 60)}", "-max_len=20000"], _check_one)
        atheris.Fuzz()  # ends the process
    runs, slowest = run_random(minutes, seed=int(os.environ.get("FUZZ_SEED", "1")))
    sys.stdout.write(
        json.dumps({"soak": "fuzz_views", "minutes": minutes, "inputs": runs, "slowest_s": round(slowest, 3)}) + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
