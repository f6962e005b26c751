"""The app behind the official client, in memory: no process, no pipe."""

import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import TextContent

from penstock.server.app import EngineSource, create_app
from penstock.server.config import load_config
from penstock.tools.answer import Answer
from penstock.tools.call import Call

pytestmark = pytest.mark.anyio


@pytest.fixture
def source(root: Path, tmp_path: Path) -> EngineSource:
    return EngineSource(load_config(flags={"data_dir": tmp_path / "data"}, env={}, home=tmp_path), root)


@pytest.fixture(params=["legacy", "auto"])
async def client(request: pytest.FixtureRequest, source: EngineSource) -> AsyncIterator[Client]:
    with anyio.fail_after(60):
        async with Client(create_app(source), mode=request.param) as connected:
            yield connected
    source.close()


def text_of(result: Any) -> str:
    block = result.content[0]
    assert isinstance(block, TextContent)
    return block.text


@pytest.mark.parametrize(
    ("tool", "arguments", "start"),
    [
        ("read", {"path": "src/app.py"}, "src/app.py · full"),
        ("read", {"path": '["src/app.py", "notes.md"]'}, "notes.md · full"),
        ("search", {"query": "greeting"}, 'search "greeting"'),
        ("compress", {"source": "src/app.py"}, "src/app.py"),
        ("evict", {"targets": "src/app.py"}, "evict · "),
        ("status", {}, "status · pressure NORMAL"),
    ],
)
async def test_each_tool_answers_one_text_block(client: Client, tool: str, arguments: dict[str, Any], start: str) -> None:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert text_of(result).startswith(start)
    assert len(result.content) == 1
    assert result.structured_content is None


async def test_a_call_beyond_its_deadline_is_stopped_and_says_so(root: Path, tmp_path: Path) -> None:
    flags = {"data_dir": tmp_path / "data", "calls.deadline_s": 0.2}
    source = EngineSource(load_config(flags=flags, env={}, home=tmp_path), root)
    started = threading.Event()

    def endless(call: Call, **_: Any) -> Answer:
        started.set()
        while True:
            call.deadline.check()

    tools: Any = source.engine()._tools  # pyright: ignore[reportPrivateUsage]
    tools["status"] = endless
    with anyio.fail_after(30):
        async with Client(create_app(source)) as client:
            result = await client.call_tool("status", {})
    assert started.is_set()
    assert text_of(result).startswith("error deadline: ")
    source.close()


FAILURES = (RuntimeError("secret detail"), MemoryError(), RecursionError(), SystemExit(3), KeyboardInterrupt())


@pytest.mark.parametrize(
    "failure", [RuntimeError("secret detail"), MemoryError(), RecursionError(), SystemExit(3), KeyboardInterrupt()]
)
async def test_whatever_a_tool_raises_becomes_an_error_result(
    client: Client, source: EngineSource, failure: BaseException
) -> None:
    def failing(_: Call, **__: Any) -> Answer:
        raise failure

    tools: Any = source.engine()._tools  # pyright: ignore[reportPrivateUsage]
    tools["status"] = failing
    result = await client.call_tool("status", {})
    assert result.is_error
    assert "secret detail" not in text_of(result)
    assert not (await client.call_tool("read", {"path": "notes.md"})).is_error


async def test_progress_reaches_a_client_that_asks_for_it(client: Client, source: EngineSource) -> None:
    heard: list[tuple[float, float | None, str | None]] = []
    told = threading.Event()

    def working(call: Call, **_: Any) -> Answer:
        for done in range(1, 1 << 30):
            call.deadline.check()
            call.progress(done, 0, "working")
            if told.wait(0.01):
                break
        return Answer("done")

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))
        told.set()

    tools: Any = source.engine()._tools  # pyright: ignore[reportPrivateUsage]
    tools["status"] = working
    result = await client.call_tool("status", {}, progress_callback=listen)
    assert text_of(result) == "done"
    assert heard
    assert heard[0][1:] == (None, "working")


async def test_a_call_that_counts_nothing_is_heard_of_while_it_is_at_work(client: Client, source: EngineSource) -> None:
    heard: list[tuple[float, str | None]] = []
    told = threading.Event()

    def silent(call: Call, **_: Any) -> Answer:
        assert told.wait(30)
        return Answer("done")

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message))
        if len(heard) == 2:
            told.set()

    tools: Any = source.engine()._tools  # pyright: ignore[reportPrivateUsage]
    tools["status"] = silent
    assert text_of(await client.call_tool("status", {}, progress_callback=listen)) == "done"
    assert heard[0][0] < heard[1][0]
    assert heard[0][1] is not None
    assert heard[0][1].startswith("status has been at work for ")
