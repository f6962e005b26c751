"""The two commands end to end, in a home of their own."""

import argparse
import json
from pathlib import Path

import pytest

from penstock.server.clients.command import add_install_flags, add_uninstall_flags, run_install, run_uninstall


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return tmp_path


def install_options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_install_flags(parser)
    return parser.parse_args(arguments)


def uninstall_options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_uninstall_flags(parser)
    return parser.parse_args(arguments)


def test_install_and_uninstall_leave_the_home_as_it_was(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_install(install_options("cursor", "--yes", "--root", "~/project"), home / "data") == 0
    entry = json.loads((home / ".cursor" / "mcp.json").read_text())["mcpServers"]["penstock"]
    assert entry["args"] == ["serve", "--root", str(home / "project")]
    assert "cursor://" in capsys.readouterr().out
    assert run_uninstall(uninstall_options("cursor", "--yes"), home / "data") == 0
    assert sorted(one.name for one in home.rglob("*")) in (["data", "project"], ["project"])


def test_a_project_file_names_the_program_without_its_folder(home: Path) -> None:
    assert run_install(install_options("vscode", "--yes", "--project"), home / "data") == 0
    entry = json.loads((home / "project" / ".vscode" / "mcp.json").read_text())["servers"]["penstock"]
    assert entry == {"type": "stdio", "command": "penstock", "args": ["serve", "--root", "${workspaceFolder}"]}


def test_nothing_is_written_where_nobody_can_answer(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard input is no terminal in a test."""
    assert run_install(install_options("codex"), home / "data") == 1
    assert not (home / ".codex").exists()
    assert "--yes" in capsys.readouterr().out
