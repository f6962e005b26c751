from penstock.tools.filters.filter import Document, Rank
from penstock.tools.filters.generic import score_log, score_text


def test_a_log_ranks_the_first_of_each_kind_above_repeats() -> None:
    text = "".join(f"10:00:{i:02d} served request {i}\n" for i in range(50)) + "10:01:00 cache rebuilt\n"
    scores = score_log(Document(text))
    assert scores.ranks[0] == Rank.CONTEXT
    assert scores.ranks[-1] == Rank.DETAIL
    assert set(scores.ranks[1:-1]) == {Rank.PLAIN}
    assert "×50" in scores.derived[0]


def test_identifiers_in_hex_do_not_make_new_kinds() -> None:
    text = "".join(f"user {i * 2654435761 % 2**32:08x} logged in\n" for i in range(40))
    assert list(score_log(Document(text)).ranks).count(Rank.CONTEXT) <= 2


def test_text_keeps_headings_and_drops_blank_lines() -> None:
    scores = score_text(Document("# Title\n\nsome words here\nUSAGE\n"))
    assert list(scores.ranks) == [Rank.CONTEXT, Rank.NOISE, Rank.PLAIN, Rank.CONTEXT]


def test_lines_unlike_nearly_all_others_stand_out_in_any_language() -> None:
    alike = [f"正在安装 包{i}" for i in range(100)]
    text = "\n".join([*alike, "错误: 找不到模块 'quokka'", *alike])
    assert [number for number, rank in enumerate(score_text(Document(text)).ranks) if rank == Rank.DETAIL] == [100]


def test_in_text_of_many_kinds_none_stands_out() -> None:
    text = "\n".join(f"sentence {'abcdefghij'[i % 10] * (i + 1)} of a text" for i in range(60))
    assert Rank.DETAIL not in score_text(Document(text)).ranks
