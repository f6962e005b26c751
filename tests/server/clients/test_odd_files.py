"""Configuration files of every client as they are sometimes found: links, nothing in them, odd ends, doubled keys."""

import os
from pathlib import Path

import pytest

from penstock.server.clients.catalogue import ClientSpec, Syntax, client_keys, client_spec
from penstock.server.clients.planning import InstallOptions
from tests.server.clients.conftest import OPTIONS, Bench, put, tree, user_file

SPECS = {key: spec for key in client_keys() if (spec := client_spec(key)) is not None}
JSON_ODD = {
    "empty": "",
    "blank": " \n\t\r\n",
    "bom only": "\ufeff",
    "nothing but a comment": "// nothing but a comment",
    "comment at the end without newline": '{\n\t"a": 1\n}\n// the end',
    "block comment at the end": '{"a": 1}/* end */',
    "tabs": '{\n\t"TABLE": {\n\t\t"git": {\n\t\t\t"command": "g"\n\t\t}\n\t}\n}\n',
    "trailing commas": '{"TABLE": {"git": {"command": "g",},},}',
    "crlf without end": '{\r\n  "TABLE": {\r\n  }\r\n}',
    "comments around a comma": '{ "TABLE" /* a */ : /* b */ { "x" : {} /* c */ , // d\n } }',
    "escapes in names": '{"TABL\\u0045": {"\\u0067it": {}}, "k": "\\ud83d\\ude42 漢字"}',
    "deep elsewhere": '{"a": ' + "[" * 200 + "]" * 200 + ', "TABLE": {}}',
    "numbers kept": '{"n": 1.0e+10, "big": 123456789012345678901234567890, "TABLE": {}}',
    "one line": '{"TABLE":{"git":{"command":"g"}},"z":[1,2]}',
}
JSON_REFUSED = {
    "array": "[]",
    "array of servers": '[{"TABLE": {}}]',
    "text": '"TABLE"',
    "table is a list": '{"TABLE": [{"command": "g"}]}',
    "table is null": '{"TABLE": null}',
    "doubled table": '{"TABLE": {}, "TABLE": {"git": {}}}',
    "doubled by an escape": '{"TABLE": {}, "TABL\\u0045": {}}',
    "doubled entry": '{"TABLE": {"penstock": {"command": "a"}, "penstock": {"command": "b"}}}',
    "two documents": '{"TABLE": {}}{"TABLE": {}}',
    "cut": '{"TABLE": {"git": {"command": "g"',
    "merge conflict": '<<<<<<< HEAD\n{"TABLE": {}}\n=======\n{}\n>>>>>>> x\n',
}
TOML_ODD = {
    "empty": "",
    "bom only": "\ufeff",
    "comment at the end without newline": "model = 'x'\n# the end",
    "inline servers": "mcp_servers = { git = { command = 'g', args = ['}'] } } # mine\n[a]\nb = 1",
    "dotted servers": "mcp_servers.git.command = 'g'\n",
    "servers in two places": "[mcp_servers.git]\ncommand = 'g'\n\n[a]\n[mcp_servers.b]\ncommand = 'b'",
    "crlf and tabs": "\t[mcp_servers.git]\r\n\tcommand = 'g'\r\n",
    "quoted names": "['mcp_servers'.\"git\"]\ncommand = 'g'\n",
    "arrays of tables": "[[projects]]\na = 1\n[[projects]]\na = 2\n",
    "strings with headers": "x = '''\n[mcp_servers.penstock]\n'''\n",
}
TOML_REFUSED = {
    "a number": "mcp_servers = 1\n",
    "an array of tables": "[[mcp_servers]]\na = 1\n",
    "doubled table": "[mcp_servers.git]\na = 1\n[mcp_servers.git]\nb = 1\n",
    "merge conflict": "<<<<<<< HEAD\n",
    "json": '{"mcp_servers": {}}',
    "inline entry": "[mcp_servers]\npenstock = { command = 'old' }\n",
}


def cases(json_texts: dict[str, str], toml_texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(key, name) for key, spec in SPECS.items() for name in (toml_texts if spec.syntax is Syntax.TOML else json_texts)]


