from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.events import EventKind
from penstock.cache.archive.recollection import Recalled, Tier
from penstock.cache.tokens import TokenCount
from penstock.tools.call import Call
from penstock.tools.listing import fit_items, shown, shown_time
from penstock.tools.recalled import recalled_items


class Words:
    """Counts words."""

    def count(self, text: str) -> TokenCount:
        return TokenCount(len(text.split()))


items = st.lists(st.lists(st.text("ab ", min_size=1, max_size=12), min_size=1, max_size=3), max_size=8)


@given(items, st.integers(0, 30))
def test_whole_items_in_order_within_the_budget_and_the_rest_is_counted(some: list[list[str]], budget: int) -> None:
    listing = fit_items(some, Call(), budget, Words())
    assert listing.items + listing.left_out == len(some)
    assert listing.items >= min(1, len(some))
    whole = [line for item in some[: listing.items] for line in item]
    assert list(listing.lines) == whole or list(listing.lines) == some[0][:1]
    if listing.items > 1:
        assert Words().count("\n".join(listing.lines)).tokens <= budget


@given(st.text(st.characters(exclude_categories=())))
def test_a_shown_text_is_one_harmless_line(text: str) -> None:
    line = shown(text, 20)
    assert len(line) <= 20
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_time_is_shown_in_utc_and_an_impossible_one_not_at_all() -> None:
    assert shown_time(1_800_000_000) == "2027-01-15 08:00Z"
    assert shown_time(0) == shown_time(-1) == shown_time(1e300) == ""


def test_what_touched_no_file_is_shown_by_its_call() -> None:
    hit = Recalled(Tier.SESSION, 0.5, ("lint",), "one", 1, EventKind.OUTPUT, "make lint", "lint is\nred", (), (), "k")
    assert recalled_items([hit]) == [["make lint · tier session · 0.50 · lint · one", "  | lint is", "  | red"]]
