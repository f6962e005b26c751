"""`penstock install` and `uninstall`: what is asked, shown, written, kept and undone."""

import json
from pathlib import Path

import pytest

from penstock.server.clients.catalogue import client_spec
from penstock.server.clients.jsonc import loads
from penstock.server.clients.planning import InstallOptions
from penstock.server.clients.refusal import EditRefused
from tests.server.clients.conftest import OPTIONS, Bench, put, tree, user_file


def test_what_the_user_changed_since_stays(bench: Bench) -> None:
    path = user_file(bench, "cursor")
    put(path, '{\n  "theme": "dark"\n}\n')
    assert bench.installer.install("cursor", OPTIONS, yes=True) == 0
    path.write_text(path.read_text().replace('"dark",', '"light", // better'))
    assert bench.installer.uninstall("cursor", yes=True) == 0
    assert path.read_text() == '{\n  "theme": "light" // better\n}\n'


def test_a_server_that_the_user_added_since_stays(bench: Bench) -> None:
    path = user_file(bench, "cursor")
    assert bench.installer.install("cursor", OPTIONS, yes=True) == 0
    path.write_text(path.read_text().replace('"penstock": {', '"git": {"command": "g"},\n    "penstock": {'))
    assert bench.installer.uninstall("cursor", yes=True) == 0
    assert loads(path.read_text()) == {"mcpServers": {"git": {"command": "g"}}}


def test_a_changed_entry_keeps_the_keys_that_the_user_added(bench: Bench) -> None:
    for client, text in (
        ("cursor", '{"mcpServers": {"penstock": {"command": "old", "env": {"A": "1"}, "args": ["serve"]}}}'),
        (
            "codex",
            '[mcp_servers.penstock]\ncommand = "old" # me\nargs = ["serve"]\nrequired = true\nx = 1\n\n'
            '[mcp_servers.penstock.env]\nA = "1"\n',
        ),
    ):
        path = user_file(bench, client)
        put(path, text)
        assert bench.installer.install(client, OPTIONS, yes=True) == 0
        after = path.read_text()
        expected = text.replace('"old"', '"/opt/penstock"').replace('["serve"]', '["serve", "--root", "/src/app"]')
        assert after == expected
        assert bench.installer.uninstall(client, yes=True) == 0
        assert "penstock" not in path.read_text()


def test_nothing_is_written_without_a_yes(bench: Bench) -> None:
    path = user_file(bench, "cursor")
    original = put(path, '{"a": 1}')
    bench.person.answer = False
    assert bench.installer.install("cursor", OPTIONS) == 1
    assert path.read_bytes() == original
    assert bench.person.asked
    assert "+" in bench.person.text
    assert str(path) in bench.person.text
    bench.person.answer = True
    assert bench.installer.install("cursor", OPTIONS) == 0


def test_the_diff_is_shown_before_the_question(bench: Bench) -> None:
    path = user_file(bench, "gemini-cli")
    put(path, '{\n  "ui": {}\n}\n')
    assert bench.installer.install("gemini-cli", OPTIONS) == 0
    assert '+  "mcpServers": {' in bench.person.heard[0]


@pytest.mark.parametrize(
    ("client", "name", "root"),
    [
        ("claude-desktop", "claude_desktop.json", "/path/to/your/project"),
        ("claude-code", "claude_code.json", ""),
        ("cursor", "cursor.json", ""),
        ("vscode", "vscode.json", ""),
    ],
)
def test_the_files_to_copy_are_what_an_installation_writes(bench: Bench, client: str, name: str, root: str) -> None:
    assert bench.installer.install(client, InstallOptions("penstock", root), yes=True) == 0
    ready = Path(__file__).parents[3] / "configs" / "clients" / name
    assert user_file(bench, client).read_bytes() == ready.read_bytes()


def test_an_unknown_client_gets_the_entry_to_paste(bench: Bench) -> None:
    assert bench.installer.install("some-editor", OPTIONS) == 0
    assert '"/src/app"' in bench.person.text
    assert tree(bench.home) == {}
    assert bench.installer.uninstall("some-editor") == 1


def test_uninstalling_what_is_not_there_changes_nothing(bench: Bench) -> None:
    path = user_file(bench, "cursor")
    original = put(path, '{"mcpServers": {}}')
    assert bench.installer.uninstall("cursor", yes=True) == 0
    assert path.read_bytes() == original
    assert bench.installer.uninstall("codex", yes=True) == 0


