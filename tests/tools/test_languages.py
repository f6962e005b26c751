"""Outlines of every language and format, on small samples kept next to this file, and on anything at all."""

import ast
import pickle
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penstock.tools.grammar.definition import Definition, Outline
from penstock.tools.grammar.lineguess import guess_outline
from penstock.tools.grammar.parsing import MAX_PARSE_BYTES
from penstock.tools.grammar.table import LANGUAGES
from penstock.tools.languages import SCANNERS, can_parse, compact, definitions, is_code_language, language_of, outline

SAMPLES = Path(__file__).parent / "samples"
FILES = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".outline")
EXTENSIONS = sorted({path.name.removesuffix(".sample") for path in FILES})


def written(found: Outline) -> str:
    """Write an outline as the samples' `.outline` files do."""
    head = f"language {found.language}\n"
    head += f"fallback {found.fallback}\n" if found.fallback else ""
    head += "derived\n" if found.is_derived else ""
    head += "".join(f"note {note}\n" for note in found.notes)
    head += "".join(f"import {one.start_line}-{one.end_line} {one.module} ({' '.join(one.names)})\n" for one in found.imports)
    head += f"exports {' '.join(found.exports)}\n" if found.exports else ""
    return head + "".join(map(_written, found.definitions))


def _written(one: Definition) -> str:
    mark = "+" if one.is_public else "-"
    parent = f" in {one.parent}" if one.parent else ""
    doc = f"  # {one.doc}" if one.doc else ""
    calls = f"  -> {' '.join(one.calls)}" if one.calls else ""
    return (
        f"{'  ' * one.depth}{one.start_line}-{one.end_line} {mark}{one.kind} {one.name}{parent} | {one.signature}{doc}{calls}\n"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_sample_has_the_outline_written_next_to_it(path: Path) -> None:
    expected = path.with_name(path.name + ".outline").read_text("utf-8")
    assert written(outline(path.name.removesuffix(".sample"), path.read_bytes(), True)) == expected


def test_every_language_and_format_has_a_sample() -> None:
    shown = {language_of(path.name.removesuffix(".sample"), path.read_bytes()) for path in FILES}
    assert {language.name for language in LANGUAGES} | set(SCANNERS) <= shown


@pytest.mark.parametrize(
    ("path", "data", "language"),
    [
        ("a/b/tool", b"#!/usr/bin/env -S python3.12 -u\n", "python"),
        ("run", b"#!/bin/sh\n", "bash"),
        ("x.h", b"#pragma once\nnamespace a {\n", "cpp"),
        ("x.h", b"#include <stdio.h>\nint f(void);\n", "c"),
        ("Dockerfile.dev", b"FROM x\n", "docker"),
        ("CMakeLists.txt", b"", "cmake"),
        ("Rakefile", b"", "ruby"),
        ("X.PY", b"", "python"),
        ("a\\b.rs", b"", "rust"),
        ("data", b'{"a": 1}', "json"),
        ("page", b"<!DOCTYPE html>\n", "html"),
        ("feed", b"<?xml version='1.0'?>", "xml"),
        ("syslog", b"Jan  1 10:00:00 a b\n" * 5, "log"),
        ("unknown.zzz", b"words", None),
        ("words", b"words", None),
    ],
)
def test_the_language_is_told_by_name_and_failing_that_by_content(path: str, data: bytes, language: str | None) -> None:
    assert language_of(path, data) == language


def test_only_programming_languages_are_code() -> None:
    assert is_code_language("python")
    assert is_code_language("make")
    assert not is_code_language("markdown")
    assert not is_code_language(None)


NAMES = st.sampled_from(EXTENSIONS)
TEXTS = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace")),
    st.lists(
        st.sampled_from(
            [
                "def",
                "class",
                "fn",
                "func",
                "(",
                ")",
                "{",
                "}",
                "[",
                "]",
                ":",
                ";",
                ",",
                "\n",
                "\t",
                '"',
                "'",
                '"""',
                "/*",
                "*/",
                "//",
                "#",
                "--",
                "<!--",
                "-->",
                "<a>",
                "</a>",
                "=",
                "-",
                "*",
                "`",
                "```",
                "---",
                "a",
                "b:",
                "1",
                "|",
                "\\",
                "\r\n",
                "0x",
                "é",
                "\x00",
            ]
        ),
        max_size=80,
    ).map(lambda parts: " ".join(parts).encode()),
)


@given(name=NAMES, data=TEXTS)
@settings(max_examples=400, deadline=None)
@example(name="data.json", data=b"\xff\xfe{\x00}\x00")
@example(name="data.json", data=b"]" * 50 + b"[" * 5000)
@example(name="notebook.ipynb", data=b'{"cells":[{"source":5},{"source":[1]},7]}')
@example(name="people.csv", data=b"\n\n\n")
def test_any_bytes_have_an_outline_with_spans_inside_the_text(name: str, data: bytes) -> None:
    found = outline(name, data, True)
    assert pickle.loads(pickle.dumps(found)) == found == outline(name, data, True)
    assert not (found.fallback or "").startswith("the outline of"), found.fallback
    for one in found.definitions:
        assert 1 <= one.start_line <= one.end_line <= max(1, found.total_lines)
        assert one.depth >= 0
        assert "\n" not in one.signature + one.doc + one.name


