"""What public projects showed outlines to get wrong, one case each."""

import pytest

from penstock.tools.languages import outline

CASES = [
    ("a.hpp", b"namespace x {}\nA_BEGIN_NAMESPACE\nnamespace detail {\nint f();\n}\n", "namespace detail 3-5 "),
    ("a.hpp", b"namespace x {}\nA_BEGIN_EXPORT\n\n/** Doc. */\nstruct point {\n};\n", "struct point 5-6 Doc."),
    ("a.cs", b"class A {\n  // One.\n  int F() { return 1; }\n}\n", "method F 3-3 One."),
    ("a.ex", b'defmodule A do\n  @moduledoc """\n  All of it.\n  """\nend\n', "module A 1-5 All of it."),
    ("a.ex", b'defmodule A do\n  @doc """\n  Runs.\n  """\n  @callback run(a :: b) :: c\nend\n', "function run 5-5 Runs."),
    ("a.ex", b"defmodule A do\n  @type t :: %A{}\nend\n", "type t 2-2 "),
    ("a_test.exs", b'test "logs in" do\n  1\nend\n', "test logs in 1-3 "),
    ("a.scala", b"class A {\n  def f =\n    1\n\n  // of g\n  def g = 2\n}\n", "method f 2-3 "),
    ("a.jl", b"struct A\n  x::Int\nend\n", "field x 2-2 "),
    ("a.kt", b"@A annotation class B\n", "class B 1-1 "),
    ("a.kt", b"class A {\n  companion object {\n  }\n}\n", "object Companion 2-3 "),
    ("a.go", b"package a\n\ntype A struct {\n\t*b.C[d.E]\n}\n", "field C 4-4 "),
    ("a.hpp", b"class MY_API A final : public B {\n  void f();\n};\n", "class A 1-3 "),
    ("a.hpp", b"class MY_API A final : public B {\n  void f();\n};\n", "method f 2-2 "),
    ("a.h", b"struct ALIGNED_(64) a {\n  int b;\n};\n", "field b 2-2 "),
    ("a.hs", b"f x = y\n  where\n    y = 1\n    g z = 2\n", "function g 4-4 "),
    ("a.hs", b"f :: A\nf 1 = g\n  where\n    g z = 2\n-- Else.\nf _ = 3\n", "function f 1-6 "),
    ("a.hs", b"f' = 1\n", "function f' 1-1 "),
    ("a.sh", b'echo "${a[@]"\nf() {\n  ls\n}\n', "function f 2-4 "),
    ("a.ts", b"interface A {\n  new (b: number): C;\n}\n", "method new 2-2 "),
    ("a.ts", b"class A {\n  constructor(public b?: number) {}\n}\n", "field b 2-2 "),
    ("a.test.ts", b"it('has a limit', { timeout: 1 }, () => {\n})\n", "test has a limit 1-2 "),
]


@pytest.mark.parametrize(("name", "data", "wanted"), CASES, ids=[f"{name} {wanted}" for name, _, wanted in CASES])
def test_a_definition_has_its_kind_name_span_and_doc(name: str, data: bytes, wanted: str) -> None:
    found = [f"{one.kind} {one.name} {one.start_line}-{one.end_line} {one.doc}" for one in outline(name, data).definitions]
    assert wanted in found


def test_what_is_required_is_imported_whatever_declares_it() -> None:
    found = outline(
        "a.js", b"var a = require('x'), { b, c: d } = require(\"./y\");\nconst e = require('z').default;\nlet f = g('h');\n"
    )
    assert [(one.module, one.names) for one in found.imports] == [("x", ("a",)), ("./y", ("b", "c", "d")), ("z", ("e",))]


def test_the_signature_of_a_typedef_leaves_the_body_to_the_structure() -> None:
    found = outline("a.h", b"typedef struct a_s {\n  union { int x; int y; } u;\n} a_t, *a_p;\n")
    assert "typedef struct a_s a_t, *a_p" in {one.signature for one in found.definitions}


@pytest.mark.parametrize(
    ("name", "data", "missing"),
    [
        ("a.ts", b"function f(a: { b: number }): void {\n  const c: { d: string } = { d: '' };\n}\n", {"b", "d"}),
        ("a.hs", b"f x = y\n  where\n    y :: Int\n    y = 1\n", {"y"}),
        ("a.hpp", b"namespace x {}\nA_END_NAMESPACE\nA_BEGIN_EXPORT\nint f();\n", {"A_END_NAMESPACE", "A_BEGIN_EXPORT"}),
    ],
)
def test_parts_of_functions_and_macros_are_no_definitions(name: str, data: bytes, missing: set[str]) -> None:
    assert not missing & {one.name for one in outline(name, data).definitions}
