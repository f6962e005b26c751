"""Every client of the design is known, under the names that people type."""

from pathlib import Path

import pytest

from penstock.server.clients.catalogue import Machine, Syntax, client_keys, client_spec, server_arguments
from penstock.server.clients.hook_wiring import hooks_of


def test_all_clients_of_the_design_are_known() -> None:
    assert set(client_keys()) == {
        *["claude-desktop", "claude-code", "cursor", "vscode", "windsurf", "codex", "gemini-cli", "opencode", "zed"],
        *["jetbrains", "cline", "continue"],
    }


@pytest.mark.parametrize(
    ("typed", "key"),
    [("Claude Desktop", "claude-desktop"), ("claude_code", "claude-code"), ("claude", "claude-code"), ("VS Code", "vscode")],
)
def test_names_are_taken_as_people_type_them(typed: str, key: str) -> None:
    spec = client_spec(typed)
    assert spec is not None
    assert spec.key == key


def test_other_names_are_not_known() -> None:
    assert client_spec("emacs") is None


def test_every_client_is_told_its_root_or_started_in_it() -> None:
    for key in client_keys():
        spec = client_spec(key)
        assert spec is not None
        assert server_arguments(spec, "/src") == ["serve", "--root", "/src"]
        assert server_arguments(spec, "") in (["serve"], ["serve", "--root", "${workspaceFolder}"])
        assert spec.shape("p", ["a"])
        assert (spec.syntax is Syntax.TOML) == (key == "codex")
        assert bool(hooks_of(key)) == (spec.hook_files is not None)


def test_environment_variables_move_the_files(tmp_path: Path) -> None:
    machine = Machine(tmp_path, tmp_path, "linux", {"CODEX_HOME": "/c", "CLAUDE_CONFIG_DIR": "/d", "XDG_CONFIG_HOME": "/x"})
    files: list[Path] = []
    for key in ("codex", "claude-code", "opencode", "zed"):
        spec = client_spec(key)
        assert spec is not None
        files.append(spec.user_files(machine)[0])
    assert files == [
        Path("/c/config.toml"),
        Path("/d/.claude.json"),
        Path("/x/opencode/opencode.json"),
        Path("/x/zed/settings.json"),
    ]


def test_a_machine_names_the_folders_of_each_platform(tmp_path: Path) -> None:
    linux = Machine(tmp_path, tmp_path, "linux", {"XDG_CONFIG_HOME": str(tmp_path / "x")})
    assert linux.application_data == tmp_path / "x"
    assert Machine(tmp_path, tmp_path, "darwin").application_data == tmp_path / "Library" / "Application Support"
    windows = Machine(tmp_path, tmp_path, "win32", {"APPDATA": str(tmp_path / "r")})
    assert windows.application_data == tmp_path / "r"
