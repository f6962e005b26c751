"""What every view promises for any text, query and budget: strategies and checks, shared by `make test` and `make soak`."""

import re
from pathlib import Path

from hypothesis import strategies as st

from penstock.cache.workspace.ranges import parse_ranges
from penstock.tools.languages import outline
from penstock.tools.views.compact import compact_view
from penstock.tools.views.dense import dense_view
from penstock.tools.views.focus import focus_view
from penstock.tools.views.map import map_view
from penstock.tools.views.outline import outline_view
from penstock.tools.views.view import View, gap_mark, has_marks, split_lines

SAMPLES = sorted(path for path in (Path(__file__).parents[1] / "tools" / "samples").iterdir() if path.suffix != ".outline")
NAMES = st.sampled_from([path.name.removesuffix(".sample") for path in SAMPLES] + ["a.unknown", "LICENSE"])
_LINES = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="ab cdé_\t …#\"'(){}:;", max_size=60),
    st.sampled_from(
        [
            "def work(a, b):", "    return a", "class A:", "fn f() {", "}", "# note", "/* open", "*/", "… 3 lines (4-6) …",
            "\ufeff",
            "x" * 300, "key: value", "# Title", "| a | b |", '{"a": [1, 2]}', "ERROR disk full", "\r", "\x00", "\ud800", "\f",
        ]
    ),
)  # fmt: skip


def _joined(lines: list[str], end: str, tail: str) -> str:
    return end.join(lines) + tail


TEXTS = st.builds(_joined, st.lists(_LINES, max_size=50), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n", "\n\n"]))
BUDGETS = st.integers(0, 200)
_SPAN = re.compile(r"^ *(\d+(?:-\d+)?) ")


def words(text: str) -> int:
    """Count something like tokens: cheap, never 0 for text, and no more than one for a character."""
    return len(text.split()) + text.count("\n")


def check_views(name: str, text: str, query: str, budget: int) -> None:
    """Build every view of one text twice and check what it promises."""
    data = text.encode("utf-8", "surrogatepass")
    structure = outline(name, data)
    assert structure == outline(name, data)
    definitions = structure.definitions
    for view, again in (
        (
            dense_view(text, words, budget=budget, definitions=definitions),
            dense_view(text, words, budget=budget, definitions=definitions),
        ),
        (
            focus_view(text, query, words, budget=budget, definitions=definitions),
            focus_view(text, query, words, budget=budget, definitions=definitions),
        ),
    ):
        assert view == again
        _check_filled(view, text, budget)
    compacted = compact_view(name, text)
    assert compacted == compact_view(name, text)
    _check_covered(compacted, text)
    assert len(compacted.body) <= len(text)
    assert compact_view(name, compacted.body).body == compacted.body
    _check_spans(outline_view(structure, words), max(1, structure.total_lines))
    _check_spans(outline_view(structure, words, budget=budget), max(1, structure.total_lines))
    assert map_view(structure, words, budget=budget) == map_view(structure, words, budget=budget)


def _check_covered(view: View, text: str) -> None:
    assert view.total_lines == len(split_lines(text))
    assert view.kept_lines + sum(last - first + 1 for first, last in view.omitted) == view.total_lines


def _check_filled(view: View, text: str, budget: int) -> None:
    """Whole lines, verbatim, in order, within the budget; a gap is marked with its count and range."""
    _check_covered(view, text)
    assert words(view.body) <= budget or not view.is_lossy
    assert len(view.body) <= len(text)
    lines = split_lines(text)
    pieces = [(first, "".join(lines[first - 1 : last])) for first, last in view.kept]
    pieces += [(gap[0], gap_mark(gap)) for gap in view.omitted if view.kept]
    assert view.body == "".join(piece for _, piece in sorted(pieces))
    assert view.is_lossy == bool(view.omitted)
    if view.is_lossy and view.body:
        assert has_marks(view.body)
        assert "lossy" in view.facts


def _check_spans(view: View, total: int) -> None:
    """Every line begins with what `lines=` takes verbatim, inside the file; only the mark at the end does not."""
    for line in view.body.split("\n")[:-1]:
        found = _SPAN.match(line)
        if found is None:
            assert has_marks(line), line
            continue
        for span in parse_ranges(found.group(1)):
            assert span.last is not None
            assert 1 <= span.first <= span.last <= total
