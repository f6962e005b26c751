"""Several processes on one store: nothing acknowledged is lost, whoever is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw

from penstock.cache.archive.event_rows import count_events
from penstock.cache.archive.recall import Recall
from penstock.cache.archive.session_rows import list_sessions
from penstock.cache.archive.store import ArchiveStore

WRITER = """
import sys
from pathlib import Path
from penstock.cache.archive.events import EventKind, Record
from penstock.cache.archive.store import ArchiveStore
store = ArchiveStore(Path(sys.argv[1]))
session, first, last = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for number in range(first, last):
    text = f"passage{number} of {session}"
    store.append(session, [Record(EventKind.READ, "read", f"{session}/{number}", text, (f"h{number:012x}",))])
    print(number, flush=True)
store.close()
"""


def start(folder: Path, session: str, first: int, last: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(folder), session, str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def acknowledged(writer: "subprocess.Popen[str]") -> list[int]:
    out, _ = writer.communicate(timeout=120)
    return [int(line) for line in out.split()]


def stored(store: ArchiveStore, session: str) -> set[int]:
    def work(con: apsw.Connection) -> set[int]:
        rids = {row.id: row.rid for row in list_sessions(con)}
        rows = con.execute("SELECT arguments FROM events WHERE session = ?", (rids.get(session, 0),))
        return {int(str(row[0]).split("/")[1]) for row in rows}

    return store.database.read(work)


def test_two_servers_and_one_killed_writer_lose_nothing_acknowledged(tmp_path: Path) -> None:
    writers = [start(tmp_path, "one", 0, 120), start(tmp_path, "two", 0, 120)]
    victim = start(tmp_path, "killed", 0, 100_000)
    assert victim.stdout is not None
    seen: list[int] = []
    for line in victim.stdout:
        seen.append(int(line))
        if len(seen) == 60:
            os.kill(victim.pid, signal.SIGKILL)
            break
    rest = victim.stdout.read().split()
    victim.stdout.close()
    victim.wait(timeout=30)
    done = [acknowledged(writer) for writer in writers]
    store = ArchiveStore(tmp_path)
    assert store.database.verify()
    assert stored(store, "one") == set(done[0]) == set(range(120))
    assert stored(store, "two") == set(done[1]) == set(range(120))
    assert {*seen, *(int(line) for line in rest)} <= stored(store, "killed")
    assert Recall(store).search("passage41", session_id="two").found[0].title == "two/41"
    store.close()


def test_two_processes_in_one_session_interleave_without_loss(tmp_path: Path) -> None:
    writers = [start(tmp_path, "shared", 0, 60), start(tmp_path, "shared", 1000, 1060)]
    done = {number for writer in writers for number in acknowledged(writer)}
    store = ArchiveStore(tmp_path)
    assert stored(store, "shared") == done
    rows = store.database.read(list_sessions)
    assert [(row.id, row.events) for row in rows] == [("shared", 120)]
    assert store.database.read(count_events) == 120
    store.close()
