from collections.abc import Callable
from random import Random

import apsw
import pytest

from penstock.cache.archive.clearing import ClearPolicy, ClearReason
from penstock.cache.archive.event_rows import count_events, delete_events, recent_events
from penstock.cache.archive.events import EventKind, Record, TouchedSpan
from penstock.cache.archive.recall import Recall
from penstock.cache.archive.retention import DAY_S, RetentionPolicy
from penstock.cache.archive.session_rows import list_sessions
from penstock.cache.archive.snapshots import SnapshotPolicy, SnapshotStrategy
from penstock.cache.archive.store import ArchivePolicies, ArchiveStore

from .conftest import MakeStore, WallClock


def record(number: int, text: str = "") -> Record:
    path = f"src/f{number}.py"
    return Record(EventKind.READ, "read", path, text or f"words of file{number}", (f"h{number:012x}",), (TouchedSpan(path),), 9)


def session_ids(store: ArchiveStore) -> set[str]:
    return store.database.read(lambda con: {row.id for row in list_sessions(con)})


def table_sizes(store: ArchiveStore) -> dict[str, int]:
    tables = ("events", "passages", "entries", "snapshots", "names")

    def work(con: "apsw.Connection") -> dict[str, int]:
        return {name: next(con.execute(f"SELECT count(*) FROM {name}"))[0] for name in tables}

    return store.database.read(work)


def test_events_are_numbered_in_one_sequence_and_read_back(make_store: MakeStore) -> None:
    store = make_store()
    assert store.append("one", [record(1), record(2)]).last_seq == 2
    assert store.append("two", [record(3)]).last_seq == 3
    rid = store.database.read(lambda con: next(row.rid for row in list_sessions(con) if row.id == "one"))
    events = store.database.read(lambda con: recent_events(con, rid, limit=9))
    assert [(event.seq, event.arguments, event.handles, event.spans) for event in events] == [
        (1, "src/f1.py", ("h000000000001",), (TouchedSpan("src/f1.py"),)),
        (2, "src/f2.py", ("h000000000002",), (TouchedSpan("src/f2.py"),)),
    ]


def test_what_is_no_session_id_is_refused(make_store: MakeStore) -> None:
    with pytest.raises(ValueError, match="session id"):
        make_store().append("../x", [record(1)])


def test_a_text_delivered_again_is_stored_once(make_store: MakeStore) -> None:
    store = make_store()
    for _ in range(5):
        store.append("one", [record(1, "\n".join(f"line {number} of the text" for number in range(200)))])
    sizes = table_sizes(store)
    assert (sizes["events"], sizes["entries"]) == (5, 1)
    assert sizes["passages"] == 3


def test_a_snapshot_is_taken_every_so_many_events(make_store: MakeStore) -> None:
    store = make_store(ArchivePolicies(SnapshotPolicy(SnapshotStrategy.INCREMENTAL, every_events=3, max_snapshots=4)))
    taken = [store.append("one", [record(number)]).snapshot_id for number in range(30)]
    assert [number for number, id_ in enumerate(taken, 1) if id_] == list(range(3, 31, 3))
    assert table_sizes(store)["snapshots"] == 4


def test_the_adaptive_strategy_waits_for_something_important(make_store: MakeStore) -> None:
    store = make_store(ArchivePolicies(SnapshotPolicy(SnapshotStrategy.ADAPTIVE)))
    assert store.append("one", [record(number) for number in range(50)]).snapshot_id is None
    assert store.append("one", [Record(EventKind.DECISION, "session", "", "use apsw")]).snapshot_id is not None


def test_a_session_is_cleared_at_its_limits(make_store: MakeStore) -> None:
    store = make_store(ArchivePolicies(clearing=ClearPolicy(clear_after_events=10, max_entries=1000)))
    cleared = store.append("one", [record(number) for number in range(10)]).cleared
    assert cleared is not None
    assert cleared.reason is ClearReason.CONVERSATION_LIMIT
    store = make_store(ArchivePolicies(clearing=ClearPolicy(max_entries=10)), folder="other")
    cleared = store.append("one", [record(number) for number in range(9)]).cleared
    assert cleared is not None
    assert cleared.reason is ClearReason.MEMORY_THRESHOLD
    assert table_sizes(store)["entries"] <= 5


