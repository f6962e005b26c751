"""Files that a grammar cannot read whole, and files of several languages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.tools.grammar.definition import Definition
from penstock.tools.grammar.language import Language
from penstock.tools.grammar.mend import mend
from penstock.tools.grammar.parsing import parse
from penstock.tools.grammar.spans import LineMap
from penstock.tools.grammar.table import LANGUAGE_BY_NAME
from penstock.tools.languages import definitions, outline

C: Language = LANGUAGE_BY_NAME["c"]
KERNEL = b"""#include <linux/x.h>
SYSCALL_DEFINE3(read, unsigned int, fd, char __user *, buf)
{
\treturn 0;
}
static int __init setup(void)
{
\treturn 0;
}
/* NOT_A_FUNCTION(a) */
"""
KOTLIN = b"""package a

fun before() = 1
enum class E(val x: Int) { A(1) { override fun f() {} }, B(2); abstract fun f() }
object Single { val x = 1 }
abstract class Abs {
  fun inside(): Int {
    val local = 1
    return local
  }
}
"""


def spans(path: str, data: bytes) -> dict[str, tuple[int, int]]:
    return {one.name: (one.start_line, one.end_line) for one in outline(path, data).definitions}


def test_a_function_that_a_macro_hides_from_the_grammar_is_found_and_counted_as_a_guess() -> None:
    found = spans("a.c", KERNEL)
    assert found["SYSCALL_DEFINE3"] == (2, 5)
    assert found["setup"] == (6, 9)
    assert "NOT_A_FUNCTION" not in found
    assert outline("a.c", KERNEL).notes == ("the grammar met errors, 1 entries there guessed from lines",)


def test_what_follows_an_unknown_construct_is_not_lost() -> None:
    found = spans("a.kt", KOTLIN)
    assert {"before", "Single", "Abs", "inside"} <= set(found)
    assert found["Single"] == (5, 5)
    assert found["inside"] == (7, 10)
    assert "local" not in found


def test_a_file_without_errors_is_left_alone() -> None:
    good = b"int f(void) { return 1; }\n"
    assert parse(C, good).errors == ()
    assert outline("a.c", good).notes == ()


@given(
    st.lists(
        st.sampled_from(
            [b"FOO(a, b)", b"{", b"}", b"int f(void)", b"struct s;", b"struct s {", b"x = 1;", b"))", b"/* FOO(a) */"]
        )
    )
)
@settings(max_examples=120, deadline=None)
def test_guesses_stand_inside_the_file_and_take_no_line_that_the_grammar_read(parts: list[bytes]) -> None:
    data = b"\n".join(parts)
    found = outline("a.c", data)
    assert all(1 <= one.start_line <= one.end_line <= found.total_lines for one in found.definitions)
    assert [one.start_line for one in found.definitions] == sorted(one.start_line for one in found.definitions)
    assert found == outline("a.c", data)


def test_guesses_in_huge_files_are_bounded() -> None:
    known = [Definition("function", f"f{at}", at + 1, at + 1, "") for at in range(20_000)]
    data = b"\n" * 20_000 + b"FOO(a)\n" * 5_000
    merged, guessed = mend(C, known, [(20_000, len(data))], LineMap(data))
    assert guessed <= 50
    assert len(merged) == len(known) + guessed


VUE = b"""<template>
  <template v-if="a"><p>x</p></template>
</template>
<script setup lang="ts">
const go = (x: number) => {
  return x
}
</script>
<script src="./y.js"></script>
<style>
.a { color: red }
</style>
"""


def test_a_component_has_its_sections_and_what_its_script_defines() -> None:
    assert [(one.kind, one.name, one.start_line, one.end_line, one.depth) for one in outline("a.vue", VUE).definitions] == [
        ("section", "template", 1, 3, 0),
        ("section", "script", 4, 8, 0),
        ("function", "go", 5, 7, 1),
        ("section", "script", 9, 9, 0),
        ("section", "style", 10, 12, 0),
    ]
    assert outline("a.vue", VUE).notes == ("script read as typescript",)
    assert ("function", "go", 5, 7, 1) in definitions("a.vue", VUE)


@pytest.mark.parametrize("data", [b"just words\n", b"<script>\nnever closed\n"])
def test_a_component_without_sections_is_outlined_from_its_lines(data: bytes) -> None:
    assert "no grammar for vue" in (outline("a.vue", data).fallback or "")


def test_tests_are_outlined_by_their_titles() -> None:
    data = b"describe('thing', () => {\n  it('works', async () => {\n    x();\n  });\n  test.only(`odd`, function () {});\n});\n"
    assert spans("a.test.js", data) == {"thing": (1, 6), "works": (2, 4), "odd": (5, 5)}
    ruby = b"RSpec.describe Foo do\n  it 'works' do\n  end\nend\nnamespace :db do\n  task :go do\n  end\nend\n"
    assert spans("a.rb", ruby) == {"Foo": (1, 4), "works": (2, 3), "db": (5, 8), "go": (6, 7)}


def test_what_a_grammar_found_in_a_guessed_class_is_below_it() -> None:
    data = b"<<<\nexport class Box<E extends F = F> {\n  size?: number\n  if (a) {}\n}\n"
    inside = Definition("property", "size", 3, 3, "size?: number")
    mistaken = Definition("method", "if", 4, 4, "if (a)")
    found, guessed = mend(LANGUAGE_BY_NAME["typescript"], [inside, mistaken], [(0, len(data))], LineMap(data))
    assert guessed == 1
    assert [(one.kind, one.name, one.depth, one.parent) for one in found] == [
        ("class", "Box", 0, None),
        ("property", "size", 1, "Box"),
    ]
