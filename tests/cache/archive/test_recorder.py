import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import apsw
import pytest

from penstock.cache.archive.event_rows import count_events
from penstock.cache.archive.events import EventKind, Record, ToolEvent, TouchedSpan
from penstock.cache.archive.recorder import ACCOUNT, MAX_BUFFERED, Recorder
from penstock.cache.archive.retention import DAY_S
from penstock.cache.archive.store import Appended, ArchiveStore, MaintenanceResult
from penstock.cache.errors import StoreUnavailable
from penstock.cache.ledger import Ledger

from .conftest import MakeStore, WallClock


def event(number: int, size: int = 20) -> ToolEvent:
    return ToolEvent("read", f"f{number}.py", (f"h{number}",), (), 5, excerpt="x" * size)


def stored(store: ArchiveStore) -> int:
    return store.database.read(count_events)


def test_what_flush_has_acknowledged_is_stored(make_store: MakeStore) -> None:
    store = make_store()
    recorder = Recorder(store, "one")
    for number in range(10):
        recorder.record(event(number))
    assert recorder.statistics().buffered == 10
    assert recorder.flush()
    assert stored(store) == 10
    assert (recorder.statistics().written, recorder.statistics().buffered) == (10, 0)


def test_the_thread_writes_without_being_asked_and_stops_within_its_time(make_store: MakeStore) -> None:
    store = make_store()
    recorder = Recorder(store, "one", interval_s=0.01)
    recorder.start()
    recorder.start()
    recorder.record(event(1))
    waiter = threading.Event()
    for _ in range(1000):
        if recorder.statistics().written:
            break
        waiter.wait(0.01)
    recorder.record(event(2))
    assert recorder.stop()
    assert stored(store) == 2
    assert not [thread for thread in threading.enumerate() if thread.name == "archive-recorder"]


