"""The commands, run as a user runs them."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import Connect
from tests.pipe import parts_of


def penstock(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-P", "-m", "penstock.server", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, stdin=subprocess.DEVNULL, check=False)


def test_doctor_checks_every_part(root: Path, tmp_path: Path) -> None:
    found = penstock("doctor", "--json", "--root", str(root), "--data-dir", str(tmp_path / "data"), cwd=tmp_path)
    report = json.loads(found.stdout)
    assert found.returncode == 0, report
    assert report["ok"]
    assert {check["name"] for check in report["checks"]} >= {
        "confinement",
        "walk",
        "memory limits",
        "tokenizer",
        "index worker",
        "sqlite",
    }


def test_restore_writes_the_exact_bytes_after_the_server_has_gone(connect: Connect, root: Path, tmp_path: Path) -> None:
    client = connect()
    handle = parts_of(client.call("read", path="src/big.py", view="outline"))[0]["handle"]
    client.close()
    original = (root / "src/big.py").read_bytes()
    (root / "src/big.py").unlink()
    found = penstock("restore", handle, "--root", str(root), "--data-dir", str(tmp_path / "data"), cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout == original


def test_an_unknown_handle_is_an_error_with_a_next_step(root: Path, tmp_path: Path) -> None:
    found = penstock("restore", "h000000000000", "--root", str(root), "--data-dir", str(tmp_path / "data"), cwd=tmp_path)
    assert found.returncode == 2
    assert b"Next: " in found.stderr
    assert found.stdout == b""


def test_config_shows_every_setting_and_its_origin(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PENSTOCK_MEMORY_LEDGER_MB": "48", "PATH": "/usr/bin"}
    shown = json.loads(penstock("config", "--json", cwd=tmp_path, env=env).stdout)
    assert shown["settings"]["memory.ledger_mb"] == {"value": 48, "source": "environment"}
    assert shown["settings"]["calls.threads"]["source"] == "default"


def test_a_wrong_setting_stops_the_server_with_a_message_not_a_traceback(root: Path, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PENSTOCK_MEMORY_LEDGERMB": "48", "PATH": "/usr/bin"}
    found = penstock("serve", "--root", str(root), cwd=tmp_path, env=env)
    assert found.returncode == 2
    assert b"PENSTOCK_MEMORY_LEDGER_MB" in found.stderr
    assert b"Traceback" not in found.stderr


def test_the_demo_keeps_every_promise_on_a_small_folder(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for i in range(60):
        (folder / f"module_{i}.py").write_text(f"def work_{i}(value: int) -> int:\n    return value * {i}\n\n\n" * 700)
    (folder / "types.py").write_text("raise SystemExit('imported from the workspace')\n")
    (folder / "table.csv").write_text("name,value,note\n" * 24_000)
    (folder / "picture.bin").write_bytes(bytes(range(256)) * 4_000)
    found = penstock("demo", ".", "--json", cwd=folder)
    result = json.loads(found.stdout)
    assert result["broken"] == []
    assert found.returncode == 0
    assert result["left"] > 0
    assert result["came_back"] > 0
    assert len(result["levels"]) > 1


def test_the_client_files_start_a_server_as_they_say(root: Path, tmp_path: Path) -> None:
    """The JSON that users paste, with its placeholder filled in."""
    import os

    folder = Path(__file__).parents[2] / "configs" / "clients"
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    for name in ("claude_desktop.json", "cursor.json"):
        shown = json.loads((folder / name).read_text())
        blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", readme, re.DOTALL)]
        entry = shown["mcpServers"]["penstock"]
        assert any(block["mcpServers"]["penstock"]["command"] == entry["command"] for block in blocks)
        at = entry["args"].index("--root") + 1
        arguments = [*entry["args"][:at], str(root), *entry["args"][at + 1 :]]
        command = str(Path(sys.executable).parent / entry["command"])
        info = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "claude-ai", "version": "1"}}
        hello = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": info})
        env = {**os.environ, "PENSTOCK_DATA_DIR": str(tmp_path / "data")}
        process = subprocess.Popen([command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, cwd=tmp_path)
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(hello.encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            process.stdin.close()
        assert answer["result"]["serverInfo"]["name"] == "penstock"
