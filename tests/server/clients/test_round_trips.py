"""Installing and uninstalling over several hundred existing files: the original bytes come back."""

from pathlib import Path

import pytest

from penstock.server.clients.catalogue import client_keys, client_spec
from penstock.server.clients.jsonc import loads
from penstock.server.clients.planning import InstallOptions
from tests.server.clients.conftest import OPTIONS, Bench, documents, put, tree, user_file

TABLES = {"cursor": "mcpServers", "vscode": "servers", "opencode": "mcp", "zed": "context_servers", "gemini-cli": "mcpServers"}


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
        assert b"penstock" in installed
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
