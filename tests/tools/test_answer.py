from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.answer import Part, clean_text, compose, facts_line

BODIES = st.text(max_size=60)
LINES = st.text(st.characters(exclude_characters="\n\r"), max_size=20)


@given(st.lists(st.tuples(BODIES, LINES, LINES), max_size=4), LINES, LINES)
def test_offsets_name_each_body_exactly(parts: list[tuple[str, str, str]], head: str, foot: str) -> None:
    answer = compose([Part("p", "full", body, facts=facts, tail=tail) for body, facts, tail in parts], head=head, foot=foot)
    for (body, _, _), part in zip(parts, answer.parts, strict=True):
        span = part["body"]
        assert isinstance(span, list)
        start, end = span
        assert isinstance(start, int)
        assert isinstance(end, int)
        assert answer.text[start:end] == clean_text(body)


@given(st.text(), st.text())
def test_a_facts_line_is_one_line(one: str, other: str) -> None:
    assert len(facts_line(one, other).splitlines()) <= 1


@given(st.text(st.characters(codec="utf-8")))
def test_clean_text_is_left_alone(text: str) -> None:
    assert clean_text(text) == text


def test_a_lone_surrogate_is_escaped_not_fatal() -> None:
    assert clean_text("report-\udcff.txt") == "report-\\udcff.txt"
    assert compose([Part("a\udcff", "full", "b\udcff\n", facts="c\udcff")]).text.encode()


def test_a_body_without_a_final_newline_keeps_its_bytes() -> None:
    answer = compose([Part("p", "full", "no newline", facts="facts", tail="receipt r1-0000")])
    assert answer.text == "facts\nno newline\nreceipt r1-0000"
    assert answer.parts[0]["body"] == [6, 16]
