"""Does the server answer pings while hundreds of megabytes leave its caches and an index is being built?

Fills the caches, starts a first search (which builds the index) and evicts everything, and pings all the while. Prints JSON
lines; exit code 1 if the 99th percentile is above the limit.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.pipe import PipeClient
from tests.soak.workspace import Corpus, WorkspacePlan, build_workspace

MAX_P99_MS = 250.0
PLAN = WorkspacePlan(files=6000, total_mb=60, large_files=48, large_kb=7500)
MIN_PINGS = 200


def fill(client: PipeClient, corpus: Corpus) -> None:
    """Have the server cache every large file."""
    for name in corpus.large:
        result = client.call("read", path=name, view="lines", lines="1-5", timeout_s=120)
        assert not result.get("isError"), result


def ping_while(client: PipeClient, requests: list[int]) -> list[float]:
    """Ping until all the requests are answered, and at least `MIN_PINGS` times; return milliseconds."""
    times: list[float] = []
    while len(times) < MIN_PINGS or not all(client.has_answer(request) for request in requests):
        start = time.perf_counter()
        client.request("ping", {}, timeout_s=60)
        times.append((time.perf_counter() - start) * 1000)
        time.sleep(0.005)
    return sorted(times)


def call(client: PipeClient, tool: str, **arguments: object) -> int:
    """Start a tool call."""
    return client.start("tools/call", {"name": tool, "arguments": arguments})


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    sys.stdout.write(
        json.dumps({"soak": "ping", "metric": metric, "value": round(value, 1), "unit": unit, "reference": reference}) + "\n"
    )


def main() -> int:
    """Print the figures; 1 if pings are slow or a call failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large-files", type=int, default=PLAN.large_files)
    options = parser.parse_args()
    plan = WorkspacePlan(PLAN.files, PLAN.total_mb, options.large_files, PLAN.large_kb)
    env = {"PENSTOCK_MEMORY_LEDGER_MB": "512", "PENSTOCK_MEMORY_RSS_MB": "1500"}
    with tempfile.TemporaryDirectory(prefix="penstock-ping-") as folder:
        corpus = build_workspace(Path(folder) / "workspace", plan)
        with PipeClient(corpus.root, Path(folder) / "data", env=env) as client:
            idle = ping_while(client, [])
            fill(client, corpus)
            before = client.rss_bytes()
            start = time.perf_counter()
            requests = [call(client, "search", query="cache merge window"), call(client, "evict", targets=["large"])]
            times = ping_while(client, requests)
            seconds = time.perf_counter() - start
            answers = [client.wait(request) for request in requests]
            after = client.rss_bytes()
    failed = [answer for answer in answers if "result" not in answer or answer["result"].get("isError")]
    p99 = times[int(len(times) * 0.99)]
    report("idle_p99", idle[int(len(idle) * 0.99)], "ms")
    report("busy_p50", times[len(times) // 2], "ms")
    report("busy_p99", p99, "ms", MAX_P99_MS)
    report("busy_max", times[-1], "ms")
    report("pings", len(times), "")
    report("seconds", seconds, "s")
    report("evicted_large_files", options.large_files * PLAN.large_kb / 1024, "MB")
    report("load_average", os.getloadavg()[0], "of other work too")
    report("rss_before", before / 2**20, "MB")
    report("rss_after", after / 2**20, "MB")
    for answer in failed:
        sys.stdout.write(json.dumps({"soak": "ping", "failed": str(answer)[:300]}) + "\n")
    return int(bool(failed) or p99 > MAX_P99_MS)


if __name__ == "__main__":
    sys.exit(main())
