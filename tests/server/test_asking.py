"""Questions to a person, put by a real client in both eras: answered, declined, cancelled, answered badly, not at all."""

import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, cast

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.context import ClientRequestContext
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, ListRootsResult, Root, TextContent

from penstock.server.app import EngineSource, create_app
from penstock.server.asking import Person as AskedPerson
from penstock.server.config import ConfigError, load_config
from penstock.server.roots import ROOT_FIX

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::mcp.MCPDeprecationWarning")]

Mode = Literal["legacy", "auto"]
MODES: list[Mode] = ["legacy", "auto"]
REPLACES = "the new value replaces the old one"
BOTH = "both stay valid"
NO_ROOT = ConfigError("the current folder is no project", next_call=ROOT_FIX)
OLD = "the old value stays, the new one is not recorded"


class Person:
    """Answers every question with what the reply makes of it, and remembers what was asked."""

    def __init__(self, reply: Callable[[], ElicitResult]) -> None:
        self.reply = reply
        self.asked: list[str] = []

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        return self.reply()


def accept(**content: Any) -> Callable[[], ElicitResult]:
    return lambda: ElicitResult(action="accept", content=content)


def refuse(action: Literal["decline", "cancel"]) -> Callable[[], ElicitResult]:
    return lambda: ElicitResult(action=action)


@asynccontextmanager
async def started(
    tmp_path: Path,
    mode: Mode,
    person: Person | None,
    *,
    root: Path | None = None,
    roots: list[Path] | None = None,
    is_stdio: bool = False,
) -> AsyncGenerator[Client]:
    """A server started in the home folder, in a process of its own or in this one."""

    async def listed(context: ClientRequestContext) -> ListRootsResult:
        return ListRootsResult(roots=[Root.model_validate({"uri": folder.as_uri()}) for folder in roots or []])

    home, data = tmp_path / "home", tmp_path / "data"
    variables = {name: value for name, value in os.environ.items() if name not in ("CLAUDE_PROJECT_DIR", "PENSTOCK_ROOT")}
    variables["HOME"] = str(home)
    command = ["-m", "penstock.server", "serve", "--data-dir", str(data), *(["--root", str(root)] if root else [])]
    config = load_config(flags={"data_dir": data}, env={}, home=home)
    source = EngineSource(config, root, NO_ROOT)
    process = StdioServerParameters(command=sys.executable, args=command, env=variables, cwd=home)
    with anyio.fail_after(60):
        async with Client(
            process if is_stdio else create_app(source, home=home),
            mode=mode,
            elicitation_callback=person,
            list_roots_callback=listed if roots is not None else None,
        ) as client:
            yield client
    source.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "project"
    folder.mkdir(parents=True)
    (folder / "notes.md").write_text("# Notes\n")
    return folder


def text_of(result: CallToolResult) -> str:
    block = result.content[0]
    assert isinstance(block, TextContent)
    return block.text


@pytest.mark.parametrize("mode", MODES)
async def test_without_a_root_a_person_is_asked_once(tmp_path: Path, project: Path, mode: Mode) -> None:
    person = Person(accept(folder=str(project)))
    async with started(tmp_path, mode, person, is_stdio=True) as client:
        assert "# Notes" in text_of(await client.call_tool("read", {"path": "notes.md"}))
        assert "# Notes" in text_of(await client.call_tool("read", {"path": "notes.md"}))
    assert len(person.asked) == 1
    assert "Which folder" in person.asked[0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "reply", [refuse("decline"), refuse("cancel"), accept(folder=7), accept(other="x"), accept(folder="  "), None]
)
async def test_no_answer_gives_the_typed_error_and_the_server_lives(
    tmp_path: Path, home: Path, mode: Mode, reply: Callable[[], ElicitResult] | None
) -> None:
    person = Person(reply) if reply else None
    async with started(tmp_path, mode, person) as client:
        for _ in range(2):
            result = await client.call_tool("read", {"path": "notes.md"})
            assert result.is_error
            assert text_of(result).startswith("error config: the current folder is ")
            assert '"--root"' in text_of(result)
        assert len((await client.list_tools()).tools) == 8
    assert person is None or len(person.asked) == 1


@pytest.mark.parametrize("mode", MODES)
async def test_a_process_without_an_answer_says_what_to_do(tmp_path: Path, home: Path, mode: Mode) -> None:
    async with started(tmp_path, mode, Person(refuse("decline")), is_stdio=True) as client:
        result = await client.call_tool("read", {"path": "notes.md"})
        assert result.is_error
        assert '"--root"' in text_of(result)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("folder", ["/", "~/", "relative/path", "/no/such/folder"])
async def test_a_folder_that_may_not_be_one_is_refused(tmp_path: Path, home: Path, mode: Mode, folder: str) -> None:
    person = Person(accept(folder=folder))
    async with started(tmp_path, mode, person) as client:
        result = await client.call_tool("read", {"path": "."})
        assert result.is_error
        assert text_of(result).startswith("error config: ")


@pytest.mark.parametrize("mode", MODES)
async def test_the_roots_of_the_client_go_before_a_question(tmp_path: Path, project: Path, mode: Mode) -> None:
    person = Person(accept(folder="/"))
    async with started(tmp_path, mode, person, roots=[tmp_path / "home", project]) as client:
        assert "# Notes" in text_of(await client.call_tool("read", {"path": "notes.md"}))
    assert person.asked == []


@pytest.mark.parametrize("mode", MODES)
async def test_roots_that_are_no_projects_leave_the_question(tmp_path: Path, project: Path, mode: Mode) -> None:
    person = Person(accept(folder=str(project)))
    async with started(tmp_path, mode, person, roots=[tmp_path / "home"]) as client:
        assert "# Notes" in text_of(await client.call_tool("read", {"path": "notes.md"}))
    assert len(person.asked) == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (accept(choice=OLD), "not recorded"),
        (accept(choice=BOTH), "still valid"),
        (accept(choice=REPLACES), "ended f1"),
        (refuse("decline"), "ended f1"),
        (refuse("cancel"), "ended f1"),
        (accept(choice="something else"), "ended f1"),
        (accept(choice=["x"]), "ended f1"),
        (None, "ended f1"),
    ],
)
async def test_a_person_decides_a_contradiction_where_the_client_can_ask(
    tmp_path: Path, project: Path, mode: Mode, reply: Callable[[], ElicitResult] | None, expected: str
) -> None:
    person = Person(reply) if reply else None
    async with started(tmp_path, mode, person, root=project, is_stdio=expected == "not recorded") as client:
        for fact in ("the limit is 10", "the limit is 20"):
            result = await client.call_tool("memory", {"action": "remember", "topic": "limit", "fact": fact})
        assert expected in text_of(result)
    assert person is None or (len(person.asked) == 1 and "limit" in person.asked[0])


async def test_a_person_who_never_answers_is_not_waited_for_long() -> None:
    class Session:
        async def elicit_form(self, *arguments: object) -> None:
            await anyio.sleep_forever()

    class Request:
        request_id = 1

    class Silent:
        protocol_version = "2025-06-18"
        session = Session()
        request_context = Request()

    with anyio.fail_after(5):
        assert await AskedPerson(cast(Context[Any], Silent()), wait_s=0.01).fill("key", "which?", {}) == {}