@given(name=NAMES, data=TEXTS)
@settings(max_examples=150, deadline=None)
def test_compact_never_raises_never_grows_and_keeps_ascending_lines(name: str, data: bytes) -> None:
    found = compact(name, data)
    assert len(found.text) <= len(data) or data.startswith((b"\xff\xfe", b"\xfe\xff"))
    assert compact(name, data) == found
    assert not found.unchanged.startswith("reading its syntax failed")
    flat = [number for first, last in found.kept for number in range(first, last + 1)]
    assert flat == sorted(set(flat))
    assert all(1 <= number <= found.total_lines for number in flat)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.py", b"x = " + b"(" * 60_000),
        ("a.py", b"".join(b" " * depth + b"if x:\n" for depth in range(900))),
        ("a.c", b"{" * 60_000),
        ("a.js", b"[" * 60_000 + b"]" * 60_000),
        ("a.rs", b"fn a() {" * 2_000),
        ("a.json", b"[" * 200_000),
        ("a.xml", b"<a>" * 60_000),
        ("a.html", b"<div>" * 20_000),
        ("a.yaml", b"".join(b" " * depth + b"a:\n" for depth in range(1_500))),
        ("a.md", b"#" * 300_000),
        ("a.css", b"a{" * 20_000),
    ],
)
def test_deep_nesting_is_outlined_or_refused_but_never_fatal(name: str, data: bytes) -> None:
    """A recursive walk over such a tree ends the process (measured: 100,000 parentheses, SIGSEGV)."""
    start = time.monotonic()
    found = outline(name, data)
    assert all(one.depth <= 500 for one in found.definitions) or found.fallback or name == "a.yaml"
    assert time.monotonic() - start < 10


def test_a_parse_out_of_time_falls_back_to_lines_and_says_so() -> None:
    data = b"def f():\n    return 1\n\n" * 30_000
    found = outline("a.py", data, timeout_s=0.0)
    assert found.fallback is not None
    assert "took longer" in found.fallback
    assert (found.definitions[0].name, found.definitions[0].start_line, found.definitions[0].end_line) == ("f", 1, 2)


def test_too_large_a_file_falls_back_to_lines_and_says_so() -> None:
    found = outline("a.py", b"def f(): pass\n" + b"#" * MAX_PARSE_BYTES)
    assert "larger than" in (found.fallback or "")
    assert [one.name for one in found.definitions] == ["f"]
    assert not can_parse("a.py", b"#" * (MAX_PARSE_BYTES + 1))


def test_a_guess_is_labelled_with_the_reason_given() -> None:
    found = guess_outline("python", b"class A:\n    def b(self):\n        pass\nx = 1\n", "the worker was busy")
    assert (found.fallback or "").startswith("the worker was busy")
    assert [(one.name, one.depth, one.start_line, one.end_line) for one in found.definitions] == [("A", 0, 1, 3), ("b", 1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "data", "fallback"),
    [
        ("a.py", b"import os\nfor x in y:\n    print(x)\n", "no definitions found; blocks by indentation"),
        ("a.conf", b"server {\n  listen 80;\n}\n", "no definitions found; blocks by indentation"),
        ("a.md", b"Words.\n\nMore words.\n", "plain text; first lines of paragraphs"),
    ],
)
def test_a_file_without_definitions_shows_its_blocks_and_says_so(name: str, data: bytes, fallback: str) -> None:
    found = outline(name, data)
    assert found.fallback == fallback
    assert found.language == language_of(name, data)
    assert found.definitions
    assert len(found.imports) == data.count(b"import")
    assert outline(name, b" \n").fallback is None


def test_a_text_too_large_to_scan_falls_back_to_lines() -> None:
    assert "larger than 4,000,000" in (outline("a.md", b"# A\n" + b"x" * 4_000_000).fallback or "")


def test_utf16_and_byte_order_marks_are_read_like_plain_text() -> None:
    text = "def f():\n    return 'é'\n"
    plain = outline("a.py", text.encode())
    assert outline("a.py", text.encode("utf-16")) == plain
    assert outline("a.py", b"\xef\xbb\xbf" + text.encode()) == plain


def test_chunk_definitions_leave_out_fields_and_derived_outlines() -> None:
    code = b"LIMIT = 1\nclass A:\n    x = 1\n    def f(self): pass\n"
    assert [entry[:2] for entry in definitions("a.py", code)] == [("class", "A"), ("method", "f")]
    assert definitions("a.json", b'{"a": {"b": 1}}') == []
    assert definitions("a.py", b"for x in y:\n    print(x)\n") == []


def _stdlib(step: int) -> list[Path]:
    root = Path(sysconfig.get_paths()["stdlib"])
    found = sorted(path for path in root.rglob("*.py") if "site-packages" not in path.parts and "lib2to3" not in path.parts)
    return [path for path in found[::step] if path.stat().st_size < 300_000]


def test_outlines_find_what_ast_finds_in_the_standard_library() -> None:
    """A sample; the benchmark `views` does the whole library."""
    wanted = found = 0
    for path in _stdlib(10):
        data = path.read_bytes()
        try:
            tree = ast.parse(data)
        except (SyntaxError, ValueError):
            continue
        ours = {(one.name, one.end_line) for one in outline(path.name, data).definitions if one.kind not in ("constant", "field")}
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                wanted += 1
                found += (node.name, node.end_lineno) in ours
    assert wanted > 500, sys.version
    assert found >= 0.98 * wanted


def test_compact_code_of_the_standard_library_has_the_same_ast() -> None:
    """A sample; the benchmark `views` does the whole library."""
    changed = 0
    for path in _stdlib(40):
        data = path.read_bytes()
        try:
            tree = ast.parse(data)
        except (SyntaxError, ValueError):
            continue
        found = compact(path.name, data)
        changed += not found.unchanged
        assert ast.dump(ast.parse(found.text)) == ast.dump(tree), path
    assert changed > 5
