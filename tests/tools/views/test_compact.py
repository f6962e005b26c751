"""Compact code means what it meant."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.tools.languages import compact
from penstock.tools.views.compact import compact_view
from penstock.tools.views.view import split_lines

Count = Callable[[str], int]
SAMPLES = Path(__file__).parents[1] / "samples"

PYTHON = b'''#!/usr/bin/env python
# -*- coding: utf-8 -*-
# A licence.
# Of two lines.
"""Docstring with # no comment."""
import os  # for paths


x = []  # type: list[int]



def f(a,  # first
      b):
    # only a comment
    """Doc.


    # kept
    """

    return "# not" + \'\'\'

# text

\'\'\'
'''
COMPACTED = b'''#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""Docstring with # no comment."""
import os

x = []  # type: list[int]

def f(a,
      b):
    """Doc.


    # kept
    """

    return "# not" + \'\'\'

# text

\'\'\'
'''


def test_comments_and_runs_of_blank_lines_go_and_strings_stay() -> None:
    found = compact("a.py", PYTHON)
    assert found.text == COMPACTED
    assert ast.dump(ast.parse(found.text)) == ast.dump(ast.parse(PYTHON))
    assert found.comments == 5
    view = compact_view("a.py", PYTHON.decode())
    assert view.is_lossy
    assert view.body == COMPACTED.decode()
    assert view.notes[0] == "without 5 comments and 3 blank lines"
    assert view.kept[0] == (1, 2)
    assert view.omitted[0] == (3, 4)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("a.js", b"a(1);// x\nlet b = `\n\n// y\n\n`;\n/* z */ f();\n", b"a(1);\nlet b = `\n\n// y\n\n`;\n f();\n"),
        ("a.js", b"return /* a\n b */ x\n", b"return\n x\n"),
        ("a.js", b"let a = 1 /**/+ 2;\n", b"let a = 1 + 2;\n"),
        ("a.ts", b"// @ts-nocheck\n// other\nlet a = 1;\n", b"// @ts-nocheck\nlet a = 1;\n"),
        ("a.c", b"int/* a */b;\n/* c\n * d */\nint e; // f\n", b"int b;\nint e;\n"),
        ("a.go", b"//go:build linux\n\n// Package a.\npackage a\n", b"//go:build linux\n\npackage a\n"),
        ("a.rs", b"/// Doc.\n// note\nfn a() {} // b\n", b"/// Doc.\nfn a() {}\n"),
        ("a.rb", b"# encoding: utf-8\n# x\na = <<~E\n # y\n\n\nE\n", b"# encoding: utf-8\na = <<~E\n # y\n\n\nE\n"),
        ("a.sh", b"#!/bin/sh\n# x\ncat <<E\n# z\n\n\nE\nls # y\n", b"#!/bin/sh\ncat <<E\n# z\n\n\nE\nls\n"),
        ("a.lua", b"--[[ a\nb ]]\nlocal x = 1 -- c\n", b"local x = 1\n"),
        ("a.css", b"/* a */\n.b { color: red; /* c */ }\n", b".b { color: red;  }\n"),
        ("a.hs", b"{-# LANGUAGE A #-}\nmodule A where\n-- a\nx = 1 -- b\n", b"{-# LANGUAGE A #-}\nmodule A where\nx = 1\n"),
        ("a.java", b"/** Doc. */\nclass A { /* b */ int c; }\r\n", b"class A {  int c; }\r\n"),
    ],
)  # fmt: skip
def test_each_language_loses_its_comments_and_nothing_else(name: str, before: bytes, after: bytes) -> None:
    found = compact(name, before)
    assert found.text == after, found.unchanged


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.txt", b"# words\n\n\n\nwords\n", "no grammar"),
        ("a.yaml", b"# words\n\n\n\na: 1\n", "no grammar"),
        ("a.py", b"x = 1\n", "no comments"),
        ("a.go", b'package a\n\n// #include <x.h>\nimport "C"\n', "comments before import"),
        ("a.py", b"#" * 1_000_001, "larger than"),
    ],
)
def test_what_is_in_doubt_stays_as_it_is_with_the_reason(name: str, data: bytes, why: str) -> None:
    found = compact(name, data)
    assert found.text == data
    assert why in found.unchanged
    view = compact_view(name, data.decode())
    assert view.body == data.decode()
    assert not view.is_lossy
    assert view.omitted == ()


@given(text=st.text(alphabet="a#/*\n \ufeff\ud800\"'", max_size=60), name=st.sampled_from(["a.py", "a.js", "a.txt"]))
@settings(max_examples=80, deadline=None)
def test_any_text_has_a_compact_view_no_longer_than_itself(text: str, name: str) -> None:
    view = compact_view(name, text)
    assert len(view.body) <= len(text)
    assert view.total_lines == len(split_lines(text))
    assert view.is_lossy or view.body == text
    assert view.kept_lines + sum(last - first + 1 for first, last in view.omitted) == view.total_lines


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a.py", b'# /// script\n# dependencies = ["x"]\n#\n# ///\n'),
        ("Package.swift", b"// swift-tools-version:5.5\n"),
        ("a.c", b"/* fall through */"),
        ("a.jsx", b"/** @jsx h */"),
        ("a.js", b"import(/* @vite-ignore */ x)"),
        ("a.php", b"<?php\n/**\n * @ORM\\Entity\n */\n"),
        ("a.php", b"<?php\n/** @dataProvider cases */\n"),
        ("A.java", b"/** @deprecated use B */\n"),
        ("a.sc", b"//> using scala 3\n"),
        ("a.html", b'<!--#include virtual="x" -->\n'),
        ("a.css", b"a { b: url(/*x*/y) }\n"),
        ("a_test.go", b"func ExampleF() {\n\tf()\n\t// Output:\n\t// 3\n}\n"),
        ("a.go", b'import (\n\t// #include <x.h>\n\t"C"\n)\n'),
    ],
)
def test_comments_that_are_read_by_more_than_people_stay(name: str, kept: bytes) -> None:
    assert kept in compact(name, kept).text
    if not name.endswith(".go"):
        assert kept in compact(name, kept + b"\n\n\n\n").text


def test_a_comment_inside_a_syntax_error_stays() -> None:
    data = b"def f(:\n    # inside\n    x ] = 1\n\n\ndef g():\n    return 1  # outside\n"
    assert b"# inside" in compact("a.py", data).text


@pytest.mark.parametrize(
    "path", sorted(path for path in SAMPLES.iterdir() if path.suffix != ".outline"), ids=lambda path: path.name
)
def test_compact_text_of_every_sample_is_smaller_or_untouched(path: Path, count: Count) -> None:
    data = path.read_bytes()
    found = compact(path.name.removesuffix(".sample"), data)
    assert (found.text == data) == bool(found.unchanged)
    assert count(found.text.decode()) <= count(data.decode())
    again = compact(path.name.removesuffix(".sample"), found.text)
    assert again.text == found.text
