"""Files that cannot be edited safely stay as they are, and what to paste is shown instead."""

import pytest

from tests.server.clients.conftest import OPTIONS, Bench, put, user_file


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


@pytest.mark.parametrize("text", ["a = ", "[a", "a = 1\na = 2\n", "[a]\n[a]\n", "mcp_servers = 3\n", "x = 'é"])
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


def test_what_to_paste_is_in_the_clients_own_syntax(bench: Bench) -> None:
    for client, expected in (
        ("codex", '[mcp_servers.penstock]\ncommand = "/opt/penstock"\nargs = ["serve", "--root", "/src/app"]\nrequired = true\n'),
        ("vscode", '"servers": {\n    "penstock": {\n      "type": "stdio"'),
        ("opencode", '"mcp": {\n    "penstock": {\n      "type": "local"'),
        ("zed", '"context_servers": {'),
    ):
        put(user_file(bench, client), "[[[")
        assert bench.installer.install(client, OPTIONS, yes=True) == 1
        assert expected in bench.person.text
