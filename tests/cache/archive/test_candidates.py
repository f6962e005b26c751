from collections.abc import Mapping

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.archive.candidates import document_frequencies, find_candidates, selective_terms
from penstock.cache.archive.event_rows import load_passages
from penstock.cache.archive.events import EventKind, Record
from penstock.cache.archive.session_rows import find_session
from penstock.cache.archive.store import ArchiveStore

from .conftest import MakeStore


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(1, 50), max_size=8), st.integers(0, 120))
def test_the_rarest_terms_are_taken_within_the_budget(frequencies: Mapping[str, int], budget: int) -> None:
    chosen = selective_terms(frequencies, budget=budget)
    assert sum(frequencies[term] for term in chosen) <= budget
    left = [frequencies[term] for term in frequencies if term not in chosen]
    assert all(frequencies[term] <= min(left, default=99) for term in chosen)


@pytest.fixture
def store(make_store: MakeStore) -> ArchiveStore:
    store = make_store()
    for session in ("one", "two", "three"):
        texts = [f"common shared of {session} {'rare' if number == 5 else ''} item{number}" for number in range(40)]
        store.append(session, [Record(EventKind.READ, "read", text, text) for text in texts])
    return store


def texts_of(store: ArchiveStore, frequencies: Mapping[str, int], *, is_narrow: bool, limit: int = 50) -> list[str]:
    def work(con: apsw.Connection) -> list[str]:
        row = find_session(con, "two")
        assert row is not None
        known = {**document_frequencies(con, list(frequencies)), **frequencies}
        ids = find_candidates(con, known, [row.rid], is_narrow=is_narrow, limit=limit)
        return [passage.text for passage in load_passages(con, ids, [row.rid], limit=limit)]

    return store.database.read(work)


@pytest.mark.parametrize("is_narrow", [True, False])
def test_candidates_belong_to_the_session_asked_for(store: ArchiveStore, is_narrow: bool) -> None:
    found = texts_of(store, {"rare": 3}, is_narrow=is_narrow)
    assert found == ["common shared of two rare item5"]


@pytest.mark.parametrize("is_narrow", [True, False])
def test_when_every_term_is_common_the_newest_that_hold_all_come_first(store: ArchiveStore, is_narrow: bool) -> None:
    found = texts_of(store, {"common": 50_000, "shared": 60_000}, is_narrow=is_narrow)
    assert found
    assert all("common shared of two" in text for text in found)
    assert not is_narrow or found[0].endswith("item39")


def test_when_nothing_holds_all_the_rarest_alone_decides(store: ArchiveStore) -> None:
    found = texts_of(store, {"rare": 50_000, "item7": 60_000}, is_narrow=True)
    assert found == ["common shared of two rare item5"]


def test_without_terms_or_sessions_there_are_no_candidates(store: ArchiveStore) -> None:
    assert store.database.read(lambda con: find_candidates(con, {}, [1], is_narrow=True)) == []
    assert store.database.read(lambda con: find_candidates(con, {"a": 1}, [], is_narrow=True)) == []
