"""Fills a whole server in this process, has it drop everything, and asks for all of it back.

Filled means: every file read, some in several views, an index built, mapped and searched, files edited and found again. RSS must
then be within 20 MB of the start-up baseline, vocabulary included; nothing is taken off for the modules that the first read and
the first search load, nor for what is kept to find things again (handles, receipts). Beside it stand what of that is the
process's own memory, and what is pages of files. Prints JSON lines; exit code 1 if it is more, or if anything that was dropped
does not come back byte for byte.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from penstock.cache.deadline import UNBOUNDED, Deadline
from penstock.cache.handles import handle_id
from penstock.cache.pressure.levels import PressureLevel
from penstock.cache.pressure.probe import SystemProbe
from penstock.server.config import load_config
from penstock.server.engine import Engine
from penstock.tools.arguments import ReadArguments, SearchArguments
from penstock.tools.call import Call
from tests.soak.workspace import WORDS, Corpus, WorkspacePlan, build_workspace

MB = 1 << 20
MAX_LEFT_MB = 20.0
BUILD_S = 300.0
EDITS = 60


def read(engine: Engine, name: str, view: str) -> None:
    """Read one file as the tool does."""
    engine.run("read", Call(), ReadArguments.model_validate({"path": name, "view": view}))


def search(engine: Engine) -> None:
    """Search until the whole workspace is indexed, then for every word of it."""
    for _ in range(60):
        answer = engine.run("search", Call(), SearchArguments(query="cache merge"))
        if "indexing" not in answer.text.splitlines()[0]:
            break
    for word in WORDS:
        engine.run("search", Call(), SearchArguments(query=f"{word} value"))
    ends = time.monotonic() + BUILD_S
    while engine.index.statistics().is_building and time.monotonic() < ends:
        time.sleep(0.2)  # merging goes on after everything is searched


def edit(engine: Engine, path: Path) -> None:
    """Change a file and search: it is indexed again within the call."""
    with path.open("ab") as out:
        out.write(b"\ndef edited(state, queue): return answer\n")
    engine.run("search", Call(), SearchArguments(query="edited queue"))


def fill(engine: Engine, corpus: Corpus) -> list[str]:
    """Read every file, some of them twice and in several views; return the sha256 of what the cache then holds."""
    for number, name in enumerate(corpus.names):
        read(engine, name, "full")
        if number % 10 == 0:
            read(engine, name, "outline")
    search(engine)
    for name in corpus.names[:: len(corpus.names) // EDITS]:
        edit(engine, corpus.root / name)
    # Digests only: the contents themselves would count as this process's memory.
    return [resident.sha256 for resident in engine.session.residents()]


def lost(engine: Engine, corpus: Corpus, held: list[str]) -> int:
    """Take the files away and count what does not come back."""
    for name in [*corpus.names, *corpus.large]:
        (corpus.root / name).unlink()
    missing = 0
    for sha256 in held:
        payload = engine.payloads.load(handle_id(sha256), deadline=Deadline(UNBOUNDED))
        missing += hashlib.sha256(payload.data).hexdigest() != sha256
    return missing


def resident_by_mapping() -> Counter[str]:
    """Return the resident bytes of each mapped file, and of what is mapped from none under an empty name."""
    found: Counter[str] = Counter()
    name = ""
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            name = Path(words[5]).name if len(words) > 5 and words[5].startswith("/") else ""
        elif words[0] == "Rss:":
            found[name] += int(words[1]) << 10
        elif words[0] == "Anonymous:" and name:  # relocated and written pages of a file are the process's own
            found[name] -= int(words[1]) << 10
            found[""] += int(words[1]) << 10
    return found


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    line = {"soak": "emergency", "metric": metric, "value": round(value, 1), "unit": unit, "reference": reference}
    sys.stdout.write(json.dumps(line) + "\n")


def main() -> int:
    """Print the figures; 1 if a promise broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--total-mb", type=int, default=200)
    options = parser.parse_args()
    probe = SystemProbe()
    with tempfile.TemporaryDirectory(prefix="penstock-emergency-") as folder:
        corpus = build_workspace(Path(folder) / "workspace", WorkspacePlan(1200, options.total_mb, large_files=2))
        env = {"PENSTOCK_DATA_DIR": str(Path(folder) / "data")}
        engine = Engine(load_config(env=env, home=Path(folder)), corpus.root)
        try:
            started, at_start = engine.gauge.statistics().limit.baseline_bytes, resident_by_mapping()
            held = fill(engine, corpus)
            filled, charged, mapped = probe.rss_bytes(), engine.ledger.used_bytes, engine.index.resident_bytes
            explanation = engine.orchestrator.on_pressure(PressureLevel.CRITICAL)
            dropped, baseline = probe.rss_bytes(), engine.gauge.statistics().limit.baseline_bytes
            grown = resident_by_mapping()
            grown.subtract(at_start)
            missing = lost(engine, corpus, held)
        finally:
            engine.close()
    report("baseline_at_start_up", started / MB, "MB, vocabulary included")
    report("search_modules", (baseline - started) / MB, "MB")
    report("rss_filled", filled / MB, "MB")
    report("ledger_filled", charged / MB, "MB")
    report("index_resident", mapped / MB, "MB")
    report("freed", (explanation.freed_bytes if explanation else 0) / MB, "MB")
    report("rss_after_the_drop", dropped / MB, "MB")
    report("rss_left_above_baseline", (dropped - started) / MB, "MB, of which", MAX_LEFT_MB)
    own = grown.pop("", 0)
    report("own_memory_above_baseline", own / MB, "MB, modules and handles included")
    report("file_pages_above_baseline", grown.total() / MB, "MB")
    report("dropped", len(held), "files")
    report("lost", missing, "files", 0)
    return int(dropped - started > MAX_LEFT_MB * MB or missing > 0 or not held)


if __name__ == "__main__":
    sys.exit(main())
