"""Messages in lines too long to be shown whole, and what the terminal overwrote."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.tools.filters.filter import Document
from penstock.tools.filters.messages import messages_in, shown_of, shown_spans


def test_a_message_far_into_a_line_is_found_where_it_begins() -> None:
    line = "x" * 300_000 + " Error: planted " + "y" * 300_000
    assert [line[at : at + 14] for at in messages_in(line)] == ["Error: planted"]


def test_a_message_without_a_blank_before_it_is_found_too() -> None:
    line = '{"a":"' + "b" * 500_000 + '","error":"planted","c":"' + "d" * 500_000 + '"}'
    assert any(line[at:].startswith('"error":"planted"') for at in messages_in(line))


def test_rules_see_the_message_of_a_long_line() -> None:
    (line,) = Document("x" * 9000 + " Error: planted " + "y" * 9000).ruled
    assert "Error: planted" in line
    assert len(line) <= 2001


def test_an_overwritten_warning_is_shown_before_the_progress_after_it() -> None:
    line = "10 %\rwarning: disk nearly full\r20 %\r30 %"
    assert shown_of(line) == "warning: disk nearly full"
    assert [line[start:end] for start, end in shown_spans(line)] == ["warning: disk nearly full", "30 %"]


def test_of_mere_progress_the_last_is_shown() -> None:
    assert shown_of("10 %\r20 %\r") == "20 %"


@given(st.text(alphabet="ab\r error:İ", max_size=60))
def test_spans_are_ascending_parts_of_the_line(line: str) -> None:
    spans = shown_spans(line)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(line) for edge in edges)
