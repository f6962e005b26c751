"""The tolerant JSON parser takes what JSON and JSONC allow, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.server.clients.jsonc import Json, find, loads, member, parse
from penstock.server.clients.refusal import EditRefused

VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_all_json_is_read_as_json_reads_it(value: Json, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert loads(text) == value


@given(st.text(alphabet='{}[]",:/*a1 \n\\', max_size=30))
def test_whatever_is_not_json_is_refused(text: str) -> None:
    """What strict JSON takes is taken."""
    try:
        strict = json.loads(text)
    except (ValueError, RecursionError):
        strict = None
    try:
        assert strict is None or loads(text) == strict
        parse(text)
    except EditRefused:
        assert strict is None


def test_comments_and_trailing_commas_are_taken() -> None:
    assert loads('// a\n{"x": [1, 2,], /* b */ "y": {"z": "// no",},}\n// end') == {"x": [1, 2], "y": {"z": "// no"}}


def test_spans_are_those_of_the_source() -> None:
    text = '{ "a" : [ 10 , "b" ] }'
    root = parse(text)
    child = member(root, "a")
    assert child is not None
    assert text[child.start : child.start + 3] == '"a"'
    assert text[child.node.start : child.node.end] == '[ 10 , "b" ]'
    assert [text[item.node.start : item.node.end] for item in child.node.children] == ["10", '"b"']
    assert child.node.children[0].comma == text.index(",")


def test_a_path_leads_to_a_value_or_to_none() -> None:
    root = parse('{"a": {"b": 1}}')
    assert find(root, ["a", "b"]) is not None
    assert find(root, ["a", "c"]) is None
    with pytest.raises(EditRefused):
        find(root, ["a", "b", "c"])


def test_a_key_that_is_there_twice_is_refused() -> None:
    with pytest.raises(EditRefused):
        member(parse('{"a": 1, "a": 2}'), "a")


def test_deep_nesting_is_refused_without_a_crash() -> None:
    with pytest.raises(EditRefused):
        parse("[" * 100_000)


def test_a_fault_says_where_it_is() -> None:
    with pytest.raises(EditRefused, match="line 2, column 6"):
        parse('{\n  "a" 1}')
