"""A workspace of a million files, 10 GB: when does the first answer come, what does it say, what does it cost?

The first question asks for what stands in a file deep in the workspace that only its path tells from the others. Makes real
text in every file; deletes all of it. `--files N --average-bytes N` make less or more. Prints JSON lines `{metric, value,
unit, reference}`; exit code 1 if a promise broke.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.server.stats import read_snapshots
from tests.pipe import PipeClient
from tests.soak.workspace import WORDS

MB = 1 << 20
FOLDER_FILES = 250
GROUP_FILES = 50_000
KINDS = {
    ".py": "def {one}_{two}_{number}({three}: int) -> int:\n    return {three} + {number}  # the {one} of a {two}\n\n\n",
    ".ts": "export function {one}{two}{number}({three}: number): number {{\n  return {three} + {number};\n}}\n",
    ".go": "// The {one} of a {two}.\nfunc {one}{two}{number}({three} int) int {{\n\treturn {three} + {number}\n}}\n",
    ".md": "The {one} of a {two} keeps the {three}, see {number}.\n\n",
}
POOL_LINES = 8_000
NEEDLE_AT = 0.14
"""Where the file stands that the first question is about: among the files that a walk takes at most, near their end."""
NEEDLE = "quokka_census"
QUESTION = "where is the quokka census kept"
FIRST_ANSWER_S = 60.0
PING_MS = 250.0
LATER_SEARCHES = 20
LATER_SEARCH_S = 30.0
SEARCHED = re.compile(r"searched ([\d,]+) of (?:≥ )?[\d,]+ files(?: · (?:still|partial|walk|as of)[^·\n]*[^·\s])*")


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


def make_files(root: Path, files: int, average_bytes: int) -> int:
    """Write the workspace and return its bytes."""
    generator = random.Random(7)
    pools = {kind: _Pool(_text(line, generator), average_bytes) for kind, line in KINDS.items()}
    kinds, total = list(pools), 0
    needle = int(files * NEEDLE_AT)
    for first in range(0, files, FOLDER_FILES):
        folder = root / f"group{first // GROUP_FILES:02}" / f"part{first // FOLDER_FILES:05}"
        folder.mkdir(parents=True)
        at = os.open(folder, os.O_RDONLY)
        for number in range(first, min(files, first + FOLDER_FILES)):
            kind = kinds[number % len(kinds)]
            name = NEEDLE if number == needle else f"{WORDS[number % len(WORDS)]}_{number:07}"
            out = os.open(name + kind, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=at)
            total += os.write(out, pools[kind].draw(generator))
            os.close(out)
        os.close(at)
        if sys.stderr.isatty():
            sys.stderr.write(f"\rmaking {first:,} of {files:,} files ")
    return total


def _text(line: str, generator: random.Random) -> list[bytes]:
    """Return texts of one kind: a definition or a paragraph each."""
    texts: list[bytes] = []
    for _ in range(POOL_LINES):
        one, two, three = generator.choices(WORDS, k=3)
        texts.append(line.format(one=one, two=two, three=three, number=generator.randrange(10_000)).encode())
    return texts


class _Pool:
    """Texts end to end, of which a file is a part."""

    def __init__(self, texts: Sequence[bytes], average_bytes: int) -> None:
        self._blob = b"".join(texts)
        self._starts = [0]
        for text in texts:
            self._starts.append(self._starts[-1] + len(text))
        self._average = average_bytes * len(texts) / len(self._blob)

    def draw(self, generator: random.Random) -> bytes:
        """Return a file, from a tenth of the average to twice of it."""
        count = max(1, int(self._average * generator.uniform(0.1, 1.9)))
        start = generator.randrange(len(self._starts) - 1 - count)
        return self._blob[self._starts[start] : self._starts[start + count]]


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
        first_s, text = timed(lambda: client.text("search", query=QUESTION, k=3))
        report.add("first answer", round(first_s, 1), "s", f"<= {FIRST_ANSWER_S:g}", is_kept=first_s <= FIRST_ANSWER_S)
        searched, label = _coverage(text)
        report.add("its label", label, "", "searched N of M, partial", is_kept="still" in label or "partial" in label)
        report.add("files searched by then", searched, "files", ">= 1", is_kept=searched >= 1)
        is_found = f"/{NEEDLE}." in text
        report.add("the file that the question is about", "found" if is_found else "missed", "", "found", is_kept=is_found)
        times: list[float] = []
        for number in range(LATER_SEARCHES):
            seconds, text = timed(lambda n=number: client.text("search", query=f"{WORDS[n % len(WORDS)]} budget", k=3))
            times.append(seconds)
        report.add("later searches, median", round(statistics.median(times), 2), "s")
        worst = max(times)
        report.add("later searches, worst", round(worst, 1), "s", f"<= {LATER_SEARCH_S:g}", is_kept=worst <= LATER_SEARCH_S)
        stale = _stale_hits(client, root)
        report.add("stale hits after edits", stale, "hits", 0, is_kept=not stale)
        last, label = _coverage(client.text("search", query="cache merge", k=3))
        report.add("label at the end", label, "", "more than at first", is_kept=last > searched)
    guard = _guard(client, data_dir)
    limit = int(guard["limit_bytes"]) if guard else 0
    peak = max(watch.rss_bytes)
    report.add("RSS, most", round(peak / MB, 1), "MB", f"<= {limit / MB:.0f}", is_kept=peak <= limit)
    pings = sorted(watch.ping_ms)
    p99 = pings[int(0.99 * (len(pings) - 1))]
    report.add("ping p99", round(p99, 1), "ms", f"<= {PING_MS:g}", is_kept=p99 <= PING_MS)


def _coverage(text: str) -> tuple[int, str]:
    """Return how many files an answer says were searched, and all that it says of that."""
    found = SEARCHED.search(text)
    return (int(found[1].replace(",", "")), found[0]) if found else (0, text.splitlines()[0][:80])


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
    parser.add_argument("--average-bytes", type=int, default=10_500)
    options = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="penstock-million-", dir=os.environ.get("TMPDIR")))
    report = Report()
    try:
        (base / "root").mkdir()
        seconds, total = timed(lambda: str(make_files(base / "root", options.files, options.average_bytes)))
        report.add("files", options.files, "files")
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
