from penstock.tools.filters.filter import Document, Rank
from penstock.tools.filters.generic import score_log, score_text


def test_a_log_ranks_the_first_of_each_kind_above_repeats() -> None:
    text = "".join(f"10:00:{i:02d} served request {i}\n" for i in range(50)) + "10:01:00 cache rebuilt\n"
    scores = score_log(Document(text))
    assert scores.ranks[0] == Rank.CONTEXT
    assert scores.ranks[-1] == Rank.CONTEXT
    assert set(scores.ranks[1:-1]) == {Rank.PLAIN}
    assert "×50" in scores.derived[0]


def test_identifiers_in_hex_do_not_make_new_kinds() -> None:
    text = "".join(f"user {i * 2654435761 % 2**32:08x} logged in\n" for i in range(40))
    assert list(score_log(Document(text)).ranks).count(Rank.CONTEXT) <= 2


def test_text_keeps_headings_and_drops_blank_lines() -> None:
    scores = score_text(Document("# Title\n\nsome words here\nUSAGE\n"))
    assert list(scores.ranks) == [Rank.CONTEXT, Rank.NOISE, Rank.PLAIN, Rank.CONTEXT]
