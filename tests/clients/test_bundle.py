"""The .mcpb passes the official validator, and its server starts from the unpacked bundle."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from penstock.server.bundle import write_bundle
from penstock.server.toolset import TOOLS

pytestmark = [pytest.mark.clients, pytest.mark.timeout(400)]
CHECKOUT = Path(__file__).parents[2]
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "claude-ai", "version": "1"}}


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    bundle, _ = write_bundle(CHECKOUT, tmp_path / "dist")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


def test_the_official_tool_accepts_it(unpacked: Path, npm_bin: Path, tmp_path: Path) -> None:
    for command in (["validate", str(unpacked / "manifest.json")], ["pack", str(unpacked), str(tmp_path / "again.mcpb")]):
        done = subprocess.run([str(npm_bin / "mcpb"), *command], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_its_server_starts(unpacked: Path, repository: Path, tmp_path: Path) -> None:
    """As the desktop app starts it: the manifest's command with its variables filled in. Takes packages from the registry."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    launch = json.loads((unpacked / "manifest.json").read_text("utf-8"))["server"]["mcp_config"]
    filled = [
        one.replace("${__dirname}", str(unpacked)).replace("${user_config.folder}", str(repository)) for one in launch["args"]
    ]
    lines = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    hidden = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    with (
        (tmp_path / "errors").open("w") as errors,
        subprocess.Popen(
            [uv, *filled],
            cwd=tmp_path,
            env={**variables, "PENSTOCK_DATA_DIR": str(tmp_path / "data")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as server,
    ):
        assert server.stdin
        assert server.stdout
        server.stdin.write("".join(json.dumps(line) + "\n" for line in lines))
        server.stdin.flush()
        first, second = (server.stdout.readline() for _ in range(2))
        server.stdin.close()
        server.wait(30)
    assert first, (tmp_path / "errors").read_text()[-3000:]
    assert [tool["name"] for tool in json.loads(second)["result"]["tools"]] == [tool.name for tool in TOOLS]
