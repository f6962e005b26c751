"""The spool's file when things go wrong around it: removal, links, forks, full and locked disks."""

import os
from pathlib import Path

import apsw
import pytest

from penstock.cache import spool_disk, spool_file
from penstock.cache.errors import StoreUnavailable
from penstock.cache.ledger import Ledger
from penstock.cache.spool import MemorySpool
from penstock.cache.spool_disk import RealDisk, network_type_of
from penstock.cache.spool_fallback import FallbackSpool
from penstock.cache.spool_file import FILE_NAME, SpoolFile
from penstock.cache.spool_sqlite import SqliteSpool
from tests.cache.spooled import handle_for, names, put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_a_removed_folder_is_made_again(folder: Path) -> None:
    spool = SqliteSpool(folder)
    put(spool, b"x")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    stored = put(spool, b"y")
    assert spool.get(stored.sha256) == b"y"
    assert spool.get(handle_for(b"x").sha256) is None
    spool.close()


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "spool").symlink_to("elsewhere")
    with pytest.raises(StoreUnavailable):
        put(SqliteSpool(tmp_path / "spool"), b"x")
    assert names(tmp_path / "elsewhere") == set()


def test_a_link_in_place_of_the_file_is_refused(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(mode=0o700)
    (tmp_path / "victim").write_bytes(b"mine")
    (folder / FILE_NAME).symlink_to(tmp_path / "victim")
    with pytest.raises(StoreUnavailable):
        put(SqliteSpool(folder), b"x")
    assert (tmp_path / "victim").read_bytes() == b"mine"


def test_a_forked_child_opens_its_own_connection(folder: Path) -> None:
    spool = SqliteSpool(folder)
    stored = put(spool, b"parent")
    pid = os.fork()
    if pid == 0:  # pragma: no cover -- the child's coverage is its own
        ok = spool.get(stored.sha256) == b"parent"
        put(spool, b"child")
        os._exit(0 if ok else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert spool.get(handle_for(b"child").sha256) == b"child"
    put(spool, b"parent again")
    spool.close()


def test_a_lock_held_by_a_stuck_process_degrades_to_memory_and_back(folder: Path) -> None:
    time = [0.0]
    spool = FallbackSpool(SqliteSpool(folder, disk=Impatient()), MemorySpool(Ledger(1 << 20)), clock=lambda: time[0])
    put(spool, b"first")
    stuck = apsw.Connection(str(folder / FILE_NAME))
    stuck.execute("BEGIN IMMEDIATE")
    stored = put(spool, b"second")
    assert stored.residency.ref.startswith("memory:")
    assert spool.get(stored.sha256) == b"second"
    assert spool.is_degraded
    assert "another process holds its lock" in spool.statistics().notices[-1]
    assert not spool.statistics().is_durable
    stuck.execute("ROLLBACK")
    stuck.close()
    assert put(spool, b"third").residency.ref.startswith("memory:")
    time[0] = 31.0
    assert put(spool, b"fourth").residency.ref.startswith("spool:")
    assert not spool.is_degraded
    spool.close()
    again = SqliteSpool(folder)
    assert all(again.get(handle_for(data).sha256) == data for data in (b"first", b"second", b"third", b"fourth"))
    again.close()


class Impatient(RealDisk):
    """Does not wait for locks."""

    def connect(self, path: Path) -> apsw.Connection:
        connection = super().connect(path)
        connection.set_busy_timeout(1)
        return connection


class NetworkDisk(RealDisk):
    def network_type(self, folder: Path) -> str:
        return "nfs4"


def test_on_a_network_file_system_there_is_no_shared_memory(folder: Path) -> None:
    spool = SqliteSpool(folder, disk=NetworkDisk())
    stored = put(spool, b"x")
    assert spool.get(stored.sha256) == b"x"
    assert names(folder) == {FILE_NAME, f"{FILE_NAME}-journal", "spool.lock"}
    assert "nfs4" in spool.statistics().notices[0]
    spool.close()


MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/root rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 8:2 / /home/local\\040disk rw - xfs /dev/b rw
32 22 0:41 / /mnt/share rw shared:1 - fuse.sshfs host: rw
33 22 8:3 / /mnt/usb rw - fuseblk /dev/c rw
34 22 0:50 / /over rw - ext4 /dev/x rw
35 34 0:51 / /over rw - cifs //s/x rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib", ""),
        ("/home/u/.local", "nfs4"),
        ("/homestead", ""),
        ("/home/local disk/x", ""),
        ("/mnt/share", "fuse.sshfs"),
        ("/mnt/usb/x", ""),
        ("/over/x", "cifs"),
    ],
)
def test_network_file_systems_are_known_by_their_mount(folder: str, kind: str) -> None:
    assert network_type_of(folder, MOUNTS) == kind


