"""The archive at its size, and two servers on one store of which one is killed in the middle of a write.

First the benchmark of 100,000 events (recall, size on disk, flush). Then two real servers remember facts on one workspace; one is
killed while it writes, again and again; what either has answered must be there for a third.
"""

import json
import sys
import tempfile
import threading
from pathlib import Path

from tests.benchmarks import archive_bench
from tests.pipe import PipeClient

ROUNDS = 8
BEFORE_THE_KILL = 40


def report(metric: str, value: float, unit: str, reference: float | str = "") -> None:
    sys.stdout.write(
        json.dumps({"soak": "archive", "metric": metric, "value": value, "unit": unit, "reference": reference}) + "\n"
    )
    sys.stdout.flush()


def remember(client: PipeClient, name: str, until: threading.Event, done: list[str]) -> None:
    """Remember facts until told to stop or the server is gone; note what was answered."""
    number = 0
    while not until.is_set():
        topic = f"{name} topic{number}"
        arguments = {"action": "remember", "topic": topic, "fact": f"holds {number} rows of {name}"}
        try:
            request = client.start("tools/call", {"name": "memory", "arguments": arguments})
            while not client.has_answer(request):
                if client.process.poll() is not None or until.wait(0.001):
                    break
            if not client.has_answer(request):
                return
        except OSError:
            return
        done.append(topic)
        number += 1


def kill_one(folder: Path, number: int) -> tuple[int, int]:
    """Run two servers, kill one, and return how many answered facts there were and how many a third server has."""
    root, data = folder / "root", folder / "data"
    root.mkdir(exist_ok=True)
    stop = threading.Event()
    lives: list[str] = []
    dies: list[str] = []
    with PipeClient(root, data) as survivor, PipeClient(root, data) as victim:
        writers = [
            threading.Thread(target=remember, args=(client, f"{name}{number}", stop, done))
            for client, name, done in ((survivor, "lives", lives), (victim, "dies", dies))
        ]
        for writer in writers:
            writer.start()
        while min(len(lives), len(dies)) < BEFORE_THE_KILL and all(writer.is_alive() for writer in writers):
            stop.wait(0.005)
        victim.process.kill()
        victim.process.wait(10)
        stop.set()
        for writer in writers:
            writer.join(30)
    with PipeClient(root, data) as third:
        answered = [*lives, *dies]
        found = sum(third.text("memory", action="list", topic=topic).count(f" {topic}: holds ") == 1 for topic in answered)
    return len(answered), found


def main() -> int:
    """Run both parts; 1 if a promise is broken."""
    failed = archive_bench.main()
    answered = found = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            one, two = kill_one(Path(folder), number)
            answered, found = answered + one, found + two
    report("writers killed beside a second server", ROUNDS, "servers")
    report("facts answered", answered, "facts")
    report("of these lost", answered - found, "facts", "0")
    return int(bool(failed) or found < answered)


if __name__ == "__main__":
    sys.exit(main())
