"""Which lines fit a budget."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.filters.filter import MUST, Document, Focus, Rank, Scores
from penstock.tools.filters.planner import FLOOR_TOKENS, keep
from tests.tools.filters.conftest import check_whole, rough

RANKS = st.lists(st.sampled_from(list(Rank)), min_size=1, max_size=200)


def document(ranks: list[Rank]) -> Document:
    return Document("".join(f"line number {i} has rank {rank.name}\n" for i, rank in enumerate(ranks)))


@given(RANKS, st.integers(1, 800), st.booleans())
def test_plans_keep_order_and_budget(ranks: list[Rank], budget: int, is_default: bool) -> None:
    result = keep("text", document(ranks), Scores(bytearray(ranks)), Focus(budget, is_default=is_default), rough)
    check_whole(result)
    assert rough(result.text) <= max(budget, FLOOR_TOKENS)
    missing = sum(result.left_out.values())
    kept = sum(line in result.text for i, line in enumerate(result.document.lines) if ranks[i] >= MUST)
    assert kept + missing == sum(rank >= MUST for rank in ranks)


@given(RANKS, st.integers(40, 800))
def test_nothing_below_what_must_survive_is_taken_while_that_is_missing(ranks: list[Rank], budget: int) -> None:
    """Lines are of about equal cost here, but that one at an end needs a mark less."""
    result = keep("text", document(ranks), Scores(bytearray(ranks)), Focus(budget), rough)
    if not result.left_out:
        return
    for piece in result.pieces:
        # A line of lower rank may stand where a gap mark would be dearer than it.
        if piece.is_kept and piece.end - piece.start == 1 and 0 < piece.start < len(ranks) - 1:
            assert ranks[piece.start] >= MUST


def test_names_of_failures_leave_room_for_their_reasons_and_reasons_for_names() -> None:
    ranks = [Rank.EVIDENCE, Rank.LOCATION, Rank.NOISE] * 60 + [Rank.FAILURE] * 60 + [Rank.SUMMARY]
    result = keep("pytest", document(ranks), Scores(bytearray(ranks)), Focus(700), rough)
    for rank, least in ((Rank.FAILURE, 10), (Rank.EVIDENCE, 8), (Rank.LOCATION, 3), (Rank.SUMMARY, 1)):
        kept = sum(f"rank {rank.name}" in line for line in result.body_lines())
        assert kept >= least
        assert kept + result.left_out.get(rank, 0) == ranks.count(rank)


@given(RANKS, st.integers(1, 400), st.integers(0, 400))
def test_more_budget_never_leaves_out_more_failures(ranks: list[Rank], budget: int, more: int) -> None:
    scores = Scores(bytearray(ranks))
    small = keep("text", document(ranks), scores, Focus(budget), rough)
    large = keep("text", document(ranks), scores, Focus(budget + more), rough)
    assert sum(large.left_out.values()) <= sum(small.left_out.values()) + 1


def test_noise_goes_even_when_there_is_room() -> None:
    ranks = [Rank.NOISE] * 100 + [Rank.SUMMARY]
    result = keep("pytest", document(ranks), Scores(bytearray(ranks)), Focus(5000, is_default=True), rough)
    assert result.kept_lines == 1
    asked = keep("pytest", document(ranks), Scores(bytearray(ranks)), Focus(5000), rough)
    assert not asked.is_lossy


def test_noise_stays_when_leaving_it_out_saves_little() -> None:
    ranks = [Rank.NOISE] * 3 + [Rank.SUMMARY] * 20
    assert not keep("pytest", document(ranks), Scores(bytearray(ranks)), Focus(5000, is_default=True), rough).is_lossy


def test_a_default_answer_spends_its_share_on_what_need_not_survive() -> None:
    ranks = [Rank.DETAIL] * 2000 + [Rank.SUMMARY]
    result = keep("x", document(ranks), Scores(bytearray(ranks)), Focus(8000, is_default=True, aim=0.05), rough)
    assert 400 < rough(result.text) < 1600


def test_derived_facts_leave_room_for_samples() -> None:
    ranks = [Rank.PLAIN] * 300
    scores = Scores(bytearray(ranks), derived=["a short fact", "x" * 3000])
    result = keep("text", document(ranks), scores, Focus(200), rough)
    assert result.derived == ("a short fact",)
    assert result.kept_lines > 5
