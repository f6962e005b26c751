"""Macros between `class` and the name of a type."""

import pytest

from penstock.tools.grammar.macros import without_macros


@pytest.mark.parametrize(
    ("text", "blanked"),
    [
        (b"class A_API B : C {", b"class       B : C {"),
        (b"struct ALIGN(8) PACKED b\n{", b"struct                 b\n{"),
        (b"class A_API B<int> final {", b"class       B<int> final {"),
    ],
)
def test_a_macro_before_the_name_of_a_type_is_blanked_at_its_place(text: bytes, blanked: bytes) -> None:
    assert without_macros(text) == blanked
    assert len(blanked) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        b"struct RECT bounds;",
        b"struct RECT bounds = {1};",
        b"struct RECT f(void) {",
        b"class ABC final : public D {",
        b"class ABC {",
        b"struct A_B::C x {};",
        b"return sizeof(struct FOO);",
    ],
)
def test_a_type_in_capitals_is_no_macro(text: bytes) -> None:
    assert without_macros(text) is text
