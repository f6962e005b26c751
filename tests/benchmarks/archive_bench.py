"""What the archive costs at 100,000 events: append, recall in one large and in one small session, summary, size on disk.

Texts are drawn from the words of Python's own standard library by Zipf's law, seeded; one event in a thousand holds a planted
passage, and recall must bring the planted passages back.
"""

import itertools
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from penstock.cache.archive.archive import SessionArchive
from penstock.cache.archive.events import EventKind, Record, ToolEvent, TouchedSpan
from penstock.cache.archive.recall import Recall
from penstock.cache.archive.recorder import Recorder
from penstock.cache.archive.store import ArchiveStore

EVENTS = 100_000
SMALL_EVENTS = 5_000
QUERIES = 300
MAX_P95_MS = 50.0
BATCH = 500


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    line = {"bench": "archive", "metric": metric, "value": round(value, 4), "unit": unit, "reference": reference}
    sys.stdout.write(json.dumps({**line, "ratio": reference and round(value / reference, 3)}) + "\n")
    sys.stdout.flush()


def vocabulary() -> list[str]:
    """Return the words of the standard library's top modules, most frequent first."""
    counts: Counter[str] = Counter()
    for path in sorted(Path(json.__file__).parent.parent.glob("*.py"))[:120]:
        counts.update(re.findall(r"[A-Za-z_]{3,30}", path.read_text(encoding="utf-8", errors="replace")))
    return [word for word, _ in counts.most_common(30_000)]


class Corpus:
    """Makes records; every thousandth holds two words that occur nowhere else."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.words = vocabulary()
        self.weights = list(itertools.accumulate(1 / (rank + 2) for rank in range(len(self.words))))
        self.planted: list[str] = []
        self.seed = seed

    def text(self, length: int) -> str:
        words = self.rng.choices(self.words, cum_weights=self.weights, k=length)
        return "\n".join(" ".join(words[at : at + 9]) for at in range(0, length, 9))

    def record(self, number: int) -> Record:
        path = f"src/part{number % 400}/module{number % 3_000}.py"
        text = self.text(70)
        if number % 1_000 == 7:
            passage = f"quorum{self.seed}x{number} settles lease{number * 7 + self.seed}"
            self.planted.append(passage)
            text = f"{text}\n{passage}\n{self.text(30)}"
        first = number % 900 + 1
        span = (TouchedSpan(path, (first, first + 40)),)
        return Record(EventKind.READ, "read", f"{path} lines={first}-{first + 40}", text, (f"h{number:012x}",), span, 400)


def fill(store: ArchiveStore, session_id: str, corpus: Corpus, events: int) -> float:
    start = time.perf_counter()
    for at in range(0, events, BATCH):
        store.append(session_id, [corpus.record(number) for number in range(at, min(at + BATCH, events))])
    return time.perf_counter() - start


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(name: str, recall: Recall, session_id: str, corpus: Corpus) -> float:
    """Time mixed queries (planted, zipfian, common words) and return their 95th percentile in milliseconds."""
    rng = random.Random(5)
    times: list[float] = []
    found = 0
    planted = rng.sample(corpus.planted, min(50, len(corpus.planted)))
    for number in range(QUERIES):
        if number % 3 == 0:
            query = planted[number // 3 % len(planted)]
        elif number % 3 == 1:
            query = " ".join(rng.choices(corpus.words, cum_weights=corpus.weights, k=5))
        else:
            query = " ".join(rng.sample(corpus.words[:20], 4))
        result = recall.search(query, session_id=session_id)
        times.append(result.elapsed_ms)
        if number % 3 == 0:
            found += any(query in one.text for one in result.found[:5])
    share = found / (QUERIES / 3)
    p95 = percentile(times, 0.95)
    report(f"recall_{name}_p50", percentile(times, 0.5), "ms")
    report(f"recall_{name}_p95", p95, "ms", MAX_P95_MS)
    report(f"recall_{name}_max", max(times), "ms")
    report(f"recall_{name}_planted_top5", share, "share", 0.9)
    return p95 if share >= 0.9 else float("inf")


def main() -> int:
    """Run all, print JSON lines, and return 1 if a promise is broken."""
    with tempfile.TemporaryDirectory() as folder:
        store = ArchiveStore(Path(folder))
        small, large = Corpus(2), Corpus(1)
        fill(store, "small", small, SMALL_EVENTS)
        elapsed = fill(store, "large", large, EVENTS - SMALL_EVENTS)
        report("append", (EVENTS - SMALL_EVENTS) / elapsed, "events/s")
        recall = Recall(store)
        p95 = max(measure("large", recall, "large", large), measure("small", recall, "small", small))
        used = store.database.used_bytes()
        cap = store.policies.retention.max_bytes
        report("used_bytes", used, "bytes", cap)
        archive = SessionArchive(store, Recorder(store, "large"), recall)
        start = time.perf_counter()
        target = archive.target()
        text = archive.summary(target, 1_500, lambda text: len(text) // 3).text if target else ""
        report("summary", (time.perf_counter() - start) * 1000, "ms")
        archive.recorder.record(ToolEvent("read", "last.py", excerpt="the last event"))
        start = time.perf_counter()
        is_flushed = archive.shutdown()
        report("shutdown_flush", (time.perf_counter() - start) * 1000, "ms", 1000)
        return int(p95 > MAX_P95_MS or used > cap or not text or not is_flushed)


if __name__ == "__main__":
    sys.exit(main())
