import json
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.cache.archive.evidence import Evidence
from penstock.cache.archive.fact_lines import decode_fact, decode_lines, encode_fact
from penstock.cache.archive.fact_rows import Fact
from penstock.cache.archive.facts import FactBook
from penstock.cache.deadline import UNBOUNDED, Deadline
from penstock.cache.errors import PathNotFound

from .conftest import MakeStore, WallClock

DEADLINE = Deadline(UNBOUNDED)


def no_file(path: str, deadline: Deadline) -> tuple[str, bytes]:
    raise PathNotFound(path)


@pytest.fixture
def book(make_store: MakeStore, wall: WallClock) -> FactBook:
    return FactBook(make_store(), no_file, wall=wall)


@pytest.fixture
def other(make_store: MakeStore, wall: WallClock) -> FactBook:
    return FactBook(make_store(folder="other"), no_file, wall=wall)


def line(topic: str, value: str, start: float, end: float | None = None) -> str:
    return json.dumps({"topic": topic, "value": value, "valid_from": start, "valid_until": end})


def remember(book: FactBook, topic: str, value: str) -> None:
    book.remember(topic, value, [], author="one", deadline=DEADLINE)


def windows(book: FactBook) -> list[tuple[str, float, float | None]]:
    return sorted((one.value, one.from_s, one.until_s) for one in book.newest(limit=100, include_ended=True))


def replaced_by(book: FactBook, query: str) -> list[tuple[str, list[str]]]:
    found = book.recall(query, limit=20, deadline=DEADLINE)
    return [(one.fact.value, [old.value for old in one.replaced]) for one in found if one.fact.is_live]


def test_export_and_import_carry_everything(book: FactBook, other: FactBook, wall: WallClock) -> None:
    remember(book, "limit", "100 connections")
    wall.advance(5)
    remember(book, "limit", "250 connections")
    remember(book, "limit", "250 connections")
    lines = list(book.export_lines())
    assert [json.loads(one)["value"] for one in lines] == ["100 connections", "250 connections"]
    done = other.import_lines(lines)
    assert (done.added, done.known, done.ended, done.refused) == (2, 0, 0, ())
    assert list(other.export_lines()) == lines
    assert replaced_by(other, "limit") == [("250 connections", ["100 connections"])]


def test_importing_again_changes_nothing(book: FactBook, other: FactBook) -> None:
    for number in range(5):
        remember(book, f"topic {number % 3}", f"{number} rows")
    lines = list(book.export_lines())
    other.import_lines(lines)
    before = list(other.export_lines())
    done = other.import_lines(lines)
    assert (done.added, done.known) == (0, 5)
    assert list(other.export_lines()) == before
    assert (book.import_lines(lines).added, list(book.export_lines())) == (0, lines)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("{", "not JSON"),
        ("[" * 5_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "topic must be a text"),
        (line("x", "y", 1).replace("1", '"soon"'), "valid_from must be seconds since 1970"),
        (line("x", "y", 1).replace("1", "NaN"), "valid_from must be seconds since 1970"),
        (line("x", "y", 2, 1), "valid_until lies before valid_from"),
        ('{"topic": "x", "value": "y"}', "valid_from is missing"),
        ('{"topic": "x", "value": 5, "valid_from": 1}', "value must be a text"),
        ('{"topic": "x", "value": "y", "valid_from": 1, "evidence": [3]}', "not evidence"),
        (line("", "y", 1), "topic must have 1 to 120 characters, got 0"),
        (line("x", "y" * 70_000, 1), "longer than 64,000 characters"),
        (line("db", "the password is hunter2", 1), "the fact is not stored: it holds a password, a key or a token"),
        (line("key", "AKIA" + "Q" * 16, 1), "the fact is not stored: it holds a password, a key or a token"),
    ],
)
def test_a_line_that_cannot_be_taken_is_named_and_the_rest_is_imported(book: FactBook, broken: str, why: str) -> None:
    done = book.import_lines([line("a", "1", 1), "", broken, line("b", "2", 1)])
    assert [(one.number, one.why) for one in done.refused] == [(3, why)]
    assert (done.added, windows(book)) == (2, [("1", 1.0, None), ("2", 1.0, None)])


def test_a_later_value_ends_an_earlier_one_whichever_was_imported(book: FactBook, wall: WallClock) -> None:
    remember(book, "limit", "250 connections")
    here = wall.now
    done = book.import_lines([line("limit", "100 connections", here - 50)])
    assert (done.added, done.ended) == (1, 1)
    assert windows(book) == [("100 connections", here - 50, here), ("250 connections", here, None)]
    done = book.import_lines([line("limit", "300 connections", here + 50)])
    assert (done.added, done.ended) == (1, 1)
    assert windows(book) == [
        ("100 connections", here - 50, here),
        ("250 connections", here, here + 50),
        ("300 connections", here + 50, None),
    ]
    assert replaced_by(book, "limit") == [("300 connections", ["250 connections"])]


def test_a_value_that_is_here_is_neither_doubled_nor_confirmed(book: FactBook, wall: WallClock) -> None:
    remember(book, "timeout", "30 s")
    done = book.import_lines([line("timeout", "0.5 min", wall.now - 10)])
    assert (done.added, done.known) == (0, 1)
    assert [(one.value, one.confirmations) for one in book.newest(limit=5)] == [("30 s", 0)]


VALUES = st.tuples(st.sampled_from(["limit", "port"]), st.integers(0, 5), st.integers(1, 8))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VALUES, max_size=8))
def test_the_latest_value_is_live_and_importing_twice_is_importing_once(
    make_store: MakeStore, values: Sequence[tuple[str, int, int]]
) -> None:
    starts = {(topic, start): line(topic, f"{number} rows", start) for topic, number, start in values}
    lines = list(starts.values())
    book = FactBook(make_store(folder="mixed"), no_file)
    for topic in ("limit", "port"):
        book.forget(topic)
    book.import_lines(lines[::-1])
    once = list(book.export_lines())
    book.import_lines(lines)
    assert list(book.export_lines()) == once
    for topic in ("limit", "port"):
        live = book.newest(limit=9, topic=topic)
        latest = max((start for name, start in starts if name == topic), default=None)
        assert len(live) == (latest is not None)
        if live and latest is not None:
            assert live[0].value == json.loads(starts[topic, latest])["value"]


FACTS = st.builds(
    Fact,
    st.just(0),
    st.from_regex(r"[a-z]{1,9}", fullmatch=True),
    st.text(min_size=1).map(str.strip).filter(bool),
    st.floats(0, 1e10),
    st.none(),
    st.none(),
    st.lists(st.builds(Evidence, st.just("a.py"), st.none() | st.just((1, 2)), st.just("00"), st.just("11")), max_size=2).map(
        tuple
    ),
    st.just("one"),
    st.integers(0, 9),
)


@given(FACTS)
def test_a_line_brings_back_the_fact(fact: Fact) -> None:
    text = encode_fact(fact)
    assert "\n" not in text
    facts, refused = decode_lines([text])
    assert refused == []
    assert facts == [decode_fact(text)]
    assert encode_fact(facts[0]) == text
