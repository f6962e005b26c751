"""Directory trees and reference views."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.languages import outline
from penstock.tools.views.reference import reference_view
from penstock.tools.views.tree import TreeEntry, tree_view

Count = Callable[[str], int]
ENTRIES = [
    TreeEntry("src", 60, is_dir=True, files=3),
    TreeEntry("src/deep", 20, is_dir=True, files=1),
    TreeEntry("src/deep/c.py", 20),
    TreeEntry("src/a.py", 10),
    TreeEntry("src/b.py", 30, is_estimated=False),
    TreeEntry("README.md", 1_234),
]
WHOLE = """README.md ~1,234 tok
src/ ~60 tok in 3 files
src/a.py ~10 tok
src/b.py 30 tok
src/deep/ ~20 tok in 1 file
src/deep/c.py ~20 tok
"""


def test_every_line_of_a_tree_begins_with_the_path_and_ends_with_tokens() -> None:
    view = tree_view(ENTRIES, len)
    assert view.body == WHOLE
    assert not view.is_lossy
    assert view.notes == ("4 files", "~1,294 tok in all")


def test_a_file_without_text_has_a_size_and_no_tokens() -> None:
    view = tree_view([*ENTRIES, TreeEntry("lib.so", 0, binary_bytes=2_000_000)], len)
    assert "\nlib.so binary, 2,000,000 bytes\n" in view.body
    assert view.notes == ("5 files", "~1,294 tok in all", "1 of them binary, 2,000,000 bytes")


def test_over_budget_the_deepest_levels_are_folded_into_their_directories() -> None:
    deep = [TreeEntry(f"src/deep/d{at}.py", 1) for at in range(20)]
    view = tree_view([*ENTRIES, *deep], len, budget=len(WHOLE) + 60)
    assert "src/deep/ ~20 tok" in view.body
    assert "src/deep/c.py" not in view.body
    assert view.is_lossy
    assert "21 entries left out" in view.notes


def test_when_one_level_is_too_much_the_heaviest_entries_stay() -> None:
    entries = [TreeEntry(f"f{at}.py", at) for at in range(500)]
    view = tree_view(entries, len, budget=400)
    assert len(view.body) <= 400
    assert "f499.py ~499 tok\n" in view.body
    assert "f3.py" not in view.body


@given(
    st.lists(st.tuples(st.text(alphabet="ab/", min_size=1, max_size=8), st.integers(0, 9), st.booleans()), max_size=20),
    st.integers(0, 300),
)
def test_any_tree_keeps_its_lines_within_the_budget(entries: list[tuple[str, int, bool]], budget: int) -> None:
    view = tree_view([TreeEntry(path, tokens, is_dir=folder) for path, tokens, folder in entries], len, budget=budget)
    assert len(view.body) <= max(budget, 100)


def test_a_reference_gives_facts_and_no_text(count: Count) -> None:
    text = "import os\n\n\ndef area(x):\n    return x\n\n\ndef _hidden(): ...\n"
    view = reference_view(text, outline("a.py", text.encode()))
    assert view.body == "python · 2 definitions · 1 imports · defines area\n"
    assert (view.kept, view.total_lines, view.is_lossy) == ((), 8, True)
    assert count(view.body) < 30


def test_a_reference_mentions_very_long_lines_and_many_names() -> None:
    text = "x" * 5_000 + "\n" + "".join(f"def f{at}(): ...\n" for at in range(20))
    body = reference_view(text, outline("a.py", text.encode())).body
    assert "longest line 5,000 characters" in body
    assert "f11, … 8 more" in body
