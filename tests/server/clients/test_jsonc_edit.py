"""An edit changes its entry and not one other character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.server.clients.jsonc import loads
from penstock.server.clients.jsonc_edit import append_item, remove_item, remove_member, set_member
from penstock.server.clients.refusal import EditRefused

SPACE = st.lists(
    st.sampled_from([" ", "  ", "\n", "\r\n", "\t", "\n    ", "// c\n", "/* d */", "/* e\n */", "\n  // f, {\n  "]), max_size=3
).map("".join)
SCALAR = st.sampled_from(["1", "-2.50e3", "null", "true", '""', '"a // b"', '"\\"{"', '"é"'])
KEYS = st.lists(st.sampled_from(["a", "b", "servers", "é", "x y", "hooks"]), max_size=4, unique=True)


@st.composite
def containers(draw: st.DrawFn, depth: int = 2) -> str:
    """JSONC with space and comments everywhere they may stand."""
    if depth == 0 or draw(st.booleans()):
        return draw(SCALAR)
    is_object = draw(st.booleans())
    parts: list[str] = []
    for key in draw(KEYS):
        value = draw(containers(depth - 1))
        lead = f'"{key}"{draw(SPACE)}:{draw(SPACE)}' if is_object else ""
        parts.append(f"{draw(SPACE)}{lead}{value}{draw(SPACE)}")
    tail = draw(SPACE) if not parts else "," + draw(SPACE) if draw(st.booleans()) else ""
    body = ",".join(parts) + tail
    return "{" + body + "}" if is_object else "[" + body + "]"


@st.composite
def documents(draw: st.DrawFn) -> str:
    members = [f'{draw(SPACE)}"{key}": {draw(containers())}{draw(SPACE)}' for key in draw(KEYS)]
    body = ",".join(members) + (draw(SPACE) if not members else draw(st.sampled_from(["", ",", ",\n"])))
    return f"{draw(SPACE)}{{{body}}}{draw(SPACE)}"


def significant(text: str) -> str:
    return "".join(text.split())


@given(documents(), st.sampled_from([["servers"], [], ["new"], ["new", "er"]]))
def test_an_inserted_member_can_be_taken_out_again(text: str, path: list[str]) -> None:
    """Only space around an empty container may differ; where it was not empty, not one byte does."""
    before = loads(text)
    try:
        after = set_member(text, path, "penstock", {"command": "p", "args": ["serve"]})
    except EditRefused:
        value = before.get("servers") if isinstance(before, dict) else None
        assert path == ["servers"]
        assert not isinstance(value, dict)
        return
    assert set_member(after, path, "penstock", {"command": "p", "args": ["serve"]}) == after
    back = remove_member(after, path, "penstock")
    for size in range(len(path), 0, -1):
        parent = loads(back)
        for key in path[:size]:
            assert isinstance(parent, dict)
            parent = parent[key]
        if parent == {} and significant(back) != significant(text):
            back = remove_member(back, path[: size - 1], path[size - 1])
    assert loads(back) == before
    assert significant(back) == significant(text)
    if isinstance(before, dict) and before and path == []:
        assert back == text


@given(documents())
def test_an_appended_item_can_be_taken_out_again(text: str) -> None:
    try:
        after = append_item(text, ["hooks", "Stop"], {"n": [1]})
    except EditRefused:
        return
    assert append_item(after, ["hooks", "Stop"], {"n": [1]}) == after
    back = remove_item(after, ["hooks", "Stop"], {"n": [1]})
    found = loads(back)
    assert isinstance(found, dict)
    hooks = found["hooks"]
    assert isinstance(hooks, dict)
    assert hooks["Stop"] == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a":1}', '{"a":1, "k": [1]}'),
        ('{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "k": [1]\n}\n'),
        ('{\n\t"a": 1, // why\n}', '{\n\t"a": 1, // why\n\t"k": [1],\n}'),
        ('{\n  "a": 1 // why\n  // more\n}', '{\n  "a": 1, // why\n  "k": [1]\n  // more\n}'),
        ('{\r\n    "a": 1\r\n}', '{\r\n    "a": 1,\r\n    "k": [1]\r\n}'),
        ("{}", '{\n  "k": [1]\n}'),
        ("{ // none\n}", '{ // none\n  "k": [1]\n}'),
    ],
)
def test_an_entry_takes_the_style_of_its_place(before: str, after: str) -> None:
    assert set_member(before, [], "k", [1]) == after
    assert significant(remove_member(after, [], "k")) == significant(before)


def test_removing_from_the_middle_and_the_start_keeps_the_lines_of_others() -> None:
    text = '{\n  "a": 1, // one\n  "b": 2, // two\n  "c": 3 // three\n}'
    assert remove_member(text, [], "a") == '{ // one\n  "b": 2, // two\n  "c": 3 // three\n}'
    assert remove_member(text, [], "b") == '{\n  "a": 1, // one // two\n  "c": 3 // three\n}'
    assert remove_member(text, [], "c") == '{\n  "a": 1, // one\n  "b": 2 // two // three\n}'


@pytest.mark.parametrize("text", ['{"a": [}', "[]", '{"s": 1}', '{"s": {}, "s": {}}'])
def test_what_cannot_be_edited_safely_is_refused(text: str) -> None:
    with pytest.raises(EditRefused):
        set_member(text, ["s"], "k", 1)


def test_appending_to_what_is_not_an_array_is_refused() -> None:
    with pytest.raises(EditRefused):
        append_item('{"a": {"b": 1}}', ["a", "b"], 1)


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert remove_member('{"a": {}}', ["a"], "k") == '{"a": {}}'
    assert remove_member('{"a": {}}', ["b"], "k") == '{"a": {}}'
    assert remove_item('{"a": 1}', ["b"], 1) == '{"a": 1}'
