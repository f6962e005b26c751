from penstock.cache.index.neighbour import Neighbour, Neighbours, Ties
from penstock.tools.grammar.definition import Definition, Import, Outline
from penstock.tools.views.map import map_view, outlined, ties_text

OUTLINE = Outline(
    "python",
    9,
    (Definition("function", "run", 3, 5, "def run()"), Definition("function", "_hidden", 7, 9, "def _hidden()", is_public=False)),
    (Import("os", ("path",), 1, 1, "from os import path"),),
)
TIES = ties_text(
    Neighbours(
        imported_by=Ties((Neighbour("a.py"), Neighbour("odd\nname.py")), 3),
        called_by=Ties((Neighbour("a.py", ("one", "two", "three", "four", "five")),)),
    )
)


def words(text: str) -> int:
    return len(text.split())


def test_neighbours_are_a_line_for_each_way_between_the_imports_and_the_outline() -> None:
    assert map_view(OUTLINE, words, ties=TIES).body.splitlines() == [
        "imports: os (path)",
        "neighbours as last indexed, calls by name:",
        "  imported by: a.py, odd\\x0aname.py (+3 files)",
        "  called by: a.py (one two three four +1)",
        "3-5 def run()",
    ]


def test_neighbours_take_a_part_of_the_budget_at_most_and_a_label_never_stands_alone() -> None:
    for budget in range(1, 90):
        lines = map_view(OUTLINE, words, budget=budget, ties=TIES).body.splitlines()
        ties = [line for line in lines if line.startswith(("neighbours", "  "))]
        assert words("\n".join(ties)) * 3 <= budget
        assert len(ties) != 1
    assert "called by" in map_view(OUTLINE, words, budget=90, ties=TIES).body


def test_a_file_without_neighbours_has_no_line_for_them() -> None:
    assert ties_text(Neighbours()) == ""
    assert "neighbours" not in map_view(OUTLINE, words).body
    capped = ties_text(Neighbours(imported_by=Ties((Neighbour("b.py"),), 0, is_capped=True)))
    assert capped.endswith("  imported by: b.py and perhaps more\n")
    partial = ties_text(Neighbours(imports=Ties((Neighbour("b.py"),)), is_whole=False))
    assert partial.splitlines()[0].endswith("not everything is indexed yet:")


def test_an_index_is_asked_for_the_imports_and_the_public_definitions() -> None:
    asked = outlined("a.py", OUTLINE)
    assert (asked.path, asked.imports, asked.names) == ("a.py", [("os", ("path",))], ["run"])
