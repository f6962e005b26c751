"""Servers kept in one inline table: an entry goes in and out, everything else stays."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.server.clients.toml_edit import remove_table, set_table

PATH = ["mcp_servers", "penstock"]
VALUES = {"command": "/opt/pen stock", "args": ["serve", "--root", "/a, b}"], "required": True}
ITEMS = st.sampled_from(
    [
        "git = {command = 'uvx', args = [\"a, b\", 'c}']}",
        '"we.ird" = { command = "{,}" }',
        "a.b = 1",
        "nested = { env = { A = '1', B = \"#\" } }",
        "list = [ 1, [2, 3], {x = 1} ]",
        "s = '''a, } b'''",
    ]
)


@given(
    st.lists(ITEMS, unique=True, max_size=6),
    st.sampled_from(["", " ", "\t"]),
    st.sampled_from(["", "\n", " # servers\n", "\n\n[other]\nx = 1\n"]),
    st.sampled_from(["", "model = 'x'\n", "# top\n"]),
)
def test_an_entry_goes_in_and_out_of_an_inline_table(items: list[str], blank: str, after: str, before: str) -> None:
    text = f"{before}mcp_servers = {{{blank}{f'{blank},{blank}'.join(items)}{blank}}}{after}"
    old = tomllib.loads(text)
    added = set_table(text, PATH, VALUES)
    new = tomllib.loads(added)
    assert new["mcp_servers"].pop("penstock") == VALUES
    assert new == old
    assert set_table(added, PATH, VALUES) == added
    removed = remove_table(added, PATH)
    assert tomllib.loads(removed) == old
    if items:
        assert removed == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mcp_servers = {penstock = {a = 1}, x = {}}\n", "mcp_servers = {x = {}}\n"),
        ("mcp_servers = {x = {}, penstock = {a = 1} }\n", "mcp_servers = {x = {} }\n"),
        ("mcp_servers = {x = 1, penstock.a = 1, y = 2, penstock.b = 2}\n", "mcp_servers = {x = 1, y = 2}\n"),
        ("mcp_servers = { penstock = {} }\n", "mcp_servers = {}\n"),
    ],
)
def test_an_entry_leaves_from_any_place(text: str, expected: str) -> None:
    assert remove_table(text, PATH) == expected