def test_maintenance_removes_cleared_sessions_by_last_activity_only(make_store: MakeStore, wall: WallClock) -> None:
    """Seed 004 removed every session that had never been cleared."""
    store = make_store(ArchivePolicies(clearing=ClearPolicy(clear_after_events=2)))
    store.append("cleared", [record(1), record(2)])
    store.append("never-cleared", [record(3)])
    store.append("current", [record(4), record(5)])
    wall.advance(31 * DAY_S)
    store.append("active", [record(6), record(7)])
    result = store.maintain(current="current")
    assert result.sessions_removed == ("cleared",)
    assert session_ids(store) == {"never-cleared", "current", "active"}
    assert store.database.read(count_events) == 2
    assert store.maintain(current="current").events_removed == 0


def test_old_events_expire_with_their_passages(make_store: MakeStore, wall: WallClock) -> None:
    store = make_store()
    store.append("one", [record(number) for number in range(20)])
    wall.advance(31 * DAY_S)
    store.append("one", [record(99)])
    assert store.maintain().events_removed == 20
    sizes = table_sizes(store)
    assert (sizes["events"], sizes["passages"]) == (1, 1)
    assert sizes["entries"] == 21  # never cleared: what it holds stays


def test_the_store_stays_under_its_cap(make_store: MakeStore, wall: WallClock) -> None:
    store = make_store()
    for batch in range(30):
        store.append("one", [record(n, f"word{n} other{n * 7} " * 40) for n in range(batch * 100, batch * 100 + 100)])
    before = store.database.used_bytes()
    assert before > 1024 * 1024
    store = make_store(ArchivePolicies(retention=RetentionPolicy(max_bytes=1024 * 1024, max_events=10_000)))
    store.maintain(current="one")
    assert store.database.used_bytes() <= 1024 * 1024
    assert store.database.path.stat().st_size < before
    newest = Recall(store).search("word2999 other20993", session_id="one")
    assert newest.found[0].matched


def test_the_number_of_events_is_bounded(make_store: MakeStore) -> None:
    store = make_store(ArchivePolicies(retention=RetentionPolicy(max_events=50)))
    store.append("one", [record(number) for number in range(120)])
    store.maintain(current="one")
    assert store.database.read(count_events) == 50


def test_idle_sessions_are_cleared_for_room_and_keep_what_matters(make_store: MakeStore, wall: WallClock) -> None:
    store = make_store()
    goal = Record(EventKind.GOAL, "session", "", "the goal")
    for batch in range(8):
        store.append("idle", [goal, *(record(n, f"w{n} " * 400) for n in range(batch * 100, batch * 100 + 100))])
    wall.advance(2 * DAY_S)
    store = make_store(ArchivePolicies(retention=RetentionPolicy(max_bytes=1024 * 1024)))
    result = store.maintain(current="other")
    assert result.sessions_cleared == ("idle",)
    assert "idle" in session_ids(store)
    assert 0 < table_sizes(store)["entries"] < 100


def test_statistics_count_what_is_stored(make_store: MakeStore) -> None:
    store = make_store()
    store.append("one", [record(1)])
    statistics = store.statistics()
    assert (statistics.sessions, statistics.events, statistics.facts) == (1, 1, 0)
    assert statistics.database.used_bytes > 0
    assert store.notice == ""


def test_deleting_events_of_one_session_leaves_the_others(make_store: MakeStore) -> None:
    store = make_store()
    store.append("one", [record(1)])
    store.append("two", [record(2)])
    rids: Callable[[apsw.Connection], dict[str, int]] = lambda con: {row.id: row.rid for row in list_sessions(con)}  # noqa: E731
    one = store.database.read(rids)["one"]
    assert store.database.write(lambda con: delete_events(con, session=one)) == 1
    assert [hit.session_id for hit in Recall(store).search("words file2", session_id="two").found] == ["two"]


def test_the_store_stays_under_its_cap_between_two_rounds_of_maintenance(make_store: MakeStore) -> None:
    """An hour of large outputs must not wait for the hourly round."""
    cap = 2 * 1024 * 1024
    store = make_store(ArchivePolicies(retention=RetentionPolicy(max_bytes=cap)))
    random = Random(4)
    most = 0
    for number in range(150):
        words = " ".join(f"{random.getrandbits(40):x}" for _ in range(1_000))
        store.append("one", [Record(EventKind.OUTPUT, "compress", f"run {number}", f"marker{number} {words}")] * 2)
        if number % 10 == 0:
            most = max(most, store.database.used_bytes())
    assert most <= cap * 1.2
    assert store.database.read(count_events) < 300
    assert Recall(store).search("marker149", session_id="one").found
