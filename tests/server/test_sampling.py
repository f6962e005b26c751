"""Summaries by the client's own model: only where it is offered and enabled, and never needed."""

from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.types import CreateMessageRequestParams, CreateMessageResult, TextContent

from penstock.server.app import EngineSource, create_app
from penstock.server.config import load_config

pytestmark = pytest.mark.anyio


class Model:
    """A client's model: it writes one sentence and remembers what it was asked."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    async def __call__(self, context: ClientRequestContext, params: CreateMessageRequestParams) -> CreateMessageResult:
        content = params.messages[0].content
        assert isinstance(content, TextContent)
        self.prompts.append(content.text)
        reply = TextContent(type="text", text="The notes were read; the port goes on.")
        return CreateMessageResult(role="assistant", content=reply, model="scripted")


async def summary_of(root: Path, data: Path, *, is_enabled: bool, model: Model | None, mode: str) -> str:
    flags = {"data_dir": data, "session.ask_client_model": is_enabled}
    source = EngineSource(load_config(flags=flags, env={}, home=data), root)
    with anyio.fail_after(60):
        async with Client(create_app(source), mode=mode, sampling_callback=model) as client:
            await client.call_tool("read", {"path": "notes.md"})
            result = await client.call_tool("session", {"action": "summary"})
    source.close()
    block = result.content[0]
    assert isinstance(block, TextContent)
    assert not result.is_error, block.text
    return block.text


async def test_the_clients_model_writes_the_summary_when_enabled(root: Path, tmp_path: Path) -> None:
    model = Model()
    text = await summary_of(root, tmp_path / "data", is_enabled=True, model=model, mode="legacy")
    assert "The notes were read; the port goes on." in text
    assert "notes.md" in text
    assert "notes.md" in model.prompts[0]


@pytest.mark.parametrize(
    ("is_enabled", "has_model", "mode"), [(False, True, "legacy"), (True, False, "legacy"), (True, True, "auto")]
)
async def test_without_it_the_same_call_gives_the_extract(
    root: Path, tmp_path: Path, is_enabled: bool, has_model: bool, mode: str
) -> None:
    model = Model()
    text = await summary_of(root, tmp_path / "data", is_enabled=is_enabled, model=model if has_model else None, mode=mode)
    assert "notes.md" in text
    assert "the port goes on" not in text
    assert model.prompts == []