def text_of(spec: ClientSpec, name: str, json_texts: dict[str, str], toml_texts: dict[str, str]) -> str:
    text = (toml_texts if spec.syntax is Syntax.TOML else json_texts)[name]
    table = spec.table[0]
    return text.replace("TABL\\u0045", f"{table[:-1]}\\u{ord(table[-1]):04x}").replace("TABLE", table)


@pytest.mark.parametrize(("client", "name"), cases(JSON_ODD, TOML_ODD))
def test_an_odd_file_comes_back_byte_for_byte(bench: Bench, client: str, name: str) -> None:
    path = user_file(bench, client)
    original = put(path, text_of(SPECS[client], name, JSON_ODD, TOML_ODD))
    assert bench.installer.install(client, OPTIONS, yes=True) == 0, bench.person.text
    installed = path.read_bytes()
    assert b"/opt/penstock" in installed
    assert bench.installer.install(client, OPTIONS, yes=True) == 0
    assert path.read_bytes() == installed
    assert bench.installer.uninstall(client, yes=True) == 0
    assert path.read_bytes() == original


@pytest.mark.parametrize(("client", "name"), cases(JSON_REFUSED, TOML_REFUSED))
def test_a_file_that_is_not_understood_is_refused_untouched(bench: Bench, client: str, name: str) -> None:
    path = user_file(bench, client)
    original = put(path, text_of(SPECS[client], name, JSON_REFUSED, TOML_REFUSED))
    before = tree(bench.home)
    assert bench.installer.install(client, OPTIONS, yes=True) == 1
    assert path.read_bytes() == original
    assert tree(bench.home) == before
    assert "/opt/penstock" in bench.person.text, "what to paste is shown instead"


@pytest.mark.parametrize("client", SPECS)
def test_a_linked_file_stays_a_link(bench: Bench, client: str) -> None:
    path = user_file(bench, client)
    real = bench.home / "dotfiles" / "config"
    text = "" if SPECS[client].syntax is Syntax.TOML else "{}\n"
    original = put(real, text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(os.path.relpath(real, path.parent))
    assert bench.installer.install(client, OPTIONS, yes=True) == 0
    assert path.is_symlink()
    assert b"/opt/penstock" in real.read_bytes()
    assert bench.installer.uninstall(client, yes=True) == 0
    assert path.is_symlink()
    assert real.read_bytes() == original


@pytest.mark.parametrize("client", SPECS)
def test_a_link_to_nothing_ends_as_it_began(bench: Bench, client: str) -> None:
    path = user_file(bench, client)
    target = bench.home / "dotfiles" / "not-yet"
    target.parent.mkdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    assert bench.installer.install(client, OPTIONS, yes=True) == 0
    assert b"/opt/penstock" in path.read_bytes()
    assert bench.installer.uninstall(client, yes=True) == 0
    assert path.is_symlink()
    assert not target.exists()


@pytest.mark.parametrize("client", [key for key, spec in SPECS.items() if spec.project_files])
def test_a_project_inside_a_project_has_files_of_its_own(bench: Bench, client: str, tmp_path: Path) -> None:
    outer, inner = tmp_path / "project", tmp_path / "project" / "packages" / "app"
    inner.mkdir(parents=True)
    options = InstallOptions("penstock", is_project=True)
    nested = Bench(tmp_path)
    nested.use_project(inner)
    assert nested.installer.install(client, options, yes=True) == 0
    assert bench.installer.install(client, options, yes=True) == 0
    assert nested.installer.uninstall(client, is_project=True, yes=True) == 0
    assert tree(inner) == {}
    assert (outer / SPECS[client].project_files[0]).is_file()
    assert bench.installer.uninstall(client, is_project=True, yes=True) == 0
    assert [name for name, data in tree(outer).items() if data is not None] == []


@pytest.mark.parametrize("client", SPECS)
def test_a_read_only_file_is_refused(bench: Bench, client: str) -> None:
    path = user_file(bench, client)
    original = put(path, "" if SPECS[client].syntax is Syntax.TOML else "{}")
    path.chmod(0o444)
    assert bench.installer.install(client, OPTIONS, yes=True) == 1
    assert path.read_bytes() == original
    assert path.stat().st_mode & 0o777 == 0o444
