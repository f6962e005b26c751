"""Decorators in signatures: shown, shortened, and out of the way of visibility."""

import pytest

from penstock.tools.grammar.decorators import MAX_DECORATOR, split_decorators
from penstock.tools.languages import outline


@pytest.mark.parametrize(
    ("language", "text", "decorators", "bare"),
    [
        ("python", '@app.route("/a)", methods=["GET"]) def f()', '@app.route("/a)", methods=["GET"])', "def f()"),
        ("java", "@A @b.C(1) public int f()", "@A @b.C(1)", "public int f()"),
        ("java", "@interface A", "", "@interface A"),
        ("csharp", "[Fact] [Trait(a[0])] void F()", "[Fact] [Trait(a[0])]", "void F()"),
        ("typescript", "[Symbol.iterator]()", "", "[Symbol.iterator]()"),
        ("rust", "#[inline] #[derive(Debug)] pub struct A", "#[derive(Debug)]", "pub struct A"),
        ("python", "@open(", "", "@open("),
        ("python", "@alone", "", "@alone"),
    ],
)
def test_decorators_are_told_from_what_they_decorate(language: str, text: str, decorators: str, bare: str) -> None:
    assert split_decorators(language, text) == (decorators, bare)


def test_a_long_decorator_is_cut_and_many_are_counted_out() -> None:
    shown, bare = split_decorators("csharp", f"[Usage({' | '.join(['Targets.Method'] * 9)})] class A")
    assert (len(shown), shown[-2:], bare) == (MAX_DECORATOR, "…]", "class A")
    many, bare = split_decorators("java", "@Something(value = 12345) " * 9 + "class A")
    assert many == "@Something(value = 12345) @Something(value = 12345) @Something(value = 12345) …"
    assert bare == "class A"


@pytest.mark.parametrize(
    ("name", "data", "signature", "is_public"),
    [
        ("a.java", b'class A {\n  @Get("/x")\n  public int f() {}\n}\n', '@Get("/x") public int f()', False),
        ("b.java", b'public class A {\n  @Get("/x")\n  public int f() {}\n}\n', '@Get("/x") public int f()', True),
        ("b.java", b'public class A {\n  @Get("/x")\n  private int f() {}\n}\n', '@Get("/x") private int f()', False),
        ("a.ts", b"export class A {\n  @Post('in')\n  // Why.\n  f(): B {}\n}\n", "@Post('in') f(): B", True),
        ("a.rs", b"#[derive(Debug)]\npub struct A;\n", "#[derive(Debug)] pub struct A", True),
        ("a.cs", b"public class A {\n  [Theory]\n  public void F() {}\n}\n", "[Theory] public void F()", True),
        ("a.py", b"@cache\ndef f(a: int) -> int:\n    return a\n", "@cache def f(a: int) -> int", True),
    ],
)
def test_signatures_begin_with_decorators_that_do_not_change_who_sees_them(
    name: str, data: bytes, signature: str, is_public: bool
) -> None:
    found = outline(name, data).definitions[-1]
    assert (found.signature, found.is_public) == (signature, is_public)
