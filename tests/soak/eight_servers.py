"""Eight servers on one workspace: one builds, all map the same files. What does the crowd cost beside one server?

Compared is what the size of the workspace adds: anonymous memory above that of a server that has answered the same questions from
a workspace of 64 files, and each process's share (PSS) of the mapped segments. Servers on one and the same workspace differ by
1 MB, so that baseline is the mean of eight. Helper processes are counted apart. Prints JSON lines; exit code 1 if a promise
broke.
"""

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.pipe import PipeClient
from tests.soak.workspace import WORDS, WorkspacePlan, build_workspace

MB = 1 << 20
SERVERS = 8
SMALL_FILES = 64
MAX_RATIO = 1.5
SEARCHED = re.compile(r"searched ([\d,]+) of ([\d,]+) files")
SEGMENTS = re.compile(r"chunks in (\d+) segments")
BUILDS = re.compile(r"(\d+) builds")
READY_S = 900.0


@dataclass(frozen=True)
class Cost:
    """Memory of one process in bytes."""

    anonymous: int
    segments: int
    """Its share of the mapped segments."""
    helpers: int
    """Anonymous memory of its children."""


def cost_of(client: PipeClient) -> Cost:
    """Read what a server occupies."""
    process = psutil.Process(client.process.pid)
    helpers = sum(_anonymous(child.pid) for child in process.children(recursive=True))
    return Cost(_anonymous(process.pid), _segments(process.pid), helpers)


def _anonymous(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))


def _segments(pid: int) -> int:
    """Add up the shares of the maps of segment files."""
    share, is_segment = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        first = line.split(" ", 1)[0]
        if not first.endswith(":"):
            is_segment = ".seg" in line
        elif is_segment and first == "Pss:":
            share += 1024 * int(line.split()[1])
    return share


def search_all(clients: Sequence[PipeClient]) -> int:
    """Search on every server until each has searched everything, then a few times more; return how many builds there were."""
    end = time.monotonic() + READY_S
    waiting = list(clients)
    while waiting and time.monotonic() < end:
        asked = [(client, client.start("tools/call", _search("cache merge"))) for client in waiting]
        texts = [(client, client.wait(request, 120)["result"]["content"][0]["text"]) for client, request in asked]
        if refused := [text for _, text in texts if text.startswith("error ")]:
            raise RuntimeError(refused[0])
        waiting = [client for client, text in texts if not (found := SEARCHED.search(text)) or found[1] != found[2]]
    if waiting:
        raise RuntimeError(f"{len(waiting)} servers did not finish")
    _wait_for_quiet(clients, end)
    for word in WORDS[:8]:
        for client in clients:
            client.text("search", query=f"{word} budget guard", k=5)
    return sum(int(found[1]) for client in clients if (found := BUILDS.search(client.text("status", detail="full"))))


def _search(query: str) -> dict[str, object]:
    return {"name": "search", "arguments": {"query": query, "k": 3}}


def _wait_for_quiet(clients: Sequence[PipeClient], end: float) -> None:
    """Wait until the segments are merged, and every server maps what they became."""
    while time.monotonic() < end:
        counts = [SEGMENTS.search(client.text("status", detail="full")) for client in clients]
        if all(found and int(found[1]) <= 1 for found in counts):
            return
        time.sleep(1.0)
        for client in clients:
            client.text("search", query="cache merge", k=3)
    raise RuntimeError("the segments were not merged")


def measure(count: int, root: Path, data_dir: Path) -> tuple[list[Cost], int]:
    """Start so many servers at once on a fresh index; return what each occupies, and how many builds there were."""
    clients = [PipeClient(root, data_dir) for _ in range(count)]
    try:
        builds = search_all(clients)
        return [cost_of(client) for client in clients], builds
    finally:
        for client in clients:
            client.close()


def main() -> int:
    """Measure one on a small workspace, one and eight; 1 if a promise broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=4_000)
    parser.add_argument("--total-mb", type=int, default=60)
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="penstock-eight-", dir=os.environ.get("TMPDIR")) as scratch:
        base = Path(scratch)
        corpus = build_workspace(base / "workspace", WorkspacePlan(options.files, options.total_mb, large_files=1))
        small = build_workspace(base / "small", WorkspacePlan(SMALL_FILES, 1, large_files=1))
        little, _ = measure(SERVERS, small.root, base / "data-small")
        [one], _ = measure(1, corpus.root, base / "data-one")
        many, builds = measure(SERVERS, corpus.root, base / "data-many")
    least = statistics.fmean(cost.anonymous for cost in little)
    spread = [round((cost.anonymous - least) / MB, 1) for cost in little]
    extra_one = one.anonymous - least + one.segments
    extra_many = sum(cost.anonymous - least + cost.segments for cost in many)
    ratio = extra_many / extra_one
    rows: list[tuple[str, object, str, object]] = [
        (
            f"baseline: anonymous memory after the same searches of {SMALL_FILES} files, mean of {SERVERS}",
            round(least / MB, 1),
            "MB",
            None,
        ),
        ("lowest and highest of them beside the mean", f"{min(spread):+} to {max(spread):+}", "MB", None),
        ("one server, extra", round(extra_one / MB, 1), "MB", None),
        ("of it segments", round(one.segments / MB, 1), "MB", None),
        ("of it private", round((one.anonymous - least) / MB, 1), "MB", None),
        (f"{SERVERS} servers, extra in all", round(extra_many / MB, 1), "MB", f"<= {MAX_RATIO} x one"),
        ("of that segments", round(sum(cost.segments for cost in many) / MB, 1), "MB", None),
        ("ratio", round(ratio, 2), "", f"<= {MAX_RATIO}"),
        ("helper processes, one server", round(one.helpers / MB, 1), "MB", None),
        (f"helper processes, {SERVERS} servers", round(sum(cost.helpers for cost in many) / MB, 1), "MB", None),
        ("builds", builds, "builds", 1),
    ]
    for metric, value, unit, reference in rows:
        sys.stdout.write(json.dumps({"metric": metric, "value": value, "unit": unit, "reference": reference}) + "\n")
    failed = ratio > MAX_RATIO or builds != 1
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
