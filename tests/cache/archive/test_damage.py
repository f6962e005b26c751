"""Rows that were damaged behind SQLite's back: less is found, nothing wrong is served, nothing fails."""

import apsw
import pytest

from penstock.cache.archive.archive import SessionArchive
from penstock.cache.archive.events import ToolEvent, TouchedSpan
from penstock.cache.archive.facts import FactBook
from penstock.cache.deadline import UNBOUNDED, Deadline
from penstock.cache.errors import PathNotFound

from .conftest import MakeArchive


@pytest.fixture
def archive(make_archive: MakeArchive) -> SessionArchive:
    archive = make_archive("one")
    for number in range(6):
        path = f"f{number}.py"
        archive.recorder.record(ToolEvent("read", path, ("h1",), (TouchedSpan(path),), excerpt=f"quorum lease word{number}"))
    assert archive.recorder.flush()
    return archive


def damage(archive: SessionArchive, sql: str) -> None:
    archive.store.database.write(lambda con: con.execute(sql))


def test_a_damaged_entry_is_left_out_and_written_anew_when_met_again(archive: SessionArchive) -> None:
    damage(archive, "UPDATE entries SET body = 'junk' WHERE key = (SELECT min(key) FROM entries)")
    assert len(archive.entries()) == 5
    assert archive.recall("quorum lease").found
    for number in range(6):
        path = f"f{number}.py"
        archive.recorder.record(ToolEvent("read", path, ("h1",), (TouchedSpan(path),), excerpt="again"))
    assert len(archive.entries()) == 6


def test_a_damaged_entry_that_is_recalled_is_passed_over(archive: SessionArchive) -> None:
    damage(archive, "UPDATE entries SET body = 'quorum lease, and junk'")
    damage(archive, "DELETE FROM passages")
    assert archive.recall("quorum lease").found == ()


def test_damaged_passages_and_events_are_left_out(archive: SessionArchive) -> None:
    damage(archive, "UPDATE passages SET body = x'00' WHERE id = 1")
    damage(archive, "UPDATE events SET kind = 'no such kind' WHERE seq = 2")
    damage(archive, "DELETE FROM entries")
    assert {hit.title for hit in archive.recall("quorum lease").found} == {f"f{number}.py" for number in range(2, 6)}


def test_a_damaged_outline_starts_anew(archive: SessionArchive) -> None:
    damage(archive, "UPDATE sessions SET outline = x'00', written = x'00', written_seq = 3")
    target = archive.target()
    assert target is not None
    assert archive.outline(target).events == 0
    assert archive.written_summary(target) is None
    archive.recorder.record(ToolEvent("session", note="goal: go on"))
    archive.recorder.flush()
    assert archive.outline(target).goals == ("go on",)


def test_a_damaged_snapshot_is_passed_over_by_recall_and_by_pruning(archive: SessionArchive) -> None:
    archive.save()
    archive.clear(min_importance=1.0)
    damage(archive, "UPDATE snapshots SET sha256 = 'other'")
    damage(archive, "DELETE FROM passages")
    assert archive.recall("quorum lease").found == ()
    for number in range(30):
        archive.recorder.record(ToolEvent("read", f"g{number}.py", excerpt="more"))
        archive.save()
    assert archive.restore(archive.save().snapshot.label).entries == archive.entries()


def test_a_missing_link_of_a_chain_is_passed_over(archive: SessionArchive) -> None:
    archive.save()
    archive.recorder.record(ToolEvent("read", "extra.py", excerpt="delta"))
    archive.save()
    archive.clear(min_importance=1.0)
    damage(archive, "DELETE FROM snapshots WHERE is_full = 1")
    damage(archive, "DELETE FROM passages")
    assert archive.recall("quorum lease").found == ()


def test_a_damaged_fact_is_a_fact_less(archive: SessionArchive) -> None:
    def gone(path: str, deadline: Deadline) -> tuple[str, bytes]:
        raise PathNotFound(path)

    deadline = Deadline(UNBOUNDED)
    book = FactBook(archive.store, gone)
    book.remember("limit", "100", [], author="one", deadline=deadline)
    book.remember("other limit", "x", [], author="one", deadline=deadline)
    damage(archive, "UPDATE facts SET evidence = '{' WHERE id = 1")
    assert [fact.topic for fact in book.newest(limit=9)] == ["other limit"]
    assert [one.fact.topic for one in book.recall("limit", limit=9, deadline=deadline)] == ["other limit"]


def test_a_name_whose_session_is_gone_is_unknown(archive: SessionArchive) -> None:
    archive.save("a-name")
    damage(archive, "UPDATE names SET session = 999")
    with pytest.raises(LookupError):
        archive.restore("a-name")


def test_the_store_and_the_archive_say_what_they_are(archive: SessionArchive) -> None:
    assert repr(archive) == "<SessionArchive one>"
    assert repr(archive.store) == "<ArchiveStore <Database archive.db on disk>>"


def test_errors_of_the_caller_are_not_taken_for_damage(archive: SessionArchive) -> None:
    with pytest.raises(apsw.SQLError):
        archive.store.database.read(lambda con: con.execute("SELECT nothing FROM nowhere"))
