"""The line differ against difflib and git: time, and how many lines the diff names, on usual and on hostile inputs.

Every diff of ours is applied again and compared. Prints JSON lines; exit code 1 if one is wrong or takes over 300 ms.
"""

import difflib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from penstock.cache.delta import apply_unified, unified
from penstock.cache.lines import diff_lines

LIMIT_MS = 300.0
SLOW = {"50k repeated, 10 edits"}
"""difflib without its junk heuristic takes half a minute here; only with it is it run."""

Lines = list[bytes]


def code(rng: random.Random, count: int) -> Lines:
    """Return lines like those of code: a third are the same few."""
    common = [b"}\n", b"\n", b"    return x\n"]
    return [rng.choice(common) if rng.random() < 0.35 else b"line %d %d\n" % (at, rng.randrange(1 << 30)) for at in range(count)]


def edited(rng: random.Random, lines: Lines, edits: int) -> Lines:
    """Change, remove or insert `edits` lines."""
    new = lines[:]
    for _ in range(edits):
        at, kind = rng.randrange(len(new)), rng.random()
        if kind < 0.5:
            new[at] = b"changed %d\n" % rng.randrange(1 << 30)
        elif kind < 0.75:
            del new[at]
        else:
            new.insert(at, b"new %d\n" % rng.randrange(1 << 30))
    return new


def cases() -> dict[str, tuple[Lines, Lines]]:
    """Return the cases by name."""
    rng = random.Random(3)
    base = code(rng, 5000)
    twenty = [b"word %d\n" % at for at in range(20)]
    shuffled = base[:]
    rng.shuffle(shuffled)
    return {
        "5k lines, 1 edit": (base, edited(rng, base, 1)),
        "5k lines, 10 edits": (base, edited(rng, base, 10)),
        "5k lines, 500 edits": (base, edited(rng, base, 500)),
        "5k lines, 2500 edits": (base, edited(rng, base, 2500)),
        "5k identical lines, 10 less": ([b"}\n"] * 5000, [b"}\n"] * 4990),
        "5k drawn from 20 lines": ([rng.choice(twenty) for _ in range(5000)], [rng.choice(twenty) for _ in range(5000)]),
        "5k totally different": ([b"a%d\n" % at for at in range(5000)], [b"b%d\n" % at for at in range(5000)]),
        "5k shuffled": (base, shuffled),
        "50k repeated, 10 edits": (base * 10, edited(rng, base * 10, 10)),
    }


def timed(work: Callable[[], int], runs: int = 3) -> tuple[float, int]:
    """Return the best time in ms and the result."""
    best, result = float("inf"), 0
    for _ in range(runs):
        start = time.perf_counter()
        result = work()
        best = min(best, (time.perf_counter() - start) * 1000)
    return best, result


def ours(old: Lines, new: Lines) -> int:
    return sum(c.old_end - c.old_start + c.new_end - c.new_start for c in diff_lines(old, new))


def with_difflib(old: Lines, new: Lines, *, autojunk: bool) -> int:
    """`autojunk` takes lines that make up more than a hundredth for noise: quick, and not minimal."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=autojunk)
    return sum(i2 - i1 + j2 - j1 for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal")


def with_git(old: Path, new: Path) -> int:
    found = subprocess.run(["git", "diff", "--no-index", "--numstat", str(old), str(new)], capture_output=True, check=False)
    added, removed = found.stdout.split()[:2] if found.stdout else (b"0", b"0")
    return int(added) + int(removed)


def report(metric: str, case: str, value: float, unit: str, reference: float | None = None) -> None:
    row: dict[str, str | float] = {"bench": "differ", "metric": metric, "case": case, "value": round(value, 2), "unit": unit}
    print(json.dumps(row if reference is None else {**row, "reference": round(reference, 2)}), flush=True)


def main() -> int:
    """Print the figures; 1 if a diff is wrong or too slow."""
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name, (old, new) in cases().items():
            before, after = b"".join(old), b"".join(new)
            paths = Path(folder, "old"), Path(folder, "new")
            paths[0].write_bytes(before)
            paths[1].write_bytes(after)
            ms, lines = timed(lambda old=old, new=new: ours(old, new))
            git_ms, git_lines = timed(lambda paths=paths: with_git(*paths))
            report("ms", name, ms, "ms", git_ms)
            report("lines", name, lines, "lines", git_lines)
            for autojunk in (True,) if name in SLOW else (True, False):
                reference = "difflib" if autojunk else "difflib_without_heuristic"
                its_ms, its_lines = timed(
                    lambda old=old, new=new, autojunk=autojunk: with_difflib(old, new, autojunk=autojunk), runs=1
                )
                report(f"ms_against_{reference}", name, ms, "ms", its_ms)
                report(f"lines_against_{reference}", name, lines, "lines", its_lines)
            start = time.perf_counter()
            diff = unified(before, after)
            report("unified_ms", name, (time.perf_counter() - start) * 1000, "ms")
            failed |= diff is None or apply_unified(before, diff) != after or ms > LIMIT_MS
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
