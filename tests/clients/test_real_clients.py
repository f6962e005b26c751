"""What the models behind Claude Code, Codex, Gemini CLI and opencode receive from the server, from a cold start."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from penstock.server.toolset import TOOLS

pytestmark = [pytest.mark.clients, pytest.mark.timeout(400)]

CLIENTS = ["claude-code", "codex", "gemini-cli", "opencode"]
NAMES = [tool.name for tool in TOOLS]
Step = tuple[str, dict[str, object]]


class Run(Protocol):
    output: str
    results: list[str]
    first_tools: list[str]
    first_request_s: float


class RunClient(Protocol):
    def __call__(self, client: str, script: Sequence[Step], command: str = ..., again: Sequence[str] = ()) -> Run: ...


def call(tool: str, **arguments: object) -> Step:
    return tool, dict(arguments)


def found_in(result: int, pattern: str, default: str = "") -> dict[str, object]:
    """Stands for what the pattern's group finds in an earlier answer."""
    return {"from": result, "pattern": pattern, "default": default}


def whole(client: str, result: str) -> str:
    """The answer less what the client frames every answer with."""
    if client == "codex":
        result = re.sub(r"\AWall time: [0-9.]+ seconds\nOutput:", "", result)
    if client == "gemini-cli":
        result = result.removeprefix("<untrusted_context>\n").removesuffix("\n</untrusted_context>")
    return result


@pytest.mark.parametrize("client", CLIENTS)
def test_the_model_gets_every_answer_whole(run_client: RunClient, repository: Path, client: str) -> None:
    log = repository / "build.log"
    lines = [f"step {n}: compiled module_{n}.c in {n % 7} ms" for n in range(400)]
    log.write_text("\n".join([*lines, "error: module_7.c:12: no such file"]) + "\n")
    run = run_client(
        client,
        [
            call("read", path="cache/errors.py", view="full"),
            call("search", query="eviction of cached entries under memory pressure"),
            call("compress", source="build.log", budget=300),
            call("restore", handle=found_in(2, r"\b(h[0-9a-f]{12,})\b"), lines="100-120"),
            call("evict", targets=["cache/errors.py"]),
            call("read", path="cache/errors.py", view="lines", lines="1-10"),
        ],
    )
    assert sorted(run.first_tools) == sorted(NAMES), "the first request of a cold start offers every tool"
    read, search, compressed, restored, evicted, lines_read = (whole(client, result) for result in run.results)
    source = (repository / "cache" / "errors.py").read_text("utf-8")
    assert read.startswith("cache/errors.py · full · ")
    assert "\n" + source in read
    assert re.search(r"^cache/\S+:\d+-\d+", search, re.MULTILINE), search
    assert "build.log" in compressed.splitlines()[0]
    assert "error: module_7.c:12: no such file" in compressed
    assert "\n".join(lines[99:120]) + "\n" in restored
    assert "cache/errors.py" in evicted
    assert "".join(source.splitlines(keepends=True)[:10]) in lines_read


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_is_cut_on_the_way_to_the_model(run_client: RunClient, repository: Path, client: str) -> None:
    """A file of 3,000 lines, some of them awkward, arrives page by page and byte for byte; each page says how to go on."""
    odd = ["", '\t"quoted" \\ back', "plain " * 20, "é ✓ 漢字 🙂🙂🙂", "{}[],:"]
    text = "".join(f"{n} {odd[n % len(odd)]}\n" for n in range(3_000))
    (repository / "long.txt").write_text(text, "utf-8")
    following = call("read", path="long.txt", view="lines", lines=found_in(-1, r"next lines=(\d+-)", "3000-3000"))
    run = run_client(client, [call("read", path="long.txt", view="full"), *[following] * 24])
    received = ""
    for result in run.results:
        page = whole(client, result)
        assert "\n" in page, page
        body = page.split("\n", 1)[1]
        continued = re.search(r"\nnext lines=(\d+)-.*\Z", body)
        received += body[: continued.start() + 1] if continued else body
        if not continued:
            break
    # The last page ends with the receipt's line, where there is one.
    assert re.sub(r"\n(?:next [^\n]*|receipt [^\n]*)\Z", "\n", received) == text


@pytest.mark.parametrize("client", CLIENTS)
def test_the_first_request_has_the_tools(
    run_client: RunClient, spied_command: tuple[str, Path], report: Callable[[str], None], client: str
) -> None:
    """No client asks its model anything before the server has listed its tools; the times are printed."""
    command, notes = spied_command
    run = run_client(client, [call("status")], command)
    assert sorted(run.first_tools) == sorted(NAMES)
    started, listed = (float(part) for part in notes.read_text().splitlines()[0].split())
    assert listed <= run.first_request_s
    report(
        f"{client}: tools listed {(listed - started) * 1000:.0f} ms after the server's start, "
        f"first request {(run.first_request_s - started) * 1000:.0f} ms after it"
    )


@pytest.mark.parametrize(("client", "flags"), [("claude-code", ["--continue"]), ("gemini-cli", ["--resume", "latest"])])
def test_a_resumed_conversation_is_reported_by_the_hooks(
    run_client: RunClient, spied_command: tuple[str, Path], client: str, flags: list[str]
) -> None:
    command, notes = spied_command
    run_client(client, [call("status")], command, flags)
    assert "hook resume" in notes.read_text().splitlines()
