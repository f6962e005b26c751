"""Installing and uninstalling over several hundred existing files: the original bytes come back, broken files stay."""

import json
from pathlib import Path

import pytest

from penstock.server.clients.catalogue import Machine, client_keys, client_spec
from penstock.server.clients.installer import Dialogue, Installer
from penstock.server.clients.jsonc import loads
from penstock.server.clients.planning import InstallOptions
from penstock.server.clients.records import RecordStore
from penstock.server.clients.refusal import EditRefused

OPTIONS = InstallOptions("/opt/penstock", "/src/app")
TABLES = {"cursor": "mcpServers", "vscode": "servers", "opencode": "mcp", "zed": "context_servers", "gemini-cli": "mcpServers"}
ENTRY = {"command": "/opt/penstock", "args": ["serve", "--root", "/src/app"]}


class Person:
    """Reads everything and answers every question the same way."""

    def __init__(self, answer: bool = True) -> None:
        self.answer = answer
        self.heard: list[str] = []
        self.asked: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.heard)

    def confirm(self, question: str) -> bool:
        self.asked.append(question)
        return self.answer


class Bench:
    """One machine with an installer and a person in front of it."""

    def __init__(self, folder: Path, platform: str = "linux") -> None:
        self.home = folder / "home"
        self.project = folder / "project"
        self.data = folder / "data"
        for one in (self.home, self.project):
            one.mkdir(exist_ok=True)
        self.person = Person()
        self.machine = Machine(self.home, self.project, platform)
        self.records = RecordStore(self.data)
        self.installer = Installer(self.machine, self.records, Dialogue(self.person.heard.append, self.person.confirm))


def documents(syntax: str, table: str = "mcpServers") -> list[str]:
    """Configuration files as people have them: comments, trailing commas, byte order marks, CRLF, blanks, minified, empty."""
    texts: dict[str, list[str]] = json.loads(Path(__file__).with_name("documents.json").read_text("utf-8"))
    return [text.replace("TABLE", table) for text in texts[syntax]]


def user_file(bench: Bench, client: str) -> Path:
    spec = client_spec(client)
    assert spec is not None
    return spec.user_files(bench.machine)[0]


def put(path: Path, text: str) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return text.encode()


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("client", sorted(TABLES))
def test_json_install_then_uninstall_gives_the_original_bytes(bench: Bench, client: str) -> None:
    found = documents("jsonc", TABLES[client])[:: 1 if client == "cursor" else 8]
    assert len(found) >= (100 if client == "cursor" else 20)
    path = user_file(bench, client)
    for text in found:
        original = put(path, text)
        assert bench.installer.install(client, OPTIONS, yes=True) == 0, text
        installed = path.read_bytes()
        entry = loads(installed.decode("utf-8-sig"))
        assert isinstance(entry, dict)
        servers = entry[TABLES[client]]
        assert isinstance(servers, dict)
        assert "penstock" in servers
        assert installed.startswith(b"\xef\xbb\xbf") == original.startswith(b"\xef\xbb\xbf")
        assert bench.installer.install(client, OPTIONS, yes=True) == 0
        assert path.read_bytes() == installed, f"a second install changed {text!r}"
        assert bench.installer.uninstall(client, yes=True) == 0
        assert path.read_bytes() == original, text
        assert not bench.data.exists() or tree(bench.data) == {}


def test_toml_install_then_uninstall_gives_the_original_bytes(bench: Bench) -> None:
    found = documents("toml")
    assert len(found) >= 100
    path = user_file(bench, "codex")
    for text in found:
        original = put(path, text)
        assert bench.installer.install("codex", OPTIONS, yes=True) == 0, (text, bench.person.text)
        installed = path.read_bytes()
        assert b"[mcp_servers.penstock]" in installed
        assert bench.installer.install("codex", OPTIONS, yes=True) == 0
        assert path.read_bytes() == installed
        assert bench.installer.uninstall("codex", yes=True) == 0
        assert path.read_bytes() == original, text


