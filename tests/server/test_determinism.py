"""The same calls give the same bytes in another process, so that what a provider cached of them stays valid."""

import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from penstock.cache.tokens import O200kCounter

CALLS: Final = 1_000
TURNS: Final = 60
VIEWS: Final = ["auto", "full", "outline", "map", "dense", "compact", "reference", "focus"]
WORDS: Final = ["ledger", "reservation", "evict entries", "token count", "unified diff", "pressure level", "open file in root"]
CHECKOUT: Final = Path(__file__).parents[2]


class Session:
    """A server process and the lines that go to and come from it."""

    def __init__(self, root: Path, data: Path, seed: int) -> None:
        command = [sys.executable, "-m", "penstock.server", "serve", "--root", str(root), "--data-dir", str(data)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},  # the order of sets must not show
        )
        self.number = 0
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "mcp", "version": "1"}}
        self.hello = self.ask("initialize", client)
        self.tell({"method": "notifications/initialized"})

    def tell(self, message: Mapping[str, object]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: Mapping[str, object]) -> bytes:
        """The line that answers a request, as it came."""
        self.number += 1
        self.tell({"id": self.number, "method": method, "params": params})
        assert self.process.stdout
        while True:
            line = self.process.stdout.readline()
            assert line, "the server ended"
            if b'"id":' in line[:60] or json.loads(line).get("id") == self.number:
                return line

    def call(self, tool: str, arguments: Mapping[str, object]) -> bytes:
        return self.ask("tools/call", {"name": tool, "arguments": arguments})

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of some thirty files: parts of this project."""
    folder = tmp_path_factory.mktemp("workspace")
    for path in [*sorted((CHECKOUT / "cache").glob("*.py")), *sorted((CHECKOUT / "tools").glob("*.py"))]:
        place = folder / path.relative_to(CHECKOUT)
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(path.read_bytes())
    lines = [f"step {n}: compiled unit_{n % 40}.c\n" for n in range(900)]
    (folder / "build.log").write_text("".join(lines) + "error: unit_3.c:1\n")
    return folder


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[Callable[[], Session]]:
    sessions: list[Session] = []

    def new() -> Session:
        sessions.append(Session(root, tmp_path / f"data-{len(sessions)}", len(sessions) + 1))
        return sessions[-1]

    yield new
    for session in sessions:
        session.close()


def recorded_calls(root: Path, count: int) -> list[tuple[str, dict[str, Any]]]:
    """A seeded mix of calls; a handle or receipt in an argument stands for the last one that came."""
    rng = random.Random(2)
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    calls: list[tuple[str, dict[str, Any]]] = [("search", {"query": "ledger"})]
    while len(calls) < count:
        path = rng.choice(files)
        first = rng.randint(1, 60)
        calls.append(
            rng.choice(
                [
                    ("read", {"path": path, "view": rng.choice(VIEWS), "query": rng.choice(WORDS)}),
                    ("read", {"path": path}),
                    ("read", {"path": path, "lines": f"{first}-{first + rng.randint(0, 40)}"}),
                    ("read", {"path": [path, rng.choice(files)], "budget": rng.randint(200, 2_000)}),
                    ("read", {"path": rng.choice(["", "cache", "tools"])}),
                    ("search", {"query": rng.choice(WORDS), "k": rng.randint(1, 12)}),
                    ("compress", {"source": path, "budget": rng.randint(100, 800)}),
                    ("evict", {"targets": [path]}),
                    ("read", {"path": "no/such/file.py"}),
                ]
            )
        )
    return calls


def test_a_thousand_calls_give_the_same_bytes_in_two_processes(start: Callable[[], Session], root: Path) -> None:
    calls = recorded_calls(root, CALLS)
    one, two = start(), start()
    assert one.hello == two.hello
    assert one.ask("tools/list", {}) == two.ask("tools/list", {})
    for tool, arguments in calls:
        first, second = one.call(tool, arguments), two.call(tool, arguments)
        assert first == second, (tool, arguments, *_apart(first, second))


def test_what_the_server_sent_stays_in_the_prefix_cache(start: Callable[[], Session], root: Path) -> None:
    """60 turns, the server started anew every 20 as clients do; against the same with one volatile field."""
    opening = ""
    heads: list[str] = []
    turns: list[str] = []
    session = start()
    for number, (tool, arguments) in enumerate(recorded_calls(root, TURNS)):
        if number in (20, 40):
            session = start()
        if number in (0, 20, 40):
            opening = session.hello.decode() + session.ask("tools/list", {}).decode()
        heads.append(opening)
        turns.append(session.call(tool, arguments).decode())
    stable = prefix_hits(heads, turns)
    volatile = prefix_hits([f"{number} {head}" for number, head in enumerate(heads)], turns)
    assert stable >= 0.95
    assert volatile < 0.05


def prefix_hits(heads: Sequence[str], turns: Sequence[str]) -> float:
    """The share of server tokens in the prefixes of a conversation that a provider has cached from the request before.

    A request holds the head (instructions and tools) and every answer so far; what it has in common with the request
    before, from the start and piece by piece, is cached; after the first difference nothing is.
    """
    counter = O200kCounter((CHECKOUT / "configs" / "vocab" / "o200k_base.bin.gz").read_bytes)
    sizes = {text: counter.count(text).tokens for text in {*heads, *turns}}
    hits = total = 0
    for number in range(1, len(turns)):
        before, now = [heads[number - 1], *turns[: number - 1]], [heads[number], *turns[:number]]
        prefix = now[:-1]
        same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(before, prefix, strict=True))
        hits += sum(sizes[text] for _, text in same)
        total += sum(sizes[text] for text in prefix)
    return hits / total


def _apart(first: bytes, second: bytes) -> tuple[bytes, bytes]:
    """Where two answers begin to differ."""
    at = next(place for place in range(len(first) + 1) if first[: place + 1] != second[: place + 1])
    return first[max(0, at - 60) : at + 120], second[max(0, at - 60) : at + 120]
