import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.contradiction import Verdict, judge
from penstock.cache.archive.evidence import Standing
from penstock.cache.archive.fact_rows import topic_of
from penstock.cache.archive.facts import FactBook
from penstock.cache.archive.remembering import Conflict, Outcome, Resolution
from penstock.cache.archive.revision import head_commit
from penstock.cache.deadline import UNBOUNDED, Deadline
from penstock.cache.errors import (
    AccessDenied,
    DeadlineExceeded,
    InvalidArgument,
    PathNotFound,
    SecretDenied,
)

from .conftest import MakeStore, WallClock


class Files:
    """A workspace of texts."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {"src/pool.py": b"import os\nLIMIT = 100\nTIMEOUT = 30\n"}

    def __call__(self, path: str, deadline: Deadline) -> tuple[str, bytes]:
        deadline.check()
        if path == "denied":
            raise AccessDenied("no")
        if path == ".env":
            raise SecretDenied("no")
        if path not in self.held:
            raise PathNotFound(f"{path} is not there")
        return path, self.held[path]


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def book(make_store: MakeStore, files: Files, wall: WallClock) -> FactBook:
    return FactBook(make_store(), files, wall=wall)


@pytest.fixture
def deadline() -> Deadline:
    return Deadline(UNBOUNDED)


def test_a_fact_has_validity_evidence_and_an_author(book: FactBook, deadline: Deadline, wall: WallClock) -> None:
    done = book.remember("Pool  Limit", "100 connections", ["src/pool.py:2"], author="one", deadline=deadline)
    fact = done.fact
    assert (fact.topic, fact.value, fact.author, fact.from_s, fact.until_s) == (
        "pool limit",
        "100 connections",
        "one",
        wall.now,
        None,
    )
    assert fact.evidence[0].lines == (2, 2)
    assert len(fact.evidence[0].sha256) == 64
    assert done.is_new
    assert done.closed == ()


def test_a_different_value_ends_the_old_one_and_both_are_shown(book: FactBook, deadline: Deadline, wall: WallClock) -> None:
    old = book.remember("pool limit", "capped at 100 connections per pod", [], author="one", deadline=deadline).fact
    wall.advance(60)
    done = book.remember("pool limit", "capped at 250 connections per pod", [], author="two", deadline=deadline)
    assert [(fact.id, fact.until_s, fact.closed_by) for fact, _ in done.closed] == [(old.id, wall.now, done.fact.id)]
    assert done.closed[0][1].why == "100 against 250"
    found = book.recall("pool limit connections", limit=5, deadline=deadline)
    assert [(one.fact.value, one.fact.is_live) for one in found] == [
        ("capped at 250 connections per pod", True),
        ("capped at 100 connections per pod", False),
    ]
    assert [fact.id for fact in found[0].replaced] == [old.id]


def test_the_same_value_in_other_words_confirms(book: FactBook, deadline: Deadline) -> None:
    first = book.remember("timeout", "timeout is 30 seconds", [], author="one", deadline=deadline).fact
    again = book.remember("Timeout", "timeout: 0.5 min", ["src/pool.py:3"], author="two", deadline=deadline)
    assert not again.is_new
    assert (again.fact.id, again.fact.confirmations, again.fact.value) == (first.id, 1, "timeout is 30 seconds")
    assert again.fact.evidence
    assert book.statistics() == (1, 1)


def test_a_compatible_value_lives_beside(book: FactBook, deadline: Deadline) -> None:
    book.remember("storage", "PostgreSQL 15 on the staging host", [], author="one", deadline=deadline)
    done = book.remember("storage", "backups are written every night to the vault", [], author="one", deadline=deadline)
    assert [fact.value for fact in done.beside] == ["PostgreSQL 15 on the staging host"]
    assert book.statistics() == (2, 2)


def test_evidence_is_looked_at_again_when_a_fact_is_recalled(book: FactBook, files: Files, deadline: Deadline) -> None:
    book.remember("pool limit", "100 connections", ["src/pool.py:2-3", "src/pool.py"], author="one", deadline=deadline)

    def standings() -> list[Standing]:
        return [finding.standing for finding in book.recall("pool limit", limit=1, deadline=deadline)[0].findings]

    assert standings() == [Standing.HOLDS, Standing.HOLDS]
    files.held["src/pool.py"] = b"# licence\n" + files.held["src/pool.py"]
    assert standings() == [Standing.MOVED, Standing.CHANGED]
    assert str(book.recall("pool limit", limit=1, deadline=deadline)[0].findings[0]) == "src/pool.py:2-3 moved to lines 3-4"
    files.held["src/pool.py"] = b"LIMIT = 250\n"
    assert standings() == [Standing.CHANGED, Standing.CHANGED]
    del files.held["src/pool.py"]
    assert standings() == [Standing.GONE, Standing.GONE]


def test_evidence_that_may_not_be_read_now_is_unreadable(book: FactBook, files: Files, deadline: Deadline) -> None:
    files.held["denied-later"] = b"x\n"
    book.remember("topic", "value", ["denied-later:1"], author="one", deadline=deadline)
    reader = FactBook(book._store, lambda path, _: files("denied", deadline))  # pyright: ignore[reportPrivateUsage]
    assert reader.recall("topic", limit=1, deadline=deadline)[0].findings[0].standing is Standing.UNREADABLE


@pytest.mark.parametrize(
    ("topic", "value", "evidence", "error"),
    [
        ("", "x", [], InvalidArgument),
        ("x", "  ", [], InvalidArgument),
        ("x" * 200, "x", [], InvalidArgument),
        ("x", "y" * 3_000, [], InvalidArgument),
        ("x", "y", ["src/pool.py:9"], InvalidArgument),
        ("x", "y", ["src/pool.py:3-1"], InvalidArgument),
        ("x", "y", ["src/pool.py"] * 9, InvalidArgument),
        ("x", "y", ["missing.py:1"], PathNotFound),
        ("x", "y", [".env:1"], SecretDenied),
        ("db", "the password is hunter2", [], SecretDenied),
        ("password of db", "password: hunter2!", [], SecretDenied),
        ("key", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG", [], SecretDenied),
    ],
)
def test_what_cannot_be_a_fact_is_refused(
    book: FactBook, deadline: Deadline, topic: str, value: str, evidence: list[str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        book.remember(topic, value, evidence, author="one", deadline=deadline)
    assert book.statistics() == (0, 0)


def test_recall_ranks_by_what_is_asked(book: FactBook, deadline: Deadline) -> None:
    planted = {f"subsystem {number}": f"the quota{number} of lease{number * 7} is {number} rows" for number in range(50)}
    for topic, value in planted.items():
        book.remember(topic, value, [], author="one", deadline=deadline)
    for number in range(200):
        book.remember(
            f"noise {number}", f"general words about the quota and lease rows {number}", [], author="x", deadline=deadline
        )
    found = [
        any(one.fact.value == value for one in book.recall(f"quota{at} lease{at * 7}", limit=5, deadline=deadline))
        for at, value in enumerate(planted.values())
    ]
    assert sum(found) == 50


def test_a_recall_ends_at_its_deadline(book: FactBook, deadline: Deadline) -> None:
    book.remember("topic", "value", ["src/pool.py"], author="one", deadline=deadline)
    over = Deadline(1.0, clock=iter([0.0, 5.0, 5.0, 5.0]).__next__)
    with pytest.raises(DeadlineExceeded):
        book.recall("topic", limit=1, deadline=over)


def test_forgetting_removes_a_topic_or_one_fact_for_good(book: FactBook, deadline: Deadline) -> None:
    book.remember("limit", "100", [], author="one", deadline=deadline)
    book.remember("limit", "250", [], author="one", deadline=deadline)
    other = book.remember("other", "x", [], author="one", deadline=deadline).fact
    assert len(book.forget("LIMIT")) == 2
    assert book.recall("limit", limit=5, deadline=deadline) == []
    assert [fact.id for fact in book.forget(f"f{other.id}")] == [other.id]
    assert book.forget("nothing") == []
    assert book.statistics() == (0, 0)


def test_facts_are_seen_by_every_session_of_the_workspace(make_store: MakeStore, files: Files, deadline: Deadline) -> None:
    FactBook(make_store(), files).remember("limit", "100", [], author="one", deadline=deadline)
    found = FactBook(make_store(), files).recall("limit", limit=5, deadline=deadline)
    assert [(one.fact.value, one.fact.author) for one in found] == [("100", "one")]


@given(st.text())
def test_topics_are_compared_in_one_form(topic: str) -> None:
    assert topic_of(topic_of(topic)) == topic_of(topic)


COMMIT = "0123456789" * 4


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({".git/HEAD": COMMIT.encode()}, COMMIT),
        ({".git/HEAD": b"ref: refs/heads/main\n", ".git/refs/heads/main": COMMIT.encode() + b"\n"}, COMMIT),
        ({".git/HEAD": b"ref: refs/heads/main", ".git/packed-refs": f"# x\n{COMMIT} refs/heads/main\n".encode()}, COMMIT),
        ({".git/HEAD": b"ref: refs/../../etc/passwd"}, ""),
        ({".git/HEAD": b"junk"}, ""),
        ({}, ""),
    ],
)
def test_the_commit_is_read_from_git_itself(files: Files, deadline: Deadline, held: dict[str, bytes], expected: str) -> None:
    files.held = held
    assert head_commit(files, deadline) == expected


def test_a_contradiction_is_asked_about_before_anything_is_stored(book: FactBook, deadline: Deadline) -> None:
    old = book.remember("limit", "100", [], author="one", deadline=deadline).fact
    asked: list[Conflict] = []

    def refuse(conflict: Conflict) -> Resolution:
        asked.append(conflict)
        raise LookupError

    with pytest.raises(LookupError):
        book.remember("limit", "250", [], author="one", deadline=deadline, resolve=refuse)
    assert [(one.topic, one.value, [fact for fact, _ in one.against]) for one in asked] == [("limit", "250", [old])]
    assert book.newest(limit=5, include_ended=True) == [old]
    for value in ("100", "one hundred"):
        book.remember("limit", value, [], author="one", deadline=deadline, resolve=refuse)
    assert len(asked) == 1 + (judge("100", "one hundred").verdict is Verdict.CONTRADICTS)


@pytest.mark.parametrize(
    ("resolution", "outcome", "live"),
    [
        (Resolution.CLOSE_OLD, Outcome.CLOSED_OLD, ["250"]),
        (Resolution.KEEP_BOTH, Outcome.KEPT_BOTH, ["250", "100"]),
        (Resolution.KEEP_OLD, Outcome.KEPT_OLD, ["100"]),
    ],
)
def test_a_contradiction_ends_as_it_was_resolved(
    book: FactBook, deadline: Deadline, resolution: Resolution, outcome: Outcome, live: list[str]
) -> None:
    book.remember("limit", "100", [], author="one", deadline=deadline)
    done = book.remember("limit", "250", [], author="one", deadline=deadline, resolve=lambda conflict: resolution)
    assert done.outcome is outcome
    assert [fact.value for fact in book.newest(limit=5)] == live
    assert [old.value for old, _ in done.closed] == (["100"] if resolution is Resolution.CLOSE_OLD else [])
    assert [old.value for old, _ in done.disputed] == ([] if resolution is Resolution.CLOSE_OLD else ["100"])


def test_two_values_that_were_both_kept_stay_until_a_third_comes(book: FactBook, deadline: Deadline) -> None:
    book.remember("limit", "100", [], author="one", deadline=deadline)
    book.remember("limit", "250", [], author="one", deadline=deadline, resolve=lambda conflict: Resolution.KEEP_BOTH)
    assert book.remember("limit", "250", [], author="one", deadline=deadline).outcome is Outcome.CONFIRMED
    found = book.recall("limit", limit=5, deadline=deadline)
    assert [(one.fact.value, [other.value for other in one.disputed]) for one in found] == [("250", ["100"]), ("100", ["250"])]
    third = book.remember("limit", "300", [], author="one", deadline=deadline)
    assert [old.value for old, _ in third.closed] == ["100", "250"]


def test_what_another_process_stored_meanwhile_is_not_covered_by_the_answer(
    book: FactBook, make_store: MakeStore, files: Files, deadline: Deadline
) -> None:
    book.remember("limit", "100", [], author="one", deadline=deadline)
    other = FactBook(make_store(), files)

    def resolve(conflict: Conflict) -> Resolution:
        other.remember("limit", "175", [], author="two", deadline=deadline)
        return Resolution.KEEP_BOTH

    done = book.remember("limit", "250", [], author="one", deadline=deadline, resolve=resolve)
    assert [old.value for old, _ in done.closed] == ["175"]
    assert [fact.value for fact in book.newest(limit=5)] == ["250"]