@pytest.mark.parametrize("client", ["cursor", "codex"])
def test_without_its_record_the_removal_is_still_exact_where_the_table_was_there(bench: Bench, client: str) -> None:
    """The data folder was wiped between install and uninstall."""
    path = user_file(bench, client)
    for text in (documents("jsonc") if client == "cursor" else documents("toml"))[::3]:
        original = put(path, text)
        assert bench.installer.install(client, OPTIONS, yes=True) == 0
        bench.records.drop(path)
        assert bench.installer.uninstall(client, yes=True) == 0
        left = path.read_bytes()
        if client == "codex":
            assert left == original
        elif '"git"' in text or '"x"' in text:
            assert left == original, text
        else:
            assert b"penstock" not in left.replace(b'"other": {"mcpServers": {"penstock": 1}}', b"")


@pytest.mark.parametrize("client", client_keys())
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_missing_file_is_made_and_no_trace_is_left(tmp_path: Path, client: str, platform: str) -> None:
    bench = Bench(tmp_path, platform)
    options = InstallOptions("/opt/penstock", "/src/app", with_hooks=True)
    assert bench.installer.install(client, options, yes=True) == 0
    path = user_file(bench, client)
    assert path.is_file()
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"/opt/penstock" in path.read_bytes()
    assert bench.installer.uninstall(client, yes=True) == 0
    assert tree(bench.home) == {}
    assert tree(tmp_path) == {"home": None, "project": None}


@pytest.mark.parametrize("client", [key for key in client_keys() if (spec := client_spec(key)) and spec.project_files])
def test_a_project_file_is_made_and_removed(bench: Bench, client: str) -> None:
    options = InstallOptions("penstock", is_project=True, with_hooks=True)
    assert bench.installer.install(client, options, yes=True) == 0
    assert tree(bench.project) != {}
    assert tree(bench.home) == {}
    assert bench.installer.uninstall(client, is_project=True, yes=True) == 0
    assert tree(bench.project) == {}


@pytest.mark.parametrize(
    "text",
    [
        *[
            '{"mcpServers": {',
            "{'a': 1}",
            '{"a": 1 "b": 2}',
            '{"a": 01}',
            "[1]",
            '"x"',
            '{"mcpServers": []}',
            '{"mcpServers": null}',
        ],
        *[
            '{"a": 1} x',
            '{"a": /* 1}',
            '{"a": "\n"}',
            '{"mcpServers": {}, "mcpServers": {}}',
            "{a: 1}",
            "{,}",
            '{"a": tru}',
            "[" * 5_000,
        ],
        *['{"a"}', '{"a":}', '{"penstock', "\ufeff\ufeff{}", '{"mcpServers": {"penstock": {}, "penstock": {}}}'],
    ],
)
def test_a_broken_json_file_is_refused_untouched(bench: Bench, text: str) -> None:
    path = user_file(bench, "cursor")
    original = put(path, text)
    assert bench.installer.install("cursor", OPTIONS, yes=True) == 1
    assert path.read_bytes() == original
    assert not bench.data.exists()
    assert '"mcpServers"' in bench.person.text, "what to paste is shown instead"


@pytest.mark.parametrize(
    "text", ["a = ", "[a", "a = 1\na = 2\n", "[a]\n[a]\n", "mcp_servers = {x = {command = 'y'}}\n", "mcp_servers = 3\n", "x = 'é"]
)
def test_a_broken_or_closed_toml_file_is_refused_untouched(bench: Bench, text: str) -> None:
    path = user_file(bench, "codex")
    original = put(path, text)
    assert bench.installer.install("codex", OPTIONS, yes=True) == 1
    assert path.read_bytes() == original


@pytest.mark.parametrize("data", [b"\xff\xfe{\x00}\x00", b'{"a": "\xe9"}', b"\x00"])
def test_a_file_that_is_not_utf8_json_is_refused_untouched(bench: Bench, data: bytes) -> None:
    path = user_file(bench, "cursor")
    put(path, "")
    path.write_bytes(data)
    assert bench.installer.install("cursor", OPTIONS, yes=True) == 1
    assert path.read_bytes() == data


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
