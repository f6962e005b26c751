"""Hit ratio of the session cache against LRU and a clairvoyant policy, on traces of real histories.

A trace is the order in which the commits of a repository touched its files, each with its size. Recorded ones are in
`tests/fixtures/traces`; `--repo DIR` takes another repository's history, `--record FILE --name NAME` keeps it. All three
policies refuse entries of more than a tenth of the budget. Prints JSON lines; exit code 1 if the cache is below LRU at any budget
on any trace.
"""

import argparse
import gzip
import json
import subprocess
import sys
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from penstock.cache.blocks import SIGHT_BYTES
from penstock.cache.entry import ENTRY_OVERHEAD_BYTES, SessionLimits
from penstock.cache.ledger import Ledger
from penstock.cache.session import SessionCache
from penstock.cache.workspace.values import FileKey, FileStat, SourceFile

TRACES: Final = Path(__file__).parents[1] / "fixtures" / "traces"
BUDGET_RATIOS: Final = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Budgets as shares of all files together: below, nothing is cached; above, everything is."""
OVERHEAD_BYTES: Final = ENTRY_OVERHEAD_BYTES + SIGHT_BYTES
"""What the session cache charges beside the bytes of these files; the references charge the same."""
MAX_ACCESSES: Final = 20_000
MAX_FILE_BYTES: Final = 1_000_000
MAX_ENTRY_RATIO: Final = SessionLimits().max_entry_ratio


@dataclass(frozen=True)
class Trace:
    """Accesses as indices into `sizes`."""

    name: str
    sizes: Sequence[int]
    accesses: Sequence[int]

    @property
    def total_bytes(self) -> int:
        return sum(self.sizes) + OVERHEAD_BYTES * len(self.sizes)


def trace_of(repository: Path) -> Trace:
    """Return the newest accesses in the history of a git repository."""
    git = ("git", "-C", str(repository))
    log = subprocess.run(
        [*git, "log", "--no-merges", "--reverse", "--raw", "--no-abbrev", "--no-renames", "-z", "--format="],
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    touched = [(log[at].split()[3], log[at + 1]) for at in range(0, len(log) - 1, 2) if log[at].strip().startswith(b":")]
    touched = [(blob, path) for blob, path in touched if blob.strip(b"0")][-MAX_ACCESSES:]
    wanted = b"\n".join({blob for blob, _ in touched})
    check = subprocess.run(
        [*git, "cat-file", "--batch-check=%(objectname) %(objectsize)"], input=wanted, capture_output=True, check=True
    )
    size_of = {line.split()[0]: int(line.split()[1]) for line in check.stdout.splitlines() if line.split()[1].isdigit()}
    index: dict[bytes, int] = {}
    sizes: dict[int, int] = {}
    accesses: list[int] = []
    for blob, path in touched:
        size = size_of.get(blob, MAX_FILE_BYTES)
        if size < MAX_FILE_BYTES:
            number = index.setdefault(path, len(index))
            sizes[number] = size
            accesses.append(number)
    return Trace(repository.resolve().name, [sizes[number] for number in range(len(index))], accesses)


def load(path: Path) -> Trace:
    """Read a recorded trace."""
    raw = json.loads(gzip.decompress(path.read_bytes()))
    return Trace(raw["name"], raw["sizes"], raw["accesses"])


def record(trace: Trace, path: Path) -> None:
    """Write a trace; the same trace gives the same bytes."""
    text = json.dumps({"name": trace.name, "sizes": trace.sizes, "accesses": trace.accesses}, separators=(",", ":"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def hits_of_session(trace: Trace, budget: int) -> int:
    """Count the hits of the real cache."""
    ledger = Ledger(budget)
    session = SessionCache(ledger)
    ledger.add_reclaimer(session.reclaim)
    files = [
        SourceFile(
            str(number), FileKey(1, number, str(number)), FileStat(1, number, size, 0, 0, 0), b" " * size, f"{number:064x}"
        )
        for number, size in enumerate(trace.sizes)
    ]
    for number in trace.accesses:
        session.store(files[number])
    return session.statistics().hits


def hits_of_lru(trace: Trace, budget: int) -> int:
    """Count the hits of plain LRU by weight."""
    cached: OrderedDict[int, int] = OrderedDict()
    used = hits = 0
    for number in trace.accesses:
        if number in cached:
            hits += 1
            cached.move_to_end(number)
            continue
        weight = trace.sizes[number] + OVERHEAD_BYTES
        if weight > budget * MAX_ENTRY_RATIO:
            continue
        while used + weight > budget:
            used -= cached.popitem(last=False)[1]
        cached[number] = weight
        used += weight
    return hits


def hits_of_clairvoyant(trace: Trace, budget: int) -> int:
    """Count the hits of evicting what is needed last (Belady 1966), which may refuse a newcomer that is needed even later."""
    never = len(trace.accesses)
    following = [never] * never
    last: dict[int, int] = {}
    for at in range(never - 1, -1, -1):
        following[at] = last.get(trace.accesses[at], never)
        last[trace.accesses[at]] = at
    by_need: list[tuple[int, int]] = []
    needed: dict[int, int] = {}
    used = hits = 0
    for at, number in enumerate(trace.accesses):
        weight = trace.sizes[number] + OVERHEAD_BYTES
        if number in needed:
            hits += 1
            del by_need[bisect_left(by_need, (needed[number], number))]
        elif weight > budget * MAX_ENTRY_RATIO:
            continue
        else:
            used += weight
        needed[number] = following[at]
        insort(by_need, (following[at], number))
        while used > budget:
            _, victim = by_need.pop()
            del needed[victim]
            used -= trace.sizes[victim] + OVERHEAD_BYTES
    return hits


def measure(trace: Trace, ratios: Iterable[float] = BUDGET_RATIOS) -> list[dict[str, float | str]]:
    """Return one row per budget, the hit ratios in percent."""
    rows: list[dict[str, float | str]] = []
    for ratio in ratios:
        budget = int(trace.total_bytes * ratio)
        percent = [
            100 * policy(trace, budget) / len(trace.accesses) for policy in (hits_of_session, hits_of_lru, hits_of_clairvoyant)
        ]
        session, lru, clairvoyant = (round(value, 2) for value in percent)
        rows.append(
            {"trace": trace.name, "budget_percent": 100 * ratio, "session": session, "lru": lru, "clairvoyant": clairvoyant}
        )
    return rows


def is_below_lru(rows: Sequence[dict[str, float | str]]) -> bool:
    """Whether any row breaks the promise."""
    return any(float(row["session"]) < float(row["lru"]) for row in rows)


def main() -> int:
    """Print the rows; 1 if the cache is below LRU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repo", type=Path, action="append", default=[])
    parser.add_argument("--record", type=Path)
    parser.add_argument("--name", default="")
    options = parser.parse_args()
    traces = [trace_of(repository) for repository in options.repo] or [load(path) for path in sorted(TRACES.glob("*.json.gz"))]
    if options.record:
        record(replace(traces[0], name=options.name or traces[0].name), options.record)
        return 0
    is_below = False
    for trace in traces:
        rows = measure(trace)
        is_below |= is_below_lru(rows)
        for row in rows:
            value = {"bench": "hit_ratio", "metric": "session", "value": row["session"], "unit": "%", "reference": row["lru"]}
            where = {name: row[name] for name in ("clairvoyant", "trace", "budget_percent")}
            print(json.dumps({**value, **where}), flush=True)
    return int(is_below)


if __name__ == "__main__":
    sys.exit(main())
