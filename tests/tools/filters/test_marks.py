import pytest

from penstock.tools.filters.marks import carries_marks, cut_mark, gap_mark


def test_marks_count_and_number_from_one() -> None:
    assert gap_mark(11, 225) == "… 214 lines (12-225) …"
    assert gap_mark(0, 1) == "… 1 line (1-1) …"
    assert cut_mark(1234) == "…[+1,234 chars]…"


@pytest.mark.parametrize("text", [f"a\n{gap_mark(1, 9)}\nb\n", f"x{cut_mark(50)}y"])
def test_marked_text_is_recognised(text: str) -> None:
    assert carries_marks(text)


@pytest.mark.parametrize("text", ["plain", "… and so on …", "an ellipsis… [+1 chars]", "12 lines (3-14)"])
def test_other_text_is_not(text: str) -> None:
    assert not carries_marks(text)