def test_events_from_many_threads_all_arrive(make_store: MakeStore) -> None:
    store = make_store()
    recorder = Recorder(store, "one", interval_s=0.01)
    recorder.start()

    def work(at: int) -> None:
        for number in range(50):
            recorder.record(event(at * 50 + number))

    threads = [threading.Thread(target=work, args=(at,)) for at in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.stop()
    assert stored(store) == 300


def test_a_locked_store_keeps_the_events_for_later(make_store: MakeStore, caplog: pytest.LogCaptureFixture) -> None:
    store = make_store()
    recorder = Recorder(store, "one")
    recorder.record(event(1))
    assert recorder.flush()
    peer = apsw.Connection(str(store.database.path))
    peer.execute("BEGIN IMMEDIATE")
    recorder.record(event(2))
    with caplog.at_level(logging.WARNING):
        assert not recorder.flush()
    peer.execute("ROLLBACK")
    peer.close()
    assert recorder.statistics().failures == 1
    assert "kept in memory" in caplog.text
    recorder.record(event(3))
    assert recorder.flush()
    assert stored(store) == 3


def test_a_stop_keeps_its_time_even_if_the_store_is_locked(make_store: MakeStore) -> None:
    store = make_store()
    recorder = Recorder(store, "one")
    recorder.record(event(1))
    assert recorder.flush()
    peer = apsw.Connection(str(store.database.path))
    peer.execute("BEGIN IMMEDIATE")
    recorder.record(event(2))
    start = time.monotonic()
    assert not recorder.stop(0.5)
    assert time.monotonic() - start < 1.5
    peer.execute("ROLLBACK")
    peer.close()
    for thread in threading.enumerate():
        if thread.name == "archive-recorder":
            thread.join(10)


def test_reads_do_not_wait_again_and_again_for_a_locked_store(make_store: MakeStore) -> None:
    now = [100.0]
    store = make_store()
    recorder = Recorder(store, "one", clock=lambda: now[0])
    recorder.record(event(1))
    assert recorder.refresh()
    peer = apsw.Connection(str(store.database.path))
    peer.execute("BEGIN IMMEDIATE")
    recorder.record(event(2))
    assert not recorder.refresh()
    assert not recorder.refresh()
    assert recorder.statistics().failures == 1
    peer.execute("ROLLBACK")
    peer.close()
    now[0] += 5
    assert recorder.refresh()
    assert stored(store) == 2


def test_the_thread_maintains_the_store_now_and_then(make_store: MakeStore, wall: WallClock) -> None:
    store = make_store()
    store.append("old", [Record(EventKind.READ, "read", "a")])
    wall.advance(31 * DAY_S)
    now = [0.0]
    recorder = Recorder(store, "one", interval_s=0.01, clock=lambda: now[0])
    recorder.start()
    now[0] = 61.0
    recorder.record(event(1))
    waiter = threading.Event()
    for _ in range(1000):
        if stored(store) == 1 and recorder.statistics().written:
            break
        waiter.wait(0.01)
    assert recorder.stop()
    assert stored(store) == 1


def test_a_failing_maintenance_does_not_stop_the_recording(make_store: MakeStore, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(ArchiveStore):
        def maintain(self, *, current: str = "") -> MaintenanceResult:
            raise StoreUnavailable("no")

    store = Failing(make_store().database.path.parent)
    now = [0.0]
    recorder = Recorder(store, "one", interval_s=0.01, clock=lambda: now[0])
    with caplog.at_level(logging.WARNING):
        recorder.start()
        waiter = threading.Event()
        for round_ in range(1, 4):
            now[0] += 4_000
            recorder.record(event(round_))
            for _ in range(1000):
                if recorder.statistics().written >= round_:
                    break
                waiter.wait(0.01)
        assert recorder.stop()
    assert stored(store) == 3
    assert "could not be maintained" in caplog.text
    store.close()


def test_a_batch_that_cannot_be_stored_at_all_is_dropped_and_counted(
    make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(ArchiveStore):
        def append(self, session_id: str, records: Sequence[Record], *, engaged: Sequence[str] = ()) -> Appended:
            raise RuntimeError("a fault of ours")

    store = Broken(make_store().database.path.parent)
    recorder = Recorder(store, "one")
    recorder.record(event(1))
    with caplog.at_level(logging.ERROR):
        assert recorder.flush()
    assert recorder.statistics().events_dropped == 1
    assert "could not be archived" in caplog.text
    assert "one" in repr(recorder)


def test_a_search_of_the_record_is_not_recorded(make_store: MakeStore) -> None:
    recorder = Recorder(make_store(), "one")
    recorder.record(ToolEvent("search", "words scope=session", excerpt="found"))
    assert recorder.statistics().buffered == 0


def test_texts_that_utf8_cannot_hold_are_stored_all_the_same(make_store: MakeStore) -> None:
    store = make_store()
    recorder = Recorder(store, "one")
    recorder.record(
        ToolEvent("re\udcffad", "a\udcff.py", ("h1",), (TouchedSpan("a\udcff.py"),), excerpt="x\udcffy", note="n\udcff")
    )
    assert recorder.flush()
    assert stored(store) == 2


def test_the_buffer_is_bounded_and_what_it_drops_is_counted(make_store: MakeStore) -> None:
    recorder = Recorder(make_store(), "one")
    for number in range(MAX_BUFFERED + 30):
        recorder.record(event(number))
    assert (recorder.statistics().buffered, recorder.statistics().events_dropped) == (MAX_BUFFERED, 30)


def test_every_byte_charged_is_released(make_store: MakeStore) -> None:
    ledger = Ledger(50_000_000)
    recorder = Recorder(make_store(), "one", ledger=ledger)
    for number in range(2_500):
        recorder.record(event(number, 2_000))
    assert 0 < ledger.account_bytes(ACCOUNT) <= 4 * 1024 * 1024
    assert recorder.flush()
    assert ledger.account_bytes(ACCOUNT) == 0


def test_without_room_in_the_ledger_only_the_texts_are_dropped(make_store: MakeStore) -> None:
    store = make_store()
    recorder = Recorder(store, "one", ledger=Ledger(1))
    recorder.record(event(1))
    assert recorder.flush()
    assert stored(store) == 1
    assert recorder.statistics().texts_dropped == 1


def test_an_event_of_an_impossible_session_is_dropped_and_the_others_stored(make_store: MakeStore) -> None:
    store = make_store()
    recorder = Recorder(store, "one")
    recorder.record(ToolEvent("read", session_id="NOT AN ID"))
    recorder.record(ToolEvent("read", "a", session_id="other"))
    recorder.record(event(1))
    assert recorder.flush()
    assert stored(store) == 2
    assert recorder.statistics().events_dropped == 1


def test_a_failing_disk_loses_nothing_of_the_session(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = ArchiveStore(tmp_path / "file")
    recorder = Recorder(store, "one")
    recorder.record(event(1))
    assert recorder.flush()
    assert stored(store) == 1
    assert store.notice.startswith("not persisted")
    store.close()
