"""Links and pasted entries carry the command and its arguments, whatever they hold."""

import base64
import json
from urllib.parse import parse_qs, unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from penstock.server.clients.links import cursor_link, pasted_json, vscode_link

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@given(TEXT, st.lists(TEXT, max_size=4))
def test_cursor_finds_the_entry_in_its_link(command: str, args: list[str]) -> None:
    query = parse_qs(urlsplit(cursor_link(command, args)).query, strict_parsing=True)
    assert query["name"] == ["penstock"]
    assert json.loads(base64.b64decode(query["config"][0])) == {"command": command, "args": args}


@given(TEXT, st.lists(TEXT, max_size=4))
def test_vscode_finds_the_entry_in_its_link(command: str, args: list[str]) -> None:
    link = vscode_link(command, args)
    assert link.startswith("vscode:mcp/install?")
    assert json.loads(unquote(link.partition("?")[2])) == {"name": "penstock", "command": command, "args": args}


def test_the_pasted_entry_is_json_that_most_clients_take() -> None:
    entry = {"command": "penstock", "args": ["serve", "--root", "/src"]}
    assert json.loads(pasted_json("penstock", ["serve", "--root", "/src"])) == {"mcpServers": {"penstock": entry}}
