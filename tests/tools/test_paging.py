import json

from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.call import AnswerLimit
from penstock.tools.paging import FRAME_CHARS, Room, page_of, split_lines, wire_chars

TEXTS = st.text(st.characters(codec="utf-8"), max_size=400).map(lambda text: text.replace("x", "\n"))
LIMITS = st.integers(FRAME_CHARS + 8, FRAME_CHARS + 300)


def count(text: str) -> int:
    return len(text)


@given(TEXTS, LIMITS)
def test_pages_join_to_the_text_and_stay_within_the_limit(text: str, chars: int) -> None:
    limit = AnswerLimit(chars=chars, bytes=chars * 2, tokens=10_000, json_chars=chars * 2)
    lines = split_lines(text)
    shown, at, skipped = "", 1, 0
    while True:
        page = page_of(lines[at - 1 :], limit, count, first=at, start_char=skipped)
        assert len(page.text) <= chars - FRAME_CHARS or len(page.text) == 1
        shown += page.text
        if not page.next_line:
            break
        assert (page.next_line, page.next_char) > (at, skipped)
        at, skipped = page.next_line, page.next_char
    assert shown == text


@given(TEXTS)
def test_lines_are_split_at_newlines_alone(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert all(line.endswith("\n") for line in lines[:-1])
    assert all("\n" not in line[:-1] for line in lines)


@given(TEXTS)
def test_wire_size_is_that_of_the_json_string(text: str) -> None:
    assert wire_chars(text) == len(json.dumps(text, ensure_ascii=False)) - 2


def test_a_page_never_has_more_tokens_than_the_client_takes() -> None:
    limit = AnswerLimit(chars=100_000, bytes=100_000, tokens=50)
    page = page_of(["word\n"] * 100, limit, lambda text: text.count("\n") * 3)
    assert page.text.count("\n") * 3 <= 50
    assert page.next_line == page.last + 1


def test_every_size_that_a_client_counts_is_kept() -> None:
    for limit in (
        AnswerLimit(chars=800, bytes=90_000, tokens=9000),
        AnswerLimit(chars=90_000, bytes=800, tokens=9000),
        AnswerLimit(chars=90_000, bytes=90_000, tokens=9000, json_chars=800),
        AnswerLimit(chars=90_000, bytes=90_000, tokens=9000, lines=24),
    ):
        page = page_of(['say "é"\n'] * 400, limit, count)
        assert page.next_line
        assert Room.of(limit).take(page.text, page.text.count("\n"))
