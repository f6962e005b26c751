"""Filters against 10,000 generated texts and, for FUZZ_MINUTES (default 10), mutated real outputs: no crash, none slow, no lie.

For every text: what is kept and what is counted as left out make up the whole, the result is no longer than the text and within
its budget, a second pass changes nothing, and 2 seconds are never exceeded. With `atheris` installed half of the time the input
is guided by coverage; without it the run says so and mutates at random for the whole time. `FUZZ_SEED` varies it.
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
from typing import Final

from penstock.tools.filters.engine import compress_text
from penstock.tools.filters.families import kind_names
from penstock.tools.filters.filter import Filtered, Focus
from penstock.tools.filters.planner import FLOOR_TOKENS

FOLDER: Final = Path(__file__).parents[1] / "fixtures" / "filters"
CASES: Final = 10_000
MAX_S: Final = 2.0
ALPHABET: Final = "abcXYZ019 \t\r\x1b[]{}()<>|:/\\.-_=+*#@\"'…\u2028\x0b\x0cİ😀\u0301\ud800"


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    line = {"bench": "fuzz_filters", "metric": metric, "value": round(value, 4), "unit": unit, "reference": reference}
    sys.stdout.write(json.dumps({**line, "ratio": reference and round(value / reference, 3)}) + "\n")
    sys.stdout.flush()


def rough(text: str) -> int:
    """Count like a tokenizer, cheaply."""
    return len(text) // 3 + text.count("\n") + (1 if text else 0)


class Generator:
    """Makes texts: random ones, lines of real outputs in any order, real outputs damaged."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.outputs = [path.read_text("utf-8") for path in sorted(FOLDER.rglob("*.txt")) if path.name != "how.txt"]
        self.lines = [line for output in self.outputs for line in output.split("\n")[:400]]

    def text(self) -> str:
        draw = self.rng.random()
        if draw < 0.25:
            return "".join(self.rng.choices(ALPHABET + "\n\n\n", k=self.rng.randrange(3000)))
        if draw < 0.6:
            return "\n".join(self.rng.choices(self.lines, k=self.rng.randrange(200))) + self.rng.choice(["", "\n"])
        return self.damaged(self.rng.choice(self.outputs))

    def damaged(self, text: str) -> str:
        for _ in range(self.rng.randrange(1, 8)):
            at = self.rng.randrange(len(text) + 1)
            end = min(len(text), at + self.rng.randrange(1, 400))
            match self.rng.randrange(5):
                case 0:
                    text = text[:at] + text[end:]
                case 1:
                    text = text[:at] + "".join(self.rng.choices(ALPHABET, k=9)) + text[at:]
                case 2:
                    text = text[:at] + text[at:end] * self.rng.randrange(2, 30) + text[end:]
                case 3:
                    text = text.replace("\n", self.rng.choice(["\r\n", " ", "\n\n"]), self.rng.randrange(50))
                case _:
                    text = text[:at] + text[at:end].swapcase() + text[end:]
        return text[:200_000]

    def focus(self) -> Focus:
        budget = self.rng.choice([1, 20, 33, 60, 200, 500, 2000, 20_000])
        query = self.rng.choice(["", "", "error", "planted failure", "a b c", "…"])
        return Focus(budget, query=query, exit_code=self.rng.choice([None, 0, 1]), is_default=self.rng.random() < 0.5)


def problem_of(text: str, focus: Focus, result: Filtered, kind: str | None) -> str:
    at = 0
    for piece in result.pieces:
        if piece.start != at or piece.end < piece.start:
            return "pieces do not join"
        at = piece.end
    if at != len(result.document):
        return "pieces do not cover the text"
    if not result.is_lossy and result.text != text:
        return "lossless result differs"
    if len(result.text) > len(text):
        return "longer than the text"
    if result.is_lossy and rough(result.text) > max(focus.budget, FLOOR_TOKENS):
        return "above the budget"
    if compress_text(result.text, focus, rough, kind=kind).text != result.text:
        return "a second pass changes it"
    return ""


def check_bytes(data: bytes) -> None:
    """Filter what atheris made: two bytes choose focus and kind, the others are the text; raises if a promise is broken."""
    choice = data[0] | data[1] << 8 if len(data) > 1 else 0
    kinds = [None, *kind_names()]
    kind = kinds[choice % len(kinds)]
    focus = Focus(
        (33, 60, 200, 2000)[choice % 4], query=("", "error")[choice % 2], exit_code=choice % 3, is_default=choice % 5 == 0
    )
    text = data[2:].decode("utf-8", "replace")
    start = time.process_time()
    result = compress_text(text, focus, rough, kind=kind)
    assert time.process_time() - start <= MAX_S
    problem = problem_of(text, focus, result, kind)
    assert not problem, problem


def fuzz_guided(seconds: int, folder: str) -> None:
    """Run atheris here; does not return."""
    atheris = importlib.import_module("atheris")
    atheris.instrument_all()
    limits = [f"-max_total_time={seconds}", "-max_len=20000", f"-timeout={int(MAX_S * 5)}"]
    atheris.Setup([sys.argv[0], *limits, folder], check_bytes)
    atheris.Fuzz()


def run_guided(minutes: float) -> int:
    """Fuzz with atheris in a child process (it ends the process it runs in); return how many inputs it ran."""
    with tempfile.TemporaryDirectory(prefix="fuzz-filters-") as folder:
        for number, path in enumerate(path for path in sorted(FOLDER.rglob("*.txt")) if path.name != "how.txt"):
            (Path(folder) / str(number)).write_bytes(b"\0\0" + path.read_bytes()[:20_000])
        command = [sys.executable, "-m", "tests.soak.fuzz_filters", "--guided", str(int(minutes * 60)), folder]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    finished = re.search(r"Done (\d+) runs", done.stderr)
    if done.returncode != 0 or finished is None:
        raise AssertionError(done.stderr[-4_000:])
    return int(finished[1])


def main() -> int:
    """Fuzz for `FUZZ_MINUTES`, half of it guided where atheris is installed, and report."""
    if sys.argv[1:2] == ["--guided"]:
        fuzz_guided(int(sys.argv[2]), sys.argv[3])
    seed = int(os.environ.get("FUZZ_SEED", "1"))
    minutes = float(os.environ.get("FUZZ_MINUTES", "10"))
    if importlib.util.find_spec("atheris") is not None:
        minutes /= 2
        report("inputs guided by coverage without crash or lie", run_guided(minutes), "inputs")
    else:
        report("inputs guided by coverage: none, atheris is not installed here", 0, "inputs")
    end = time.monotonic() + 60 * minutes
    generator = Generator(seed)
    slowest = 0.0
    cases = 0
    while cases < CASES or time.monotonic() < end:
        text, focus = generator.text(), generator.focus()
        kind = generator.rng.choice([None, None, *kind_names()])
        start = time.process_time()
        result = compress_text(text, focus, rough, kind=kind)
        slowest = max(slowest, time.process_time() - start)
        problem = problem_of(text, focus, result, kind)
        if problem or slowest > MAX_S:
            path = Path(f"fuzz_filters-{seed}-{cases}.txt")
            path.write_text(text, "utf-8", "surrogatepass")
            sys.stderr.write(f"case {cases}: {problem or f'{slowest:.1f} s'}: {focus} kind={kind}, text in {path}\n")
            return 1
        cases += 1
    report("texts without crash or lie", cases, "texts", CASES)
    report("slowest text", slowest * 1000, "ms", MAX_S * 1000)
    return 0


if __name__ == "__main__":
    sys.exit(main())
