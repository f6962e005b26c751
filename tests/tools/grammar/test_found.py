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
    ("a.hs", b"f x = y\n  where\n    y = 1\n    g z = 2\n", "function g 4-4 "),
    ("a.test.ts", b"it('has a limit', { timeout: 1 }, () => {\n})\n", "test has a limit 1-2 "),
]


@pytest.mark.parametrize(("name", "data", "wanted"), CASES, ids=[f"{name} {wanted}" for name, _, wanted in CASES])
def test_a_definition_has_its_kind_name_span_and_doc(name: str, data: bytes, wanted: str) -> None:
    found = [f"{one.kind} {one.name} {one.start_line}-{one.end_line} {one.doc}" for one in outline(name, data).definitions]
    assert wanted in found


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
