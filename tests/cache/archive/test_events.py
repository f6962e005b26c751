import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.confidential import holds_secret
from penstock.cache.archive.events import (
    MAX_EXCERPT_CHARS,
    EventKind,
    ToolEvent,
    TouchedSpan,
    check_session_id,
    kind_of_note,
    records_of,
)

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0123456789abcdef\n"


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        ("goal: port the parser", EventKind.GOAL, "port the parser"),
        ("- Decision: keep apsw", EventKind.DECISION, "keep apsw"),
        ("we decided to keep apsw", EventKind.DECISION, "we decided to keep apsw"),
        ("TODO: test Windows", EventKind.OPEN_END, "test Windows"),
        ("failed: make lint", EventKind.FAILURE, "make lint"),
        ("note: plain", EventKind.NOTE, "plain"),
        ("https://example.org", EventKind.NOTE, "https://example.org"),
        ("goal:", EventKind.NOTE, "goal:"),
    ],
)
def test_the_first_word_of_a_note_says_what_it_is(line: str, kind: EventKind, text: str) -> None:
    assert kind_of_note(line) == (kind, text)


def test_an_event_gives_its_call_and_one_record_for_each_line_of_its_note() -> None:
    event = ToolEvent("read", "a.py", ("h1",), (TouchedSpan("a.py"),), 10, note="goal: x\n\ndecision: y", excerpt="body")
    records = records_of(event, is_secret=holds_secret)
    assert [record.kind for record in records] == [EventKind.READ, EventKind.GOAL, EventKind.DECISION]
    assert records[0].text == "body"
    assert records[1].handles == ("h1",)


@pytest.mark.parametrize("where", ["excerpt", "arguments", "note"])
def test_a_text_that_holds_a_secret_is_not_recorded(where: str) -> None:
    texts: dict[str, str] = dict.fromkeys(("excerpt", "arguments", "note"), "")
    texts[where] = KEY.replace("\n", "\\n") if where == "note" else KEY
    event = ToolEvent("compress", texts["arguments"], note=texts["note"], excerpt=texts["excerpt"])
    records = records_of(event, is_secret=holds_secret)
    assert "MIIE" not in repr(records)
    assert records[0].tool == "compress"


def test_a_search_of_the_record_is_no_part_of_it() -> None:
    for scope in ("session", "memory"):
        assert records_of(ToolEvent("search", f"words scope={scope} k=5", excerpt="found"), is_secret=holds_secret) == ()
    assert len(records_of(ToolEvent("search", "scope of session"), is_secret=holds_secret)) == 1


def test_an_unknown_tool_counts_as_output() -> None:
    assert records_of(ToolEvent("run", "make"), is_secret=holds_secret)[0].kind is EventKind.OUTPUT


@given(st.text(), st.text(max_size=50), st.integers())
def test_records_are_bounded_whatever_the_event_holds(text: str, tool: str, tokens: int) -> None:
    event = ToolEvent(tool, text, tuple("h" * 99), (), tokens, note=text, excerpt=text * 50)
    for record in records_of(event, is_secret=holds_secret):
        assert len(record.text) <= MAX_EXCERPT_CHARS
        assert len(record.arguments) <= 300
        assert len(record.handles) <= 16
        assert record.tokens >= 0


@pytest.mark.parametrize("bad", ["", "A", "a" * 65, "a b", "../x", "ä"])
def test_what_is_no_session_id_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="session id"):
        check_session_id(bad)


def test_no_receipt_is_recorded() -> None:
    """Two conversations share the record, never each other's receipts."""
    shown = "a.py · full · 1 line\nx = 1\nnext lines=2- · receipt r12-7f3a"
    (record,) = records_of(ToolEvent("read", "a.py have=r11-0a1b view=full", excerpt=shown), is_secret=lambda text: False)
    assert record.text == "a.py · full · 1 line\nx = 1\nnext lines=2-"
    assert record.arguments == "a.py view=full"
    (record,) = records_of(ToolEvent("read", "a.py", excerpt="x\nreceipt r1-7f3a"), is_secret=lambda text: False)
    assert record.text == "x\n"
