"""`penstock facts`, run as a user runs it, beside the real server."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Connect


class Command:
    """Runs `penstock facts` on one workspace."""

    def __init__(self, root: Path, data_dir: Path) -> None:
        self.places = ["--root", str(root), "--data-dir", str(data_dir)]
        self.cwd = data_dir.parent

    def __call__(self, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        command = [sys.executable, "-m", "penstock.server", "facts", *arguments, *self.places]
        return subprocess.run(command, cwd=self.cwd, input=stdin, capture_output=True, check=False)


@pytest.fixture
def facts(root: Path, tmp_path: Path) -> Command:
    return Command(root, tmp_path / "data")


def test_what_one_workspace_remembers_another_takes_over(connect: Connect, facts: Command, root: Path, tmp_path: Path) -> None:
    client = connect()
    client.text("memory", action="remember", topic="pool limit", fact="100 connections", evidence="src/app.py:1-3")
    client.text("memory", action="remember", topic="pool limit", fact="250 connections", evidence="src/app.py:4")
    client.close()
    file = tmp_path / "facts.jsonl"
    assert facts("export", str(file)).stdout == b""
    assert facts("export").stdout == file.read_bytes()
    assert [json.loads(line)["value"] for line in file.read_text().splitlines()] == ["100 connections", "250 connections"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".facts*"))
    other = Command(root, tmp_path / "other")
    assert json.loads(other("import", str(file), "--json").stdout) == {"added": 2, "known": 0, "ended": 0, "refused": []}
    assert json.loads(other("import", str(file), "--json").stdout) == {"added": 0, "known": 2, "ended": 0, "refused": []}
    assert other("export").stdout == file.read_bytes()
    with connect(root=root) as again:
        text = again.text("memory", action="recall", query="pool limit")
    assert "replaced f1: 100 connections" in text
    assert "evidence src/app.py:4-4 holds" in text


def test_lines_that_cannot_be_taken_are_named_and_the_rest_is_imported(facts: Command) -> None:
    good = json.dumps({"topic": "a", "value": "ü 1", "valid_from": 1}, ensure_ascii=False).encode()
    secret = b'{"topic": "db", "value": "the password is hunter2", "valid_from": 1}'
    lines = [b"\xef\xbb\xbf" + good, b"{broken", b"", secret, b"\xff\xfe", b"x" * 1_000_000, good.replace(b'"a"', b'"b"')]
    found = facts("import", "-", stdin=b"\r\n".join(lines))
    assert found.returncode == 1
    assert found.stdout.decode().splitlines() == [
        "2 facts added, 0 were here, 0 ended by a later value",
        "line 2 refused: not JSON",
        "line 4 refused: the fact is not stored: it holds a password, a key or a token",
        "line 5 refused: not JSON",
        "line 6 refused: longer than 64,000 characters",
    ]
    assert b"hunter2" not in facts("export").stdout
    assert [json.loads(line)["topic"] for line in facts("export").stdout.splitlines()] == ["a", "b"]


def test_an_imported_value_and_one_that_is_here_are_decided_by_validity(connect: Connect, facts: Command) -> None:
    connect().text("memory", action="remember", topic="port", fact="8080")
    older, newer = ({"topic": "port", "value": value, "valid_from": at} for value, at in (("8000", 5), ("9090", 9_000_000_000)))
    found = facts("import", "-", stdin=json.dumps(older).encode())
    assert found.stdout == b"1 facts added, 0 were here, 1 ended by a later value\n"
    assert facts("import", "-", stdin=json.dumps(newer).encode()).returncode == 0
    kept = [json.loads(line) for line in facts("export").stdout.splitlines()]
    assert {one["value"]: one["valid_until"] is None for one in kept} == {"8000": False, "8080": False, "9090": True}


@pytest.mark.parametrize("arguments", [("import", "missing.jsonl"), ("export", "no/such/folder/facts.jsonl")])
def test_a_file_that_cannot_be_used_is_an_error_with_a_next_step(facts: Command, arguments: tuple[str, ...]) -> None:
    found = facts(*arguments)
    assert found.returncode == 2
    assert b"Next: penstock facts" in found.stderr
    assert b"Traceback" not in found.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_facts_that_could_not_be_stored_are_not_called_imported(facts: Command, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    found = facts("import", "-", stdin=b'{"topic": "a", "value": "b", "valid_from": 1}')
    assert found.returncode == 2
    assert b"added" not in found.stdout


@pytest.mark.parametrize(("arguments", "expected"), [((), b"export|import"), (("import",), b"FILE"), (("export",), b"--root")])
def test_the_command_explains_itself(facts: Command, arguments: tuple[str, ...], expected: bytes) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "penstock.server", "facts", *arguments, "--help"], capture_output=True, check=True
    )
    assert expected in found.stdout
