"""A workspace of a million files, 10 GB and more: when does the first answer come, what does it say, what does it cost?

Makes real text in every file, and a few sparse logs that bring the size up; deletes all of it. `--files N --large-gb N` make less
or more. Prints JSON lines `{metric, value, unit, reference}`; exit code 1 if a promise broke.
"""

import argparse
import json
import os
import random
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.server.stats import read_snapshots
from tests.pipe import PipeClient
from tests.soak.workspace import WORDS

MB = 1 << 20
FOLDER_FILES = 250
KINDS = (".py", ".ts", ".go", ".md")
LARGE_FILES = 40
FIRST_ANSWER_S = 60.0
PING_MS = 250.0
LATER_SEARCHES = 20
LATER_SEARCH_S = 30.0
SEARCHED = re.compile(r"searched [\d,]+ of (≥ )?[\d,]+ files")


@dataclass
class Report:
    """What a run found."""

    rows: list[tuple[str, Any, str, Any]] = field(default_factory=list[tuple[str, Any, str, Any]])
    failures: list[str] = field(default_factory=list[str])

    def add(self, metric: str, value: Any, unit: str, reference: Any = None, *, is_kept: bool = True) -> None:
        """Note a figure; a promise that is not kept is a failure."""
        self.rows.append((metric, value, unit, reference))
        sys.stderr.write(f"{metric}: {value} {unit}\n")
        if not is_kept:
            self.failures.append(f"{metric}: {value} {unit}, promised {reference}")

    def show(self) -> None:
        """Print JSON lines."""
        for metric, value, unit, reference in self.rows:
            sys.stdout.write(json.dumps({"metric": metric, "value": value, "unit": unit, "reference": reference}) + "\n")
        for failure in self.failures:
            sys.stdout.write(json.dumps({"failed": failure}) + "\n")
        sys.stdout.flush()


def make_files(root: Path, files: int, large_gb: float) -> int:
    """Write the workspace and return its bytes as a listing adds them up."""
    generator = random.Random(7)
    lines = [
        f"def {one}_{two}_{generator.randrange(10_000)}({three}): return {three}  # {one} of the {two}\n"
        for one, two, three in (generator.choices(WORDS, k=3) for _ in range(4000))
    ]
    total = 0
    for first in range(0, files, FOLDER_FILES):
        folder = root / f"group{first // 50_000:02}" / f"part{first // FOLDER_FILES:05}"
        folder.mkdir(parents=True)
        at = os.open(folder, os.O_RDONLY)
        for number in range(first, min(files, first + FOLDER_FILES)):
            start = generator.randrange(len(lines) - 60)
            data = f"# file {number}\n{''.join(lines[start : start + 8 + number % 40])}".encode()
            name = f"{WORDS[number % len(WORDS)]}_{number:07}{KINDS[number % len(KINDS)]}"
            out = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=at)
            total += os.write(out, data)
            os.close(out)
        os.close(at)
        if sys.stderr.isatty():
            sys.stderr.write(f"\rmaking {first:,} of {files:,} files ")
    (root / "logs").mkdir()
    for number in range(LARGE_FILES):
        size = int(large_gb * (1 << 30) / LARGE_FILES)
        with (root / "logs" / f"large_{number:02}.log").open("wb") as out:
            out.write("".join(lines[:200]).encode())
            out.truncate(size)
        total += size
    return total


class Watch:
    """Measures memory and pings, four times a second, until it is left."""

    def __init__(self, client: PipeClient) -> None:
        self._client = client
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.rss_bytes: list[int] = []
        self.ping_ms: list[float] = []

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(0.25):
            self.rss_bytes.append(self._client.rss_bytes())
            began = time.monotonic()
            self._client.request("ping", {}, 60)
            self.ping_ms.append(1000 * (time.monotonic() - began))


def judge(client: PipeClient, data_dir: Path, root: Path, report: Report) -> None:
    """Search for the first time, again and again, and after an edit."""
    with Watch(client) as watch:
        first_s, text = timed(lambda: client.text("search", query="cache merge", k=3))
        label = SEARCHED.search(text)
        report.add("first answer", round(first_s, 1), "s", f"<= {FIRST_ANSWER_S:g}", is_kept=first_s <= FIRST_ANSWER_S)
        shown = label[0] if label else text.splitlines()[0][:80]
        report.add("its label", shown, "", "searched N of M", is_kept=label is not None)
        times: list[float] = []
        for number in range(LATER_SEARCHES):
            seconds, text = timed(lambda n=number: client.text("search", query=f"{WORDS[n % len(WORDS)]} budget", k=3))
            times.append(seconds)
        report.add("later searches, median", round(statistics.median(times), 2), "s")
        worst = max(times)
        report.add("later searches, worst", round(worst, 1), "s", f"<= {LATER_SEARCH_S:g}", is_kept=worst <= LATER_SEARCH_S)
        stale = _stale_hits(client, root)
        report.add("stale hits after edits", stale, "hits", 0, is_kept=not stale)
        label = SEARCHED.search(client.text("search", query="cache merge", k=3))
        report.add("label at the end", label[0] if label else "", "")
    guard = _guard(client, data_dir)
    limit = int(guard["limit_bytes"]) if guard else 0
    peak = max(watch.rss_bytes)
    report.add("RSS, most", round(peak / MB, 1), "MB", f"<= {limit / MB:.0f}", is_kept=peak <= limit)
    pings = sorted(watch.ping_ms)
    p99 = pings[int(0.99 * (len(pings) - 1))]
    report.add("ping p99", round(p99, 1), "ms", f"<= {PING_MS:g}", is_kept=p99 <= PING_MS)


def _stale_hits(client: PipeClient, root: Path) -> int:
    """Change the files that a search has found, search again, and count hits that show what is not there any more."""
    text = client.text("search", query="cache merge", k=5)
    paths = re.findall(r"^(\S+?):\d+-\d+", text, re.MULTILINE)
    before = {path: (root / path).read_bytes() for path in paths}
    for path in paths:
        (root / path).write_text("nothing of that kind\n")
    again = re.findall(r"^(\S+?):\d+-\d+", client.text("search", query="cache merge", k=5), re.MULTILINE)
    for path, data in before.items():
        (root / path).write_bytes(data)
    return len(set(paths) & set(again))


def _guard(client: PipeClient, data_dir: Path) -> dict[str, Any] | None:
    """Return the limits of the memory guard as the server publishes them."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for snapshot in read_snapshots(data_dir):
            if snapshot["pid"] == client.process.pid:
                return snapshot["memory"]
        time.sleep(0.2)
    return None


def timed(work: Callable[[], str]) -> tuple[float, str]:
    """Return how long the work took, and its result."""
    began = time.monotonic()
    text = work()
    return time.monotonic() - began, text


def main() -> int:
    """Make, search, delete; 1 if a promise broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--large-gb", type=float, default=9.0)
    options = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="penstock-million-", dir=os.environ.get("TMPDIR")))
    report = Report()
    try:
        (base / "root").mkdir()
        seconds, total = timed(lambda: str(make_files(base / "root", options.files, options.large_gb)))
        report.add("files", options.files + LARGE_FILES, "files")
        report.add("size", round(int(total) / 1e9, 2), "GB", ">= 10" if options.files >= 1_000_000 else None)
        report.add("made in", round(seconds), "s")
        client = PipeClient(base / "root", base / "data")
        try:
            judge(client, base / "data", base / "root", report)
        finally:
            client.close()
    finally:
        shutil.rmtree(base, ignore_errors=True)
    report.show()
    return int(bool(report.failures))


if __name__ == "__main__":
    sys.exit(main())
