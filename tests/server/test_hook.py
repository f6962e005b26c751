"""`penstock hook` in its own process takes receipts away from the servers of the workspace, and from nobody else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Connect
from tests.pipe import PipeClient, parts_of


def hook(event: str, root: Path, data: Path) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "penstock.server", "hook", event, "--root", str(root)]
    env = {"PENSTOCK_DATA_DIR": str(data), "HOME": str(data), "PATH": "/usr/bin"}
    return subprocess.run(command, env=env, capture_output=True, check=False)


@pytest.mark.parametrize("event", ["compact", "clear", "resume", "rewind", "fork", "subagent"])
def test_an_event_revokes_every_receipt(connect: Connect, root: Path, tmp_path: Path, event: str) -> None:
    client = connect()
    receipt = parts_of(client.call("read", path="notes.md", view="full"))[0]["receipt"]
    done = hook(event, root, tmp_path / "data")
    assert (done.returncode, done.stdout) == (0, b"")
    assert parts_of(client.call("read", path="notes.md", have=receipt))[0]["view"] == "full"


def test_another_workspace_keeps_its_receipts(connect: Connect, root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    client: PipeClient = connect()
    receipt = parts_of(client.call("read", path="notes.md", view="full"))[0]["receipt"]
    hook("compact", other, tmp_path / "data")
    assert parts_of(client.call("read", path="notes.md", have=receipt))[0]["view"] == "unchanged"


def test_a_failing_hook_never_vetoes_the_clients_work(root: Path) -> None:
    done = hook("compact", root, Path("/dev/null"))
    assert done.returncode == 1
    assert done.stdout == b""