def test_a_failed_change_leaves_nothing_behind(folder: Path) -> None:
    file = SpoolFile(folder, RealDisk())

    class Stop(Exception):
        pass

    def change(connection: apsw.Connection) -> None:
        connection.execute("INSERT INTO payload VALUES ('a', 1, 0, x'00')")
        raise Stop

    with pytest.raises(Stop):
        file.write(change)
    assert file.read(lambda connection: connection.execute("SELECT count(*) FROM payload").get) == 0
    file.close()


def test_another_folders_owner_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(StoreUnavailable) as caught:
        put(SqliteSpool(folder), b"x")
    assert "another user" in caught.value.why


def test_a_held_lock_is_waited_for_a_bounded_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_disk, "BUSY_MS", 1)
    folder.mkdir(mode=0o700)
    disk = RealDisk()
    with disk.exclusive(folder / "spool.lock"), pytest.raises(StoreUnavailable) as caught:
        put(SqliteSpool(folder), b"x")
    assert "lock" in caught.value.why


def test_a_thread_that_holds_the_connection_too_long_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_file, "BUSY_MS", 1)
    file = SpoolFile(folder, RealDisk())

    def inner(connection: apsw.Connection) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            file.read(lambda connection: None)
        assert "another thread" in caught.value.why

    file.read(inner)
    file.close()
    assert repr(file) == "<SpoolFile closed>"


def test_a_file_that_is_damaged_again_at_once_is_given_up(folder: Path) -> None:
    class Damaging(RealDisk):
        def connect(self, path: Path) -> apsw.Connection:
            path.write_bytes(b"junk" * 5000)
            return super().connect(path)

    with pytest.raises(StoreUnavailable) as caught:
        put(SqliteSpool(folder, disk=Damaging()), b"x")
    assert "damaged again" in caught.value.what


def test_what_memory_cannot_move_stays_in_memory(folder: Path) -> None:
    time = [0.0]
    disk, memory = SqliteSpool(folder, disk=Impatient()), MemorySpool(Ledger(1 << 20))
    spool = FallbackSpool(disk, memory, clock=lambda: time[0])
    put(spool, b"first")
    stuck = apsw.Connection(str(folder / FILE_NAME))
    stuck.execute("BEGIN IMMEDIATE")
    taken = handle_for(b"ours", id_="haaaa")
    spool.put(taken, b"ours")
    time[0] = 40.0
    spool.close()
    assert spool.is_degraded
    assert repr(spool) == "<FallbackSpool in memory>"
    stuck.execute("ROLLBACK")
    stuck.close()
    disk.put(handle_for(b"theirs", id_="haaaa"), b"theirs")
    time[0] = 80.0
    put(spool, b"last")
    assert spool.get(taken.sha256) == b"ours"
    assert memory.statistics().items == 1
    spool.close()


def test_while_the_disk_cannot_be_read_memory_answers(folder: Path) -> None:
    class Gone(RealDisk):
        def connect(self, path: Path) -> apsw.Connection:
            raise OSError(5, "Input/output error")

    spool = FallbackSpool(SqliteSpool(folder, disk=Gone()), MemorySpool(Ledger(1 << 20)))
    stored = put(spool, b"x")
    assert spool.find(stored.id) == [stored]
    assert spool.pin(stored.id, is_pinned=True)
    for call in (lambda: spool.find("hffff"), lambda: spool.pin("hffff", is_pinned=True), lambda: spool.get("0" * 64)):
        with pytest.raises(StoreUnavailable):
            call()
    assert not spool.is_durable
