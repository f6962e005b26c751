"""Which parts of a long line are kept."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.filters.cuts import cut_spans
from penstock.tools.filters.filter import cut_line
from tests.tools.filters.conftest import rough


@given(st.text(max_size=3000), st.integers(12, 400))
def test_spans_are_apart_ascending_and_worth_a_mark(line: str, tokens: int) -> None:
    spans = cut_spans(line.replace("\n", " "), tokens, rough)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(after - before >= 40 for before, after in zip(edges[1::2], edges[2::2], strict=False))


def test_both_ends_and_the_message_are_kept() -> None:
    line = "start " + "x" * 5000 + '{"stderr": "planted message"}' + "y" * 5000 + " end"
    shown = cut_line(line, cut_spans(line, 100, rough))
    assert shown.startswith("start ")
    assert shown.endswith(" end")
    assert "planted message" in shown
    assert "…[+" in shown
    assert len(shown) < 500


def test_an_overwritten_line_keeps_what_it_showed_last() -> None:
    line = "".join(f"progress {i}%\r" for i in range(100)) + "done, 100 files"
    assert cut_line(line, cut_spans(line, 50, rough)).endswith("…done, 100 files")


def test_a_short_line_is_whole() -> None:
    assert cut_spans("short", 20, rough) == ()
