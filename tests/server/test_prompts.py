"""Prompts, resources and completions through a real client."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from mcp import Client, MCPError
from mcp.server import MCPServer
from mcp.types import PromptReference, ResourceTemplateReference, TextContent, TextResourceContents

from penstock.cache.deadline import Deadline
from penstock.cache.errors import UnknownHandle
from penstock.server.prompts import HANDLE_URI, SUMMARY_URI, HandleLine, PromptSources, register_prompts

pytestmark = pytest.mark.anyio


def content(deadline: Deadline, handle: str) -> str:
    deadline.check()
    if handle != "h00aa":
        raise UnknownHandle(f"{handle} is not known", next_call="read the path again")
    return "the exact text"


SOURCES = PromptSources(
    resume=lambda deadline, session: f"resume of {session or 'the last one'}",
    explore=lambda deadline, path: f"{path or '.'}/ 3 files",
    summary=lambda deadline, session: f"summary of {session}",
    sessions=lambda: ["parser-port", "one", "one"],
    handles=lambda: [HandleLine("h00aa", 1_200, "src/a.py"), HandleLine("h00bb", 5, "make")],
    content=content,
    folders=lambda prefix: [folder for folder in ("src/", "src/deep/", "tests/") if folder.startswith(prefix)],
    status=lambda deadline: "status · pressure NORMAL",
)


@pytest.fixture
def server() -> MCPServer[object]:
    server: MCPServer[object] = MCPServer("test")
    register_prompts(server, lambda: SOURCES)
    return server


def text_of(part: object) -> str:
    assert isinstance(part, TextContent | TextResourceContents)
    return part.text


async def test_the_prompts_are_listed_with_optional_arguments(server: MCPServer[object]) -> None:
    async with Client(server) as client:
        prompts = (await client.list_prompts()).prompts
    assert [prompt.name for prompt in prompts] == ["resume", "explore"]
    assert [(one.name, bool(one.required)) for prompt in prompts for one in prompt.arguments or ()] == [
        ("session", False),
        ("path", False),
    ]


async def test_resume_and_explore_give_their_texts(server: MCPServer[object]) -> None:
    async with Client(server) as client:
        last = await client.get_prompt("resume", {})
        named = await client.get_prompt("resume", {"session": "one"})
        explore = await client.get_prompt("explore", {"path": "src"})
    assert text_of(last.messages[0].content) == "resume of the last one"
    assert text_of(named.messages[0].content) == "resume of one"
    assert "src/ 3 files" in text_of(explore.messages[0].content)
    assert "search(" in text_of(explore.messages[0].content)


async def test_resources_give_status_handles_and_summaries(server: MCPServer[object]) -> None:
    async with Client(server) as client:
        listed = {str(resource.uri) for resource in (await client.list_resources()).resources}
        templates = {template.uri_template for template in (await client.list_resource_templates()).resource_templates}
        texts = [
            text_of((await client.read_resource(uri)).contents[0])
            for uri in ("penstock://status", "penstock://handles", "penstock://handles/h00aa", "penstock://summaries/one")
        ]
    assert listed == {"penstock://status", "penstock://handles"}
    assert templates == {HANDLE_URI, SUMMARY_URI}
    assert texts == [
        "status · pressure NORMAL",
        "h00aa · 1,200 tok · src/a.py\nh00bb · 5 tok · make",
        "the exact text",
        "summary of one",
    ]


async def test_a_handle_that_is_not_known_is_an_error_with_the_next_call(server: MCPServer[object]) -> None:
    async with Client(server) as client:
        with pytest.raises(MCPError, match="read the path again"):
            await client.read_resource("penstock://handles/hffff")


@pytest.mark.parametrize("hostile", ["..%2f..%2fetc", "../../etc"])
async def test_a_path_in_a_template_is_refused(server: MCPServer[object], hostile: str) -> None:
    async with Client(server) as client:
        with pytest.raises(MCPError):
            await client.read_resource(f"penstock://handles/{hostile}")


@pytest.mark.parametrize(
    ("ref", "argument", "expected"),
    [
        (PromptReference(name="resume"), ("session", ""), ["parser-port", "one"]),
        (PromptReference(name="resume"), ("session", "pa"), ["parser-port"]),
        (PromptReference(name="explore"), ("path", "src/"), ["src/", "src/deep/"]),
        (PromptReference(name="explore"), ("unknown", ""), []),
        (PromptReference(name="other"), ("session", ""), []),
        (ResourceTemplateReference(uri=HANDLE_URI), ("handle", "h00b"), ["h00bb"]),
        (ResourceTemplateReference(uri=SUMMARY_URI), ("session", "o"), ["one"]),
    ],
)
async def test_arguments_are_completed(
    server: MCPServer[object], ref: PromptReference | ResourceTemplateReference, argument: tuple[str, str], expected: list[str]
) -> None:
    async with Client(server) as client:
        result = await client.complete(ref, {"name": argument[0], "value": argument[1]})
    assert result.completion.values == expected


async def test_at_most_a_hundred_completions_are_sent_and_the_rest_counted() -> None:
    server: MCPServer[object] = MCPServer("test")
    many: Callable[[], list[str]] = lambda: [f"s{number}" for number in range(150)]  # noqa: E731
    register_prompts(server, lambda: replace(SOURCES, sessions=many))
    async with Client(server) as client:
        result = await client.complete(PromptReference(name="resume"), {"name": "session", "value": "s"})
    assert (len(result.completion.values), result.completion.total, result.completion.has_more) == (100, 150, True)


async def test_the_sources_are_asked_for_on_first_use_only() -> None:
    """The engine is built by the first call that needs it, never by listing."""
    asked: list[int] = []

    def sources() -> PromptSources:
        asked.append(1)
        return SOURCES

    server: MCPServer[object] = MCPServer("test")
    register_prompts(server, sources)
    async with Client(server) as client:
        await client.list_prompts()
        await client.list_resources()
        assert asked == []
        await client.get_prompt("resume", {})
        assert asked == [1]
