"""What the models behind Claude Code, Codex, Gemini CLI and opencode receive from the server, from a cold start."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.timeout(400)]

CLIENTS = ["claude-code", "codex", "gemini-cli", "opencode"]
TOOLS = {"read", "search", "compress", "evict", "restore", "session", "memory", "status"}
Step = tuple[str, Callable[[Sequence[str]], dict[str, object]]]


class Run(Protocol):
    exit_code: int
    output: str
    results: list[str]
    first_tools: list[str]


class RunClient(Protocol):
    def __call__(self, client: str, script: Sequence[Step]) -> Run: ...


def handle_in(text: str) -> str:
    found = re.search(r"\bh[0-9a-f]{12,}\b", text)
    assert found, text
    return found.group()


@pytest.mark.parametrize("client", CLIENTS)
def test_the_model_gets_every_answer_whole(run_client: RunClient, repository: Path, client: str) -> None:
    log = repository / "build.log"
    log.write_text(
        "".join(f"step {n}: compiled module_{n}.c in {n % 7} ms\n" for n in range(400)) + "error: module_7.c:12: no such file\n"
    )
    script: list[Step] = [
        ("read", lambda results: {"path": "cache/errors.py", "view": "full"}),
        ("search", lambda results: {"query": "eviction of cached entries under memory pressure"}),
        ("compress", lambda results: {"source": "build.log", "budget": 300}),
        ("restore", lambda results: {"handle": handle_in(results[2]), "lines": "1-20"}),
        ("evict", lambda results: {"targets": ["cache/errors.py"]}),
        ("read", lambda results: {"path": "cache/errors.py", "view": "lines", "lines": "1-10"}),
    ]
    run = run_client(client, script)
    assert run.exit_code == 0, run.output[-3000:]
    assert set(run.first_tools) >= TOOLS
    assert len(run.results) == len(script), run.output[-3000:]
    for result in run.results:
        print("----", len(result))
        print(result[:1500])
