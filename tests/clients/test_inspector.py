"""The MCP inspector's command line against the stdio server, in the handshake era and in the modern one."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from penstock.server.toolset import TOOLS

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]


@pytest.fixture(params=["legacy", "modern"])
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Inspector:
    """Calls the inspector; `ok` answers are parsed, `code` is its exit code."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.command = command
        self.folder = folder

    def call(self, method: str, *flags: str) -> tuple[int, Any]:
        done = subprocess.run(
            [*self.command, "--method", method, "--format", "json", *flags],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else done.stderr


@pytest.fixture
def inspector(npm_bin: Path, penstock_command: str, repository: Path, tmp_path: Path, era: str) -> Inspector:
    node, script = str(npm_bin / "node"), str((npm_bin / "mcp-inspector").resolve())
    server = [penstock_command, "serve", "--root", str(repository), "--data-dir", str(tmp_path / "data")]
    return Inspector([node, script, "--cli", *server, "--protocol-era", era], repository)


def text_of(answer: Any) -> str:
    result = answer["result"]
    assert [block["type"] for block in result["content"]] == ["text"]
    assert "structuredContent" not in result
    return str(result["content"][0]["text"])


def test_it_lists_the_tools_in_their_order(inspector: Inspector) -> None:
    code, answer = inspector.call("tools/list")
    assert code == 0, answer
    assert [tool["name"] for tool in answer["result"]["tools"]] == [tool.name for tool in TOOLS]


def test_it_reads_a_file_byte_for_byte(inspector: Inspector, repository: Path) -> None:
    arguments = json.dumps({"path": "cache/errors.py", "view": "full"})
    code, answer = inspector.call("tools/call", "--tool-name", "read", "--tool-args-json", arguments)
    assert code == 0, answer
    assert (repository / "cache" / "errors.py").read_text("utf-8") in text_of(answer)
    part = answer["result"]["_meta"]["penstock/parts"][0]
    start, end = part["body"]
    assert text_of(answer)[start:end] == (repository / "cache" / "errors.py").read_text("utf-8")


def test_a_wrong_call_is_an_error_that_says_what_to_do(inspector: Inspector) -> None:
    code, answer = inspector.call("tools/call", "--tool-name", "read", "--tool-args-json", json.dumps({"path": "no/such/file"}))
    assert code == 5, answer
    assert answer["result"]["isError"] is True
    assert "Next:" in text_of(answer)


def test_it_initializes(inspector: Inspector) -> None:
    code, answer = inspector.call("initialize")
    assert code == 0, answer
    assert answer["result"]["serverInfo"]["name"] == "penstock"
    assert answer["result"]["instructions"]
