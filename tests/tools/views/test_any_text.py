"""Views of any text under any name: the 200 cases of this run; `make soak` (fuzz_views) runs 10,000."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from penstock.tools.views.dense import dense_view
from penstock.tools.views.focus import focus_view
from tests.soak._view_promises import BUDGETS, NAMES, TEXTS, check_views, words

WORDS = st.sampled_from(["alpha", "beta", "gamma", "delta", "read", "write"])


@given(name=NAMES, text=TEXTS, query=st.text(max_size=20), budget=BUDGETS)
@settings(max_examples=200, deadline=None)
@example(name="a.py", text="… 3 lines (4-6) …\n" * 30, query="lines", budget=10)
@example(name="a.py", text="", query="", budget=0)
@example(name="a.py", text="\ud800 # x\n", query="x", budget=5)
def test_every_view_of_any_text_keeps_its_promises(name: str, text: str, query: str, budget: int) -> None:
    check_views(name, text, query, budget)


@given(
    lines=st.lists(st.lists(WORDS, max_size=6), min_size=200, max_size=300),
    end=st.sampled_from(["\n", "\r\n"]),
    share=st.floats(0.1, 1),
)
@settings(max_examples=25, deadline=None)
def test_focus_and_dense_fill_any_budget_within_five_percent(lines: list[list[str]], end: str, share: float) -> None:
    text = "".join(" ".join(line) + end for line in lines)
    budget = max(60, int(share * (words(text) - 1)))
    if words(text) <= budget:
        return
    for view in (dense_view(text, words, budget=budget), focus_view(text, "alpha read", words, budget=budget)):
        assert 0.95 * budget <= words(view.body) <= budget