def test_a_client_that_starts_servers_anywhere_gets_the_project_as_root(bench: Bench) -> None:
    assert bench.installer.install("claude-desktop", InstallOptions("/opt/penstock"), yes=True) == 0
    entry = json.loads(user_file(bench, "claude-desktop").read_text())["mcpServers"]["penstock"]
    assert entry == {"command": "/opt/penstock", "args": ["serve", "--root", str(bench.project)]}


def test_hooks_are_wired_only_when_asked_and_leave_others_alone(bench: Bench) -> None:
    settings = bench.home / ".claude" / "settings.json"
    mine = '{"hooks": [{"type": "command", "command": "mine"}]}'
    text = '{\n  "hooks": {\n    "PreCompact": [\n      MINE\n    ]\n  },\n  "model": "x"\n}\n'.replace("MINE", mine)
    original = put(settings, text)
    assert bench.installer.install("claude-code", InstallOptions("/opt/penstock"), yes=True) == 0
    assert settings.read_bytes() == original
    assert bench.installer.install("claude-code", InstallOptions("/opt/penstock", with_hooks=True), yes=True) == 0
    hooks = json.loads(settings.read_text())["hooks"]
    assert [entry["hooks"][0]["command"] for entry in hooks["PreCompact"]] == ["mine", "/opt/penstock hook compact"]
    assert [entry["matcher"] for entry in hooks["SessionStart"]] == ["compact", "resume", "clear"]
    settings.write_text(settings.read_text().replace('"x"', '"y"'))
    assert bench.installer.uninstall("claude-code", yes=True) == 0
    assert settings.read_text() == text.replace('"x"', '"y"')


def test_entry_and_hooks_in_one_file_are_one_edit(bench: Bench) -> None:
    path = user_file(bench, "gemini-cli")
    original = put(path, '{"ui": {}}')
    assert bench.installer.install("gemini-cli", InstallOptions("/opt/pen stock", with_hooks=True), yes=True) == 0
    settings = json.loads(path.read_text())
    assert settings["hooks"]["PreCompress"][0]["hooks"][0]["command"] == '"/opt/pen stock" hook compact'
    assert settings["mcpServers"]["penstock"]["args"] == ["serve"]
    assert bench.installer.uninstall("gemini-cli", yes=True) == 0
    assert path.read_bytes() == original


def test_a_file_that_changed_meanwhile_is_not_overwritten(bench: Bench) -> None:
    spec = client_spec("cursor")
    assert spec is not None
    path = user_file(bench, "cursor")
    put(path, "{}")
    edits = bench.installer.plan_install(spec, OPTIONS)
    put(path, '{"new": 1}')
    with pytest.raises(EditRefused):
        bench.installer.apply(edits)
    assert path.read_bytes() == b'{"new": 1}'
    assert sorted(one.name for one in path.parent.iterdir()) == ["mcp.json"]


def test_an_edit_that_fails_undoes_the_ones_before_it(bench: Bench) -> None:
    spec = client_spec("claude-code")
    assert spec is not None
    entry, settings = user_file(bench, "claude-code"), bench.home / ".claude" / "settings.json"
    put(entry, "{}")
    put(settings, "{}")
    edits = bench.installer.plan_install(spec, InstallOptions("/opt/penstock", with_hooks=True))
    assert len(edits) == 2
    put(settings, '{"new": 1}')
    with pytest.raises(EditRefused):
        bench.installer.apply(edits)
    assert entry.read_bytes() == b"{}"
    assert settings.read_bytes() == b'{"new": 1}'
    assert not bench.data.exists() or tree(bench.data) == {}


def test_a_backup_that_cannot_be_kept_stops_the_edit(bench: Bench) -> None:
    path = user_file(bench, "cursor")
    original = put(path, "{}")
    bench.data.write_text("a file where the folder of records would be")
    assert bench.installer.install("cursor", OPTIONS, yes=True) == 1
    assert path.read_bytes() == original


def test_the_original_is_kept_privately_until_the_removal(bench: Bench) -> None:
    path = user_file(bench, "cursor")
    original = put(path, '{"secret": 1}')
    assert bench.installer.install("cursor", OPTIONS, yes=True) == 0
    backup = bench.records.backup_path(path)
    assert backup.read_bytes() == original
    assert backup.stat().st_mode & 0o077 == 0
    assert backup.parent.stat().st_mode & 0o077 == 0
    assert str(backup) in bench.person.text
    record = backup.parent / "record.json"
    record.write_text("damaged")
    assert bench.records.get(path) is None
    assert bench.records.folders_made(path) == ()
    assert bench.installer.uninstall("cursor", yes=True) == 0
    assert not backup.exists()
