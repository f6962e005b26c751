"""The static answers are the SDK's own, each request is answered once, and everything else reaches the SDK."""

import io
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.server.front import Front, load_answers
from penstock.server.version import VERSION
from penstock.server.wire import WireReader, WireWriter
from tests.conftest import Connect
from tests.pipe import Era
from tests.regenerate import HANDSHAKE, sdk_answers

INFO = {"name": "x", "version": "1"}


def test_the_static_answers_are_what_the_sdk_answers(tmp_path: Path) -> None:
    """If this fails after a wanted change: python -m tests.regenerate."""
    assert load_answers() == sdk_answers(tmp_path)


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION


@pytest.mark.parametrize("wanted", [*HANDSHAKE, "1999-01-01"])
def test_every_handshake_is_negotiated_as_the_sdk_does(connect: Connect, wanted: str) -> None:
    found: list[dict[str, Any]] = []
    for options in ([], ["--plain-start"]):
        client = connect(connect=False, options=options)
        found.append(client.request("initialize", {"protocolVersion": wanted, "capabilities": {}, "clientInfo": INFO}))
        client.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        found[-1]["tools"] = client.tools()
    assert found[0] == found[1]


def test_each_request_is_answered_once(connect: Connect, era: Era) -> None:
    client = connect(era=era)
    client.tools()
    assert client.text("read", path="notes.md").startswith("notes.md")
    assert not any(client.has_answer(request) for request in range(1, 4))
    assert client.tools() == load_answers()["tools"]


def test_requests_sent_at_once_before_the_sdk_is_there_are_all_answered(connect: Connect) -> None:
    client = connect(connect=False)
    first = client.start("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": INFO})
    client.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
    rest = [client.start("tools/list", {}), client.start("ping", {})]
    rest += [client.start("tools/call", {"name": "read", "arguments": {"path": "notes.md"}}) for _ in range(5)]
    assert "result" in client.wait(first)
    assert all("result" in client.wait(request) for request in rest)


def run_front(lines: list[bytes]) -> tuple[list[dict[str, Any]], list[str]]:
    """Feed a front and return what it answered and what it handed on."""
    read_fd, write_fd = os.pipe()
    out = io.BytesIO()
    with os.fdopen(write_fd, "wb") as feed:
        feed.write(b"".join(lines))
    with os.fdopen(read_fd, "rb") as raw:
        front = Front(WireReader(raw, lambda _: None), WireWriter(io.BufferedWriter(NoClose(out)), lambda: None), load_answers())
        front.start()
        front._thread.join(10)  # pyright: ignore[reportPrivateUsage]
        handed = anyio.run(handed_on, front)
    return [json.loads(line) for line in out.getvalue().splitlines()], handed


async def handed_on(front: Front) -> list[str]:
    with anyio.fail_after(10):
        return [line async for line in front]


class NoClose(io.RawIOBase):
    """Passes writes on and survives the writer's end."""

    def __init__(self, target: io.BytesIO) -> None:
        self._target = target

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._target.write(bytes(data))


@given(st.lists(st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"") + b"\n"), max_size=8))
def test_whatever_comes_is_handed_on_unchanged(lines: list[bytes]) -> None:
    answered, handed = run_front(lines)
    assert answered == []
    assert handed == [line.decode("utf-8", "replace") for line in lines]


def test_a_modern_request_without_capabilities_is_the_sdks_business() -> None:
    line = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/list",
        "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}},
    }
    answered, handed = run_front([json.dumps(line).encode() + b"\n"])
    assert answered == []
    assert len(handed) == 1


def test_the_tool_list_before_a_handshake_is_the_sdks_business() -> None:
    answered, _ = run_front([b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}\n'])
    assert answered == []
