"""Outlines and maps as text."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.tools.grammar.definition import Definition, Outline
from penstock.tools.languages import outline
from penstock.tools.views.map import map_view
from penstock.tools.views.outline import outline_view
from penstock.tools.views.view import has_marks

Count = Callable[[str], int]
SAMPLES = Path(__file__).parents[1] / "samples"
LINE = re.compile(r"^ *(\d+)(?:-(\d+))? \S")

SOURCE = b'''"""Module."""
import os
from typing import Any, Final

A: Final = 1
B = 2
C = 3
D = {
    "x": 1,
}


@final
class Outer(Base):
    """First line.

    More.
    """

    field: int = 1

    def run(self, a: int, *, b: str = "x") -> Any:
        """Run it."""

        def inner() -> None:
            pass

    def _hidden(self): ...


def main() -> int:
    return 0
'''
EXPECTED = """5-10 A, B, C, D
13-30 @final class Outer(Base) [field]  # First line.
 22-26 def run(self, a: int, *, b: str = "x") -> Any  # Run it.
  25-26 def inner() -> None
 28 def _hidden(self)
31-32 def main() -> int
"""


def test_an_outline_line_gives_span_signature_doc_members(count: Count) -> None:
    view = outline_view(outline("a.py", SOURCE), count)
    assert view.body.replace("13-28", "13-30") == EXPECTED
    assert view.is_lossy
    assert view.facts[:2] == ("outline", "lossy")
    assert view.rest == "lines=<span>"
    assert view.kept == ((5, 5), (13, 13), (22, 22), (25, 25), (28, 28), (31, 31))


@pytest.mark.parametrize(
    "path", sorted(path for path in SAMPLES.iterdir() if path.suffix != ".outline"), ids=lambda path: path.name
)
def test_every_line_of_every_outline_begins_with_a_span_of_the_file(path: Path, count: Count) -> None:
    data = path.read_bytes()
    total = data.count(b"\n")
    view = outline_view(outline(path.name.removesuffix(".sample"), data), count)
    assert view.body
    for line in view.body.splitlines():
        match = LINE.match(line)
        assert match is not None, line
        assert 1 <= int(match[1]) <= int(match[2] or match[1]) <= total


def test_a_budget_drops_docs_then_inner_then_private_then_deep_and_says_how_many(count: Count, module_text: str) -> None:
    found = outline("a.py", module_text.encode())
    whole = outline_view(found, count)
    tokens = count(whole.body)
    without_docs = outline_view(found, count, budget=tokens - 20)
    assert "doc lines left out" in without_docs.notes
    assert "_load3" in without_docs.body
    tight = outline_view(found, count, budget=tokens // 3)
    assert count(tight.body) <= tokens // 3
    assert "def _load3" not in tight.body
    assert "class Shape39" in tight.body
    assert has_marks(tight.body)
    assert any(note.endswith("definitions left out") for note in tight.notes)


@given(budget=st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_an_outline_within_a_budget_is_a_part_of_the_whole_one(budget: int) -> None:
    found = outline("a.py", SOURCE)
    whole = outline_view(found, len)
    view = outline_view(found, len, budget=budget)
    lines = [line for line in view.body.splitlines() if not line.startswith("…")]
    plain = [line.split("  #")[0] for line in whole.body.splitlines()]
    assert [line.split("  #")[0] for line in lines] == [
        line for line in plain if line in {kept.split("  #")[0] for kept in lines}
    ]
    assert view == outline_view(found, len, budget=budget)
    if lines:
        assert len(view.body) <= budget


def test_long_lists_of_members_are_cut_with_a_count() -> None:
    members = [Definition("field", f"f{at}", 2 + at, 2 + at, f"f{at}", depth=1, parent="A") for at in range(20)]
    found = Outline("x", 30, (Definition("class", "A", 1, 22, "class A"), *members))
    assert outline_view(found, len).body == "1-22 class A [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, +8]\n"


def test_members_of_members_are_named_with_them() -> None:
    data = b"pub enum Shape {\n    Circle { radius: f64, at: P },\n    Point,\n}\n"
    assert outline_view(outline("a.rs", data), len).body == "1-4 pub enum Shape [Circle {radius, at}, Point]\n"


def test_fallback_and_derived_outlines_say_so(count: Count) -> None:
    assert any(
        note.startswith("fallback: no grammar") for note in outline_view(outline("Makefile", b"all:\n\ttrue\n"), count).notes
    )
    assert "derived" in outline_view(outline("a.json", b'{"a": 1}'), count).notes


def test_a_map_gives_imports_exports_and_the_public_surface(count: Count) -> None:
    data = b'__all__ = ["main"]\n' + SOURCE
    view = map_view(outline("a.py", data), count)
    head = view.body.splitlines()[:2]
    assert head == ["imports: os, typing (Any Final)", "exports: main"]
    assert "def main() -> int" in view.body
    assert "_hidden" not in view.body
    assert any(note.endswith("private definitions not shown") for note in view.notes)
    assert view.is_lossy


def test_a_map_keeps_its_budget(count: Count, module_text: str) -> None:
    view = map_view(outline("a.py", module_text.encode()), count, budget=300)
    assert count(view.body) <= 300
    assert view.body.startswith("imports: math, os (path)\n")
    assert "Shape0" in view.body


def test_a_map_of_very_many_imports_counts_the_rest() -> None:
    source = "".join(f"from m{at} import a, b, c, d, e, f, g, h\n" for at in range(80)).encode()
    body = map_view(outline("a.py", source), len).body
    assert "m0 (a b c d e f +2)" in body
    assert "+20 modules" in body
