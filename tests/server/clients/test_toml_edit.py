"""A table is added, changed and removed; everything else in the document stays as it is written."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.server.clients.refusal import EditRefused
from penstock.server.clients.toml_edit import loads, remove_table, set_table
from penstock.server.clients.toml_scan import scan

PATH = ["mcp_servers", "penstock"]
VALUES = {"command": 'C:\\x "y"', "args": ["serve", "é"]}
LINES = st.sampled_from(
    [
        *[
            "",
            "  ",
            "# note [x]",
            "k = 1",
            "'q z' = [1, [2], # ]\n  3,\n]",
            's = "a # b \\" ["',
            "t = '''\n[no]\n'''",
            "u.v = {w = [']']}",
        ],
        *['m = """\n[mcp_servers.penstock] \\"""\n"""', "d = 1979-05-27 07:32:00", "[a]", "[a.b] # c", "[[list]]", '["é"."x.y"]'],
        *["[mcp_servers]", "[mcp_servers.git]", "command = 'uvx'", "[mcp_servers.git.env]", "f = 1e3 # end"],
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Valid documents: lines that make one invalid are left out."""
    text = ""
    for line in draw(st.lists(LINES, max_size=12)):
        longer = text + line + "\n"
        try:
            tomllib.loads(longer)
        except tomllib.TOMLDecodeError:
            continue
        text = longer
    text = text if draw(st.booleans()) else text.rstrip("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


@given(documents())
def test_an_added_table_can_be_taken_out_again(text: str) -> None:
    after = set_table(text, PATH, VALUES)
    servers = loads(after)["mcp_servers"]
    assert isinstance(servers, dict)
    assert servers["penstock"] == VALUES
    assert after.startswith(text)
    assert set_table(after, PATH, VALUES) == after
    assert remove_table(after, PATH) == text


@given(documents())
def test_tables_are_found_where_the_headers_stand(before: str) -> None:
    text = before + "\n[the.one]\nx = 1 # y\n# of the next\n\n[zz]\n"
    found = next(table for table in scan(text) if table.path == ("the", "one"))
    assert text[found.start : found.end] == "[the.one]\nx = 1 # y\n"
    assert [text[one.value_start : one.value_end] for one in found.assignments] == ["1"]


def test_a_changed_value_keeps_its_place_and_comment() -> None:
    text = '[mcp_servers.penstock] # ours\ncommand = "old" # why\nextra = 1\n\n[other]\n'
    after = set_table(text, PATH, {"command": "new", "args": ["serve"], "required": True, "n": 3})
    assert after == (
        '[mcp_servers.penstock] # ours\ncommand = "new" # why\nextra = 1\nargs = ["serve"]\nrequired = true\nn = 3\n\n[other]\n'
    )


def test_a_table_without_a_last_line_end_can_be_changed() -> None:
    assert set_table("[mcp_servers.penstock]\na = 1", PATH, {"b": "x"}) == '[mcp_servers.penstock]\na = 1\nb = "x"\n'


def test_sub_tables_go_with_the_table() -> None:
    text = "[a]\nx = 1\n\n[mcp_servers.penstock]\nq = 1\n[mcp_servers.penstock.env]\nK = 'v'\n\n# b\n[b]\n"
    assert remove_table(text, PATH) == "[a]\nx = 1\n\n# b\n[b]\n"


@pytest.mark.parametrize(
    "text",
    [
        *["a = ", "mcp_servers = 3", "[[mcp_servers]]\n", "mcp_servers = 3 # {}\n", "mcp_servers.penstock = 3\n"],
        *["[mcp_servers]\npenstock = {command = 'x'}\n", "[mcp_servers]\npenstock.command = 'x'\n"],
    ],
)
def test_what_cannot_be_edited_safely_is_refused(text: str) -> None:
    with pytest.raises(EditRefused):
        set_table(text, PATH, VALUES)


def test_an_inline_table_is_not_half_removed() -> None:
    with pytest.raises(EditRefused):
        remove_table("[mcp_servers]\npenstock = {command = 'x'}\n", PATH)


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert remove_table("[a]\n", PATH) == "[a]\n"
