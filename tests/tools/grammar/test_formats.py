"""Formats that are read without a grammar, at their edges."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.tools.grammar.definition import Outline
from penstock.tools.grammar.jsonscan import scan_json
from penstock.tools.grammar.keyed import toml_outline, yaml_outline
from penstock.tools.grammar.lineguess import guess_outline
from penstock.tools.grammar.logscan import log_outline
from penstock.tools.grammar.markup import xml_outline
from penstock.tools.grammar.prose import markdown_outline, rst_outline, text_outline
from penstock.tools.grammar.sections import SectionStart, nest, shallow
from penstock.tools.grammar.shape import json_outline, ndjson_outline, notebook_outline
from penstock.tools.grammar.spans import LineMap
from penstock.tools.grammar.sqlscan import sql_outline
from penstock.tools.grammar.tabular import csv_outline


def spans(found: Outline) -> list[tuple[str, int, int]]:
    return [(one.name, one.start_line, one.end_line) for one in found.definitions]


def signatures(found: Outline) -> list[str]:
    return [one.signature for one in found.definitions]


def test_json_scan_tells_kinds_paths_and_sizes() -> None:
    found = {
        value.path: (value.kind, value.size)
        for value in scan_json(b'{"a": [1, true, null, NaN], "b": {"c": "x\\"y"}}', max_depth=3)
    }
    assert found[()] == ("object", 2)
    assert found[("a",)] == ("array", 4)
    assert [found["a", at][0] for at in range(4)] == ["number", "true", "null", "word"]
    assert found["b", "c"] == ("string", 0)


def test_json_with_comments_and_trailing_commas_is_read() -> None:
    assert signatures(json_outline(b'{\n// a\n"x": 1, /* b\n */ "y": [],\n}\n')) == ["x: 1", "y: [0 items]"]


def test_json_of_very_many_keys_shows_some_and_counts_the_rest() -> None:
    found = json_outline(b"{" + b",".join(b'"k%d": 1' % at for at in range(100)) + b"}")
    assert len(found.definitions) == 60
    assert found.notes == ("100 keys", "40 keys left out")


def test_json_that_is_an_array_shows_its_first_element() -> None:
    assert signatures(json_outline(b'[\n {"a": 1},\n {"b": 2}\n]')) == ["(document): [2 items]", "[0]: {1 key}", "a: 1"]


def test_unbalanced_json_has_an_outline_of_what_could_be_read() -> None:
    assert signatures(json_outline(b'{"a": {"b": 1}')) == ["a: {1 key}", "b: 1"]
    assert json_outline(b"]]]").definitions == ()


def test_ndjson_records_are_grouped_by_their_keys() -> None:
    data = b'{"a": 1}\n\n{"a": 2}\n{"b": 1}\n3\n'
    assert signatures(ndjson_outline(data)) == ["×2 {a}", "×1 {b}", "×1 {}"]
    many = b"".join(b'{"k%d": 1}\n' % at for at in range(100))
    assert len(ndjson_outline(many).definitions) == 61


def test_a_broken_notebook_falls_back_to_its_shape() -> None:
    assert signatures(notebook_outline(b'{"cells": []}')) == ["cells: [0 items]"]
    assert "unreadable" in signatures(notebook_outline(b'{"cells": [{"a" 1}]}'))[0]
    assert "(empty)" in signatures(notebook_outline(b'{"cells": [{"source": "", "cell_type": "raw"}]}'))[0]


def test_yaml_documents_and_block_scalars() -> None:
    data = b"---\na: |\n  b: 1\n  c: 2\n\nd: 1\n---\ne: >-\n  f\n"
    assert spans(yaml_outline(data)) == [("document 1", 1, 6), ("a", 2, 4), ("d", 6, 6), ("document 7", 7, 9), ("e", 8, 9)]


def test_deep_yaml_leaves_out_its_deepest_keys_and_counts_them() -> None:
    data = b"".join(b"a%d:\n  b:\n    c:\n      d: 1\n" % at for at in range(60))
    found = yaml_outline(data)
    assert {one.depth for one in found.definitions} == {0}
    assert found.notes == ("180 deeper keys left out",)


def test_toml_values_of_several_lines_hold_no_keys() -> None:
    data = b"a = [\n  'x = 1',\n]\nb = '''\n[c]\n'''\n[d]\ne = 1\n"
    assert [one.name for one in toml_outline(data).definitions] == ["a", "b", "d", "e"]


def test_markdown_headings_in_code_lists_and_tables_are_none() -> None:
    data = b"# A\n~~~\n# b\n~~~~\n| x |\n---\n- item\n---\nT\n==\n####### no\n#no\n## \n"
    assert [one.signature for one in markdown_outline(data).definitions] == ["# A", "# T", "## "]


def test_an_underlined_paragraph_of_two_lines_is_one_heading() -> None:
    found = markdown_outline(b"# A\n\none\ntwo\n===\ntext\n***\nthree\n---\n")
    assert [(one.signature, one.start_line) for one in found.definitions] == [("# A", 1), ("# one two", 3), ("## three", 8)]


def test_statements_of_a_routine_belong_to_it() -> None:
    trigger = b"CREATE TRIGGER t AFTER INSERT ON a BEGIN\n UPDATE a SET b = CASE WHEN 1 THEN 2 END;\n DELETE FROM c;\nEND;\n"
    assert spans(sql_outline(trigger + b"SELECT 1;\n")) == [("t", 1, 4), ("1", 5, 5)]
    batches = b"CREATE TABLE [a;b] (c int)\nGO\nCREATE PROC p AS\nSELECT 1;\nSELECT 2;\nGO\nSELECT 3;\n"
    assert [(one.start_line, one.end_line) for one in sql_outline(batches).definitions if not one.depth] == [
        (1, 1),
        (3, 5),
        (7, 7),
    ]


def test_cells_of_notebooks_before_version_4_are_cells() -> None:
    data = b'{"worksheets": [{"cells": [{"cell_type": "code", "input": ["import x\\n"]}]}], "nbformat": 3}'
    assert signatures(notebook_outline(data)) == ["cell 1 code (2 lines): import x"]


def test_front_matter_without_an_end_is_text() -> None:
    assert [one.name for one in markdown_outline(b"---\n# A\n").definitions] == ["A"]


def test_rst_underlines_must_be_long_enough() -> None:
    assert [one.name for one in rst_outline(b"A long title\n---\n\nShort\n-----\n").definitions] == ["Short"]


def test_plain_text_shows_underlined_lines_else_headings_else_paragraphs() -> None:
    assert signatures(text_outline(b"Title\n=====\n\ntext\n")) == ["# Title"]
    assert signatures(text_outline(b"1. First thing\n\ntext\n\n2. Second thing\n\ntext\n")) == [
        "1. First thing",
        "2. Second thing",
    ]
    paragraphs = text_outline(b"One here.\nmore\n\n  indented\n\nTwo here.\n")
    assert spans(paragraphs) == [("One here.", 1, 4), ("Two here.", 6, 6)]
    assert len(text_outline(b"para\n\n" * 500).definitions) <= 60


def test_csv_without_a_header_numbers_its_columns() -> None:
    found = csv_outline(b"1;2.5;x\n2;3;y\n")
    assert found.definitions[0].signature == "column 1: int, column 2: float, column 3: text"
    assert found.notes == ("2 rows × 3 columns",)
    assert csv_outline(b"").definitions == ()


def test_csv_cells_that_the_csv_module_refuses_are_split_plainly() -> None:
    assert csv_outline(b"a,b\n" + b'"' + b"x" * 90_000 + b"\n" + b"1,2\n" * 3 + b"y" * 140_000 + b",2\n").definitions


def test_sql_knows_statements_by_what_they_make() -> None:
    data = b"WITH a AS (SELECT 1) SELECT * FROM a;\n;\n-- note\nDROP TABLE IF EXISTS \"t\";\nVACUUM;\nCOPY t FROM 'x';\n"
    assert [(one.kind, one.name) for one in sql_outline(data).definitions] == [
        ("with", "a"), ("drop", "t"), ("statement", "VACUUM"), ("copy", "t"),
    ]  # fmt: skip


def test_logs_show_severe_and_frequent_templates_and_count_the_rest() -> None:
    words = [f"{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(200)]
    data = "".join(f"2024-01-01 10:00:00 INFO job {word} started\n\n" for word in words) + "ERROR out of disk\n"
    found = log_outline(data.encode())
    assert len(found.definitions) == 60
    assert found.notes == ("201 templates", "141 templates left out")
    assert found.definitions[-1].signature == "ERROR out of disk"
    assert found.definitions[-1].is_public


def test_xml_survives_stray_and_missing_tags() -> None:
    found = xml_outline(b"</x><a><b><c></a><!DOCTYPE y><![CDATA[<z>]]><a name='k'/></q>")
    assert [one.signature for one in found.definitions] == ["<a>", "<b>", "<c>", '<a> "k"']


def test_a_guess_without_definitions_shows_blocks() -> None:
    found = guess_outline(None, b"server\n  port 1\n\nclient\n  port 2\nlast\n", "unknown language")
    assert spans(found) == [("server", 1, 2), ("client", 4, 5)]
    assert found.fallback == "unknown language; blocks by indentation"


def test_a_guess_follows_braces_and_indentation() -> None:
    data = b"sub one\n{\n  x;\n}\n\nsub two {\n  y;\n}\nrest;\nmodule of things\n"
    assert spans(guess_outline("perl", data, "no grammar for perl")) == [("one", 1, 4), ("two", 6, 8)]


def test_sections_end_where_the_next_of_their_level_begins() -> None:
    starts = [SectionStart(1, 1, "h", "a", "a"), SectionStart(3, 2, "h", "b", "b"), SectionStart(5, 1, "h", "c", "c")]
    lines = LineMap(b"a\n\nb\n\nc\nd\n")
    assert [(one.name, one.start_line, one.end_line, one.depth, one.parent) for one in nest(starts, lines)] == [
        ("a", 1, 3, 0, None), ("b", 3, 3, 1, "a"), ("c", 5, 6, 0, None),
    ]  # fmt: skip
    assert shallow(starts, 6) == (starts, 0)


@pytest.mark.parametrize(
    "scan", [json_outline, yaml_outline, toml_outline, markdown_outline, rst_outline, xml_outline, sql_outline]
)
@given(data=st.text(alphabet="a:{}[]\"'<>/!=-#|$; \n\t,*", max_size=200).map(str.encode))
@settings(max_examples=60, deadline=None)
def test_every_scanner_gives_nested_spans_for_any_text(scan: Callable[[bytes], Outline], data: bytes) -> None:
    found = scan(data)
    assert found == scan(data)
    for one in found.definitions:
        assert 1 <= one.start_line <= one.end_line <= max(1, found.total_lines)


def test_json_on_one_line_is_nested_by_offset() -> None:
    """Sorted by line alone, the elements of the first array stood below the last key."""
    found = json_outline(b'{"a":[{"id":1}],"meta":{"n":2}}')
    assert [(one.depth, one.signature) for one in found.definitions] == [
        (0, "a: [1 item]"), (1, "[0]: {1 key}"), (2, "id: 1"), (0, "meta: {1 key}"), (1, "n: 2"),
    ]  # fmt: skip


def test_markdown_comments_hold_no_headings() -> None:
    assert [one.name for one in markdown_outline(b"# A\n<!-- # b\n# c\n-->\n# D\n").definitions] == ["A", "D"]


def test_records_of_several_lines_are_one_row() -> None:
    found = csv_outline(b'id;"name; full";"two\nlines"\n1;"a\nb";c\n2;d;e\n')
    assert found.notes == ("2 rows × 3 columns",)
    assert found.definitions[0].signature == "id: int, name; full: text, two lines: text"
    assert [(one.name, one.start_line, one.end_line) for one in found.definitions] == [
        ("columns", 1, 2), ("row 3", 3, 4), ("row 5", 5, 5),
    ]  # fmt: skip
    assert len(csv_outline(b'a,b\n"never closed,1\n' + b"x,2\n" * 1_000).definitions) == 4


def test_yaml_strings_of_several_lines_hold_no_keys() -> None:
    data = b"a: \"one\n  b: two\n  end\"\nc: 'it''s'\nd: 'x\n  e: y'\nf: 1\n"
    assert [one.name for one in yaml_outline(data).definitions] == ["a", "c", "d", "f"]


def test_nested_arrays_of_toml_hold_no_sections() -> None:
    data = b'a = [\n  [1],\n  ["b"],\n]\n[c]\nd = 1\n'
    assert [one.name for one in toml_outline(data).definitions] == ["a", "c", "d"]


def test_sql_dumps_keep_their_rows_and_procedures_together() -> None:
    data = (
        b"INSERT INTO `t` VALUES ('it\\'; x');\nDELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END //\nDELIMITER ;\n"
        b"COPY s (a) FROM stdin;\n1;x\n\\.\nCREATE TABLE [u] (a int)\nGO\nDROP TABLE v;\n"
    )
    assert [(one.kind, one.name, one.start_line, one.end_line) for one in sql_outline(data).definitions if not one.depth] == [
        ("insert", "t", 1, 1), ("procedure", "p", 3, 3), ("copy", "s", 5, 7), ("table", "u", 8, 8), ("drop", "v", 10, 10),
    ]  # fmt: skip
