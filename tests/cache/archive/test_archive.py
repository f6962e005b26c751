"""Save, clear, restore, hand off and summarise, in one process and after a restart."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.cache.archive.archive import SessionArchive, new_session_id
from penstock.cache.archive.clearing import ClearReason
from penstock.cache.archive.entries import Entry
from penstock.cache.archive.events import SESSION_ID_PATTERN, EventKind, ToolEvent, TouchedSpan
from penstock.cache.archive.history import OperationKind
from penstock.cache.archive.recorder import Recorder
from penstock.cache.archive.retention import DAY_S, RetentionPolicy
from penstock.cache.archive.session_rows import lineage
from penstock.cache.archive.snapshot_rows import list_snapshots
from penstock.cache.archive.snapshots import SnapshotPolicy, SnapshotReason, SnapshotStrategy
from penstock.cache.archive.store import ArchivePolicies, ArchiveStore
from penstock.cache.archive.targets import entries_of
from penstock.cache.errors import CorruptPayload, InvalidArgument, UnknownHandle

from .conftest import MakeArchive, WallClock


def count(text: str) -> int:
    return len(text) // 3


def read_event(number: int, *, is_error: bool = False) -> ToolEvent:
    path = f"src/part{number}.py"
    return ToolEvent(
        "read", path, (f"h{number:012x}",), (TouchedSpan(path, (1, 40)),), 300, is_error, excerpt=f"def handler_{number}(value):"
    )


def play(archive: SessionArchive, numbers: range) -> None:
    for number in numbers:
        archive.recorder.record(read_event(number))


@pytest.fixture
def archive(make_archive: MakeArchive) -> SessionArchive:
    archive = make_archive("one")
    archive.recorder.record(ToolEvent("session", note="goal: port the parser\ndecision: keep the tokens\ntodo: fuzz it"))
    play(archive, range(60))
    return archive


def keys(entries: tuple[Entry, ...]) -> set[str]:
    return {entry.key for entry in entries}


def test_a_saved_session_restores_by_name_in_another_process(archive: SessionArchive, make_archive: MakeArchive) -> None:
    before = archive.entries()
    saved = archive.save("parser-port")
    play(archive, range(100, 110))
    archive.shutdown()
    other = make_archive("two")
    restored = other.restore("parser-port")
    assert restored.entries == before
    assert other.entries() == before
    assert saved.snapshot.label in restored.bridge
    assert restored.entries[-1].handles[0] in restored.bridge


def test_a_session_restores_by_id_as_it_is_now(archive: SessionArchive, make_archive: MakeArchive) -> None:
    archive.save("earlier")
    play(archive, range(100, 110))
    other = make_archive("two")
    now = archive.entries()
    assert other.restore("one").entries == now
    assert [row.id for row in other.lineage()] == ["two", "one"]


def test_a_snapshot_restores_by_its_id_and_only_its_own_sessions_set(archive: SessionArchive, make_archive: MakeArchive) -> None:
    """Seed 004 restored any snapshot for any session."""
    first = archive.save()
    before = archive.entries()
    other = make_archive("two")
    other.recorder.record(read_event(999))
    theirs = other.save()
    assert theirs.snapshot.id != first.snapshot.id
    assert archive.restore(theirs.snapshot.label).target.session.id == "two"
    assert archive.restore(first.snapshot.label).entries == before


def test_what_a_restore_replaces_is_snapshotted_first(archive: SessionArchive) -> None:
    saved = archive.save()
    play(archive, range(100, 103))
    before = archive.entries()
    archive.restore(saved.snapshot.label)
    view = archive.sessions()[0]
    replaced = view.snapshots[-1]
    assert replaced.reason is SnapshotReason.RESTORE
    assert archive.restore(replaced.label).entries == before


def test_clear_keeps_what_matters_and_everything_comes_back(archive: SessionArchive) -> None:
    before = archive.entries()
    cleared = archive.clear()
    kinds = {scored.entry.kind for scored in cleared.plan.kept}
    assert {EventKind.GOAL, EventKind.DECISION, EventKind.OPEN_END} <= kinds
    assert len(cleared.plan.kept) < len(before)
    assert keys(archive.entries()) == {scored.entry.key for scored in cleared.plan.kept}
    assert cleared.snapshot is not None
    assert cleared.snapshot.label in cleared.bridge
    assert re.search(r"\bh[0-9a-f]{12}\b", cleared.bridge)
    assert archive.restore(cleared.snapshot.label).entries == before


def test_clear_takes_a_threshold_and_names(archive: SessionArchive) -> None:
    assert len(archive.clear(min_importance=0.0).plan.cleared) == 0
    asked = archive.clear(["src/part3.py"], min_importance=1.0, reason=ClearReason.ERROR_RECOVERY)
    assert [scored.entry.title for scored in asked.plan.kept] == ["src/part3.py"]
    assert "error recovery" in asked.bridge


def test_without_snapshots_a_clear_says_where_the_rest_is(make_archive: MakeArchive) -> None:
    archive = make_archive("one", ArchivePolicies(SnapshotPolicy(SnapshotStrategy.NONE)))
    play(archive, range(40))
    cleared = archive.clear()
    assert cleared.snapshot is None
    assert "scope=session" in cleared.bridge
    assert archive.recall("handler_3").found


def test_a_summary_outlives_clears_restarts_and_expiry(
    archive: SessionArchive, make_archive: MakeArchive, wall: WallClock
) -> None:
    archive.clear(min_importance=1.0)
    archive.shutdown()
    wall.advance(2 * DAY_S)
    other = make_archive("two", ArchivePolicies(retention=RetentionPolicy(event_expiry_s=DAY_S)))
    assert other.store.maintain(current="two").events_removed > 60
    target = other.target()
    assert target is not None
    assert target.session.id == "one"
    summary = other.summary(target, 1_500, count)
    assert summary.tokens <= 1_500
    for expected in ("port the parser", "keep the tokens", "fuzz it", "src/part3.py:1-40 · h000000000003"):
        assert expected in summary.text


def test_a_summary_follows_a_restore_into_a_new_session(archive: SessionArchive, make_archive: MakeArchive) -> None:
    archive.save("parser-port")
    other = make_archive("two")
    other.restore("parser-port")
    target = other.target()
    assert target is not None
    assert target.session.id == "two"
    assert "port the parser" in other.summary(target, 800, count).text


def test_a_summary_by_the_clients_model_is_kept_beside_the_extract(archive: SessionArchive) -> None:
    target = archive.target()
    assert target is not None
    assert archive.written_summary(target) is None
    assert "port the parser" in archive.prompt_for_model(target, count)
    archive.keep_written_summary(target, "We port the parser.")
    written = archive.written_summary(target)
    assert written is not None
    assert written.text == "We port the parser."
    assert "PRIOR SUMMARY:\nWe port the parser." in archive.prompt_for_model(target, count)


def test_a_name_belongs_to_one_session(archive: SessionArchive, make_archive: MakeArchive) -> None:
    archive.save("mine")
    other = make_archive("two")
    other.recorder.record(read_event(1))
    for taken in ("mine", "one"):
        with pytest.raises(InvalidArgument):
            other.save(taken)
    with pytest.raises(InvalidArgument):
        other.save("snap-3")
    other.restore("mine")
    assert other.save("mine").name == "mine"
    assert archive.restore("mine").target.session.id == "two"


@pytest.mark.parametrize("wanted", ["nothing", "snap-999"])
def test_what_is_not_there_is_said(archive: SessionArchive, wanted: str) -> None:
    with pytest.raises(UnknownHandle):
        archive.restore(wanted)


@pytest.mark.parametrize("wanted", ["../x", "A", "a b", "", "x" * 65])
def test_what_cannot_be_an_id_is_refused(archive: SessionArchive, wanted: str) -> None:
    with pytest.raises(InvalidArgument):
        archive.restore(wanted)


def test_a_damaged_snapshot_is_never_served_and_the_next_one_is_whole(archive: SessionArchive) -> None:
    first = archive.save()
    archive.store.database.write(lambda con: con.execute("UPDATE snapshots SET body = x'00' WHERE id = ?", (first.snapshot.id,)))
    with pytest.raises(CorruptPayload):
        archive.restore(first.snapshot.label)
    before = archive.entries()
    later = archive.save()
    assert later.snapshot.is_full
    assert archive.restore(later.snapshot.label).entries == before


def test_sessions_are_listed_with_this_one_first(archive: SessionArchive, make_archive: MakeArchive, wall: WallClock) -> None:
    archive.save("a-name")
    wall.advance(60)
    other = make_archive("two")
    other.recorder.record(read_event(1))
    views = other.sessions()
    assert [view.row.id for view in views] == ["two", "one"]
    assert views[1].row.names == ("a-name",)
    assert views[0].is_current
    assert views[1].entries == len(archive.entries())


def test_operations_are_recorded(archive: SessionArchive) -> None:
    archive.save()
    archive.clear()
    archive.recall("handler_3")
    archive.restore("one")
    archive.save("packed", reason=SnapshotReason.HANDOFF)
    assert [operation.kind for operation in archive.operations()] == [
        OperationKind.SNAPSHOT,
        OperationKind.CLEAR,
        OperationKind.RETRIEVE,
        OperationKind.RESTORE,
        OperationKind.HANDOFF,
    ]
    assert archive.statistics().clears == 1


def test_shutdown_writes_what_is_buffered_within_a_second(make_archive: MakeArchive) -> None:
    archive = make_archive("one")
    archive.recorder.start()
    play(archive, range(50))
    start = time.monotonic()
    assert archive.shutdown()
    assert time.monotonic() - start < 1.0
    assert len(make_archive("one").entries()) == 50


def test_new_ids_are_ids_and_differ() -> None:
    some = {new_session_id() for _ in range(50)}
    assert len(some) == 50
    assert all(SESSION_ID_PATTERN.fullmatch(one) for one in some)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(0, 9)),
        st.tuples(st.just("note"), st.integers(0, 9)),
        st.tuples(st.just("save"), st.integers(0, 2)),
        st.tuples(st.just("clear"), st.integers(0, 10)),
        st.tuples(st.just("restore"), st.integers(0, 9)),
    ),
    max_size=14,
)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArchiveStore]:
    policies = ArchivePolicies(SnapshotPolicy(every_events=4, max_snapshots=6, max_chain=2))
    store = ArchiveStore(Path(tmp_path_factory.mktemp("histories")), policies=policies)
    yield store
    store.close()


def kept(archive: SessionArchive) -> set[str]:
    """Return the snapshots of the session that have not been pruned."""
    rows = archive.store.database.read(
        lambda con: [row for one in lineage(con, archive.session_id)[:1] for row in list_snapshots(con, one.rid)]
    )
    return {row.label for row in rows}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
def test_any_history_of_a_session_restores_to_the_exact_entry_sets(
    shared_store: ArchiveStore, history: list[tuple[str, int]]
) -> None:
    """With 700 histories of the planners alone in test_snapshots.py: 1,000."""
    archive = SessionArchive(shared_store, Recorder(shared_store, new_session_id()))
    truth: dict[str, tuple[Entry, ...]] = {}
    for number, (step, choice) in enumerate(history):
        if step == "read":
            archive.recorder.record(read_event(choice))
        elif step == "note":
            archive.recorder.record(ToolEvent("session", note=f"decision: {choice}"))
        elif step == "save":
            name = f"{archive.session_id}-{number}" if choice == 0 else ""
            truth[archive.save(name).snapshot.label] = archive.entries()
        elif step == "clear":
            before = archive.entries()
            snapshot = archive.clear(min_importance=choice / 10).snapshot
            assert snapshot is not None
            truth[snapshot.label] = before
        elif truth:
            label = sorted(truth)[choice % len(truth)]
            if label in kept(archive):
                assert archive.restore(label).entries == truth[label]
    archive.recorder.flush()
    for label in kept(archive) & truth.keys():
        target = archive.target(label)
        assert target is not None
        held = shared_store.database.read(lambda con, target=target: entries_of(con, target))
        assert tuple(held.values()) == truth[label]


def test_a_session_that_has_begun_keeps_its_own_summary_when_it_goes_on_from_another(make_archive: MakeArchive) -> None:
    first, second = make_archive("first"), make_archive("second")
    first.recorder.record(ToolEvent("session", "note", note="goal: port the parser\ndecision: keep the tokens"))
    first.save("port")
    second.recorder.record(ToolEvent("session", "note", note="decision: fuzz it first"))
    for _ in range(2):
        second.restore("port")
    target = second.target()
    assert target is not None
    text = second.summary(target, 800, count).text
    assert text.splitlines()[:5] == ["Goals:", "- port the parser", "Decisions:", "- keep the tokens", "- fuzz it first"]
