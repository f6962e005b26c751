"""A long conversation over public code, a killed server, and a second one that goes on from it."""

import asyncio
import re
import shutil
import signal
from pathlib import Path

from penstock.server.vocabulary import vocabulary
from tests.pipe import PipeClient, restored_sha256

HANDLE = re.compile(r"\bh[0-9a-f]{12}\b")
SOURCES = (
    "tasks.py",
    "queues.py",
    "locks.py",
    "streams.py",
    "base_events.py",
    "selector_events.py",
    "subprocess.py",
    "runners.py",
)
PASSAGES = 25
FACTS = 25


def make_workspace(tmp_path: Path) -> Path:
    """Copy part of Python's own asyncio, with 25 sentences planted that occur once each."""
    root = tmp_path / "asyncio"
    root.mkdir()
    package = Path(asyncio.__file__).parent
    for name in SOURCES:
        shutil.copy(package / name, root / name)
    for number in range(PASSAGES):
        path = root / SOURCES[number % len(SOURCES)]
        lines = path.read_text().splitlines(keepends=True)
        lines.insert(
            20 * (number // len(SOURCES)) + 15, f"# The {word(number)} quorum settles after {number * 17 + 3} heartbeats.\n"
        )
        path.write_text("".join(lines))
    return root


def word(number: int) -> str:
    return f"zephyr{chr(97 + number)}"


def play(client: PipeClient, root: Path) -> int:
    """Make a working day's calls and return how many."""
    calls = 0
    client.text("session", action="save", note="goal: find out how asyncio shuts down\ndecision: look at runners first")
    for number in range(PASSAGES):
        first = 20 * (number // len(SOURCES)) + 1
        client.text("read", path=SOURCES[number % len(SOURCES)], view="lines", lines=f"{first}-{first + 30}")
        client.text("search", query=f"{('cancel', 'transport', 'waiter', 'queue')[number % 4]} task {number}")
        client.text(
            "memory",
            action="remember",
            topic=f"subsystem {word(number)}",
            fact=f"handles {number * 13 + 7} lanes of {word(number)}",
        )
        calls += 3
    for name in SOURCES:
        for view in ("outline", "map", "compact"):
            client.text("read", path=name, view=view)
            calls += 1
    client.call("read", path="missing.py")
    client.text("compress", source=(root / "tasks.py").read_text()[:20_000], budget=200)
    client.text("session", action="save", note="todo: read subprocess")
    return calls + 4


def test_a_killed_conversation_is_resumed_within_its_budget_with_every_handle(tmp_path: Path) -> None:
    root = make_workspace(tmp_path)
    with PipeClient(root, tmp_path / "data") as first:
        assert play(first, root) >= 100
        first.signal(signal.SIGKILL)
        first.process.wait(10)
    with PipeClient(root, tmp_path / "data") as second:
        answer = second.request("prompts/get", {"name": "resume", "arguments": {}})
        text: str = answer["result"]["messages"][0]["content"]["text"]
        assert vocabulary().count(text).tokens <= 1_500
        for expected in ("how asyncio shuts down", "look at runners first", "read subprocess", "missing.py"):
            assert expected in text
        handles = sorted(set(HANDLE.findall(text)))
        assert handles
        for handle in handles:
            assert restored_sha256(second, handle).startswith(handle[1:])
        found = re.search(r'session\(action="restore", id="([a-z0-9-]+)"\)', text)
        assert found is not None
        second.text("session", action="restore", id=found[1])
        assert recalled(second) >= 0.9 * (PASSAGES + FACTS)


def recalled(client: PipeClient) -> int:
    """Return how many of the planted passages and facts are among the first five answers to a question about them."""
    found = 0
    for number in range(PASSAGES):
        text = client.text("search", query=f"when does the {word(number)} quorum settle", scope="session", k=5)
        found += f"{number * 17 + 3} heartbeats" in text
    for number in range(FACTS):
        text = client.text("search", query=f"how many lanes has {word(number)}", scope="memory", k=5)
        found += f"handles {number * 13 + 7} lanes" in text
    return found
