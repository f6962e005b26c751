"""A file of 5,000 lines is read again after one of them changed: what the diff costs, in tokens and in time, over stdio.

The real server is spoken to as Claude Code does, whose answers hold such a file whole; a shorter one gets the file in pages,
and no receipt for all of it. Every answer is applied to the version before it and compared with the file. Prints JSON lines;
exit code 1 if an answer is no diff, does not apply, or costs more than the limits.
"""

import json
import random
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from penstock.cache.delta import apply_unified
from penstock.server.vocabulary import vocabulary
from tests.benchmarks.startup import Probe

LINES = 5000
ROUNDS = 25
MAX_SHARE = 3.0
"""Percent of the file's tokens."""
MAX_MS = 30.0
COMMON = ["end", "else", "pass", "return", "break", "begin", "next item", "x = y", "}", "", "else if", "stop here"]


def first_version(rng: random.Random) -> list[str]:
    """Return short lines, few of them unlike the others: the hard case for a differ."""
    return [f"{rng.choice(COMMON)}\n" for _ in range(LINES)]


def read(probe: Probe, **arguments: object) -> tuple[float, str, str]:
    """Return the milliseconds, the answer's text, and the receipt that it ends with."""
    start = time.perf_counter()
    answer = probe.ask("tools/call", {"name": "read", "arguments": {"path": "big.txt", **arguments}})
    elapsed = (time.perf_counter() - start) * 1000
    blocks = answer["result"]["content"]
    assert isinstance(blocks, list)
    text = str(blocks[0]["text"])
    found = re.search(r"receipt (r\d+-[0-9a-f]{4})$", text.rstrip())
    return elapsed, text, found[1] if found else ""


def body_of(text: str) -> str:
    """Return an answer without its first and last line."""
    return text.split("\n", 1)[1].rstrip("\n").rsplit("\n", 1)[0] + "\n"


def report(metric: str, value: float, unit: str, reference: float) -> None:
    row = {"bench": "reread", "metric": metric, "value": round(value, 3), "unit": unit, "reference": round(reference, 3)}
    print(json.dumps(row), flush=True)


def main() -> int:
    """Print the figures; 1 if a promise broke."""
    rng, counter = random.Random(7), vocabulary()
    diff_ms: list[float] = []
    full_ms: list[float] = []
    tokens: list[int] = []
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "root", "big.txt")
        file.parent.mkdir()
        lines = first_version(rng)
        file.write_text("".join(lines))
        serve = ["-m", "penstock.server", "serve", "--root", str(file.parent), "--data-dir", str(Path(folder, "data"))]
        probe = Probe([sys.executable, *serve])
        try:
            probe.list_tools("claude-code")
            _, text, receipt = read(probe, view="full")
            all_tokens = counter.count(file.read_text()).tokens
            for number in range(ROUNDS):
                before = file.read_bytes()
                lines[rng.randrange(LINES)] = f"changed {number}\n"
                file.write_text("".join(lines))
                elapsed, text, following = read(probe, have=receipt)
                wrong += apply_unified(before, body_of(text)) != file.read_bytes()
                tokens.append(counter.count(text).tokens)
                diff_ms.append(elapsed)
                elapsed, _, receipt = read(probe, view="full", fresh=True)
                full_ms.append(elapsed)
                receipt = following or receipt
        finally:
            probe.close()
    share = 100 * max(tokens) / all_tokens
    report("changed_line_tokens", statistics.median(tokens), "tokens", all_tokens)
    report("changed_line_share", share, "% of the file's tokens", MAX_SHARE)
    report("changed_line_ms", statistics.median(diff_ms), "ms", MAX_MS)
    report("changed_line_ms_against_full", statistics.median(diff_ms), "ms", statistics.median(full_ms))
    report("wrong_diffs", wrong, "answers", 0)
    return int(wrong > 0 or share > MAX_SHARE or statistics.median(diff_ms) > MAX_MS)


if __name__ == "__main__":
    sys.exit(main())
