import json

from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.filters.filter import Document
from penstock.tools.filters.jsondoc import is_json, score_json, shape_of, shape_of_text

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=6), inner, max_size=5),
    max_leaves=30,
)


def test_a_shape_names_keys_types_and_lengths() -> None:
    value = {"items": [{"id": i, "tags": ["a"]} for i in range(250)], "next": None}
    assert shape_of(value) == "{items: [250 × {id: int, tags: [1 × str]}], next: null}"


def test_keys_that_only_some_elements_have_are_in_the_shape() -> None:
    assert shape_of([{"a": 1}, {"b": "x"}]) == "[2 × {a: int, b: str}]"


@given(VALUES)
def test_any_json_has_a_shape_and_ranks(value: object) -> None:
    text = json.dumps(value, indent=1)
    assert shape_of_text(text) != "" or value == ""
    assert len(score_json(Document(text)).ranks) == len(Document(text))


def test_broken_deep_or_huge_json_has_no_shape() -> None:
    assert shape_of_text('{"a": ') == ""
    assert shape_of_text("[" * 100_000 + "]" * 100_000) == ""


def test_json_is_told_by_its_ends() -> None:
    assert is_json(Document('{"a": 1}\n'))
    assert is_json(Document('[{"a": 1}, {"b"\n]'))
    assert not is_json(Document("[INFO] started ]"))
    assert not is_json(Document("{ shell code; }"))
