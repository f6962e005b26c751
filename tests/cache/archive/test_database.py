"""Faults of the disk and of the file, made real: modes, links, damage, a full disk, a removed file, a stopped peer."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest

from penstock.cache.archive.database import Database
from penstock.cache.errors import StoreUnavailable
from penstock.cache.spool_disk import RealDisk

if TYPE_CHECKING:
    from apsw import Connection

SCHEMA = ("CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT)",)


class SmallDisk(RealDisk):
    """A disk on which a file may have so many pages."""

    def __init__(self, pages: int) -> None:
        super().__init__()
        self.pages = pages

    def connect(self, path: Path) -> "Connection":
        con = super().connect(path)
        con.pragma("max_page_count", self.pages)
        return con


class NetworkDisk(RealDisk):
    """A disk that says it is far away."""

    def network_type(self, folder: Path) -> str:
        return "nfs4"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "store", "notes.db", schema=SCHEMA, wall=lambda: 1_800_000_000.0)
    yield database
    database.close()


def add(database: Database, text: str) -> None:
    database.write(lambda con: con.execute("INSERT INTO notes(text) VALUES(?)", (text,)))


def texts(database: Database) -> list[str]:
    return database.read(lambda con: [str(row[0]) for row in con.execute("SELECT text FROM notes ORDER BY id")])


def test_folder_and_files_are_for_the_user_alone_whatever_the_umask(database: Database) -> None:
    before = os.umask(0)
    try:
        add(database, "x")
        modes = {path.name: path.stat().st_mode & 0o777 for path in database.path.parent.iterdir()}
    finally:
        os.umask(before)
    assert database.path.parent.stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}
    assert "notes.db-wal" in modes


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir(mode=0o700)
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    (tmp_path / "store" / "notes.db").symlink_to(target)
    database = Database(tmp_path / "store", "notes.db", schema=SCHEMA)
    add(database, "x")
    assert target.read_bytes() == b"precious"
    assert database.notice.startswith("not persisted")
    database.close()


def test_what_is_written_is_there_after_opening_again(database: Database, tmp_path: Path) -> None:
    add(database, "x")
    database.close()
    again = Database(tmp_path / "store", "notes.db", schema=SCHEMA)
    assert texts(again) == ["x"]
    again.close()


def test_an_error_in_the_work_changes_nothing(database: Database) -> None:
    def work(con: "Connection") -> None:
        con.execute("INSERT INTO notes(text) VALUES('half')")
        raise KeyError("stop")

    with pytest.raises(KeyError):
        database.write(work)
    assert texts(database) == []


@pytest.mark.parametrize("damage", [b"\0" * 100, b"this is no database at all, not even close to one" * 9])
def test_a_damaged_file_is_put_aside_and_a_new_one_started(database: Database, damage: bytes) -> None:
    add(database, "old")
    database.close()
    for suffix in ("-wal", "-shm"):
        database.path.with_name(database.path.name + suffix).unlink(missing_ok=True)
    database.path.write_bytes(damage)
    add(database, "new")
    assert texts(database) == ["new"]
    assert "put aside" in database.notice
    assert database.path.with_name("notes.db.corrupt-1800000000").read_bytes() == damage
    assert database.statistics().quarantined == 1


def test_only_the_newest_two_damaged_files_are_kept(tmp_path: Path) -> None:
    for number in range(4):
        database = Database(tmp_path, "notes.db", schema=SCHEMA, wall=lambda number=number: 1_800_000_000.0 + number)
        (tmp_path / "notes.db").write_bytes(b"junk" * 500)
        add(database, "x")
        database.close()
    assert sorted(path.name for path in tmp_path.glob("*.corrupt-*")) == [
        "notes.db.corrupt-1800000002",
        "notes.db.corrupt-1800000003",
    ]


def test_verify_finds_damage_that_queries_pass_by(database: Database) -> None:
    database.write(lambda con: con.executemany("INSERT INTO notes(text) VALUES(?)", [("x" * 900,)] * 200))
    database.close()
    data = bytearray(database.path.read_bytes())
    data[20 * 4096 : 21 * 4096] = os.urandom(4096)
    database.path.write_bytes(data)
    assert not database.verify()
    assert texts(database) == []
    assert database.verify()


def test_a_log_left_behind_asks_for_a_check(database: Database) -> None:
    add(database, "x")
    other = Database(database.path.parent, "notes.db", schema=SCHEMA)
    assert texts(other) == ["x"]
    assert other.needs_check
    other.close()


def test_a_full_disk_goes_on_in_memory_with_what_was_there(tmp_path: Path) -> None:
    database = Database(tmp_path, "notes.db", schema=SCHEMA, disk=SmallDisk(8))
    add(database, "kept")
    for number in range(40):
        add(database, f"{number}" * 2_000)
    assert texts(database)[0] == "kept"
    assert len(texts(database)) == 41
    assert database.notice == "not persisted: the disk is full"
    assert database.statistics().is_in_memory
    database.close()


def test_a_folder_that_cannot_be_made_goes_on_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    database = Database(tmp_path / "file", "notes.db", schema=SCHEMA)
    add(database, "x")
    assert texts(database) == ["x"]
    assert database.notice.startswith("not persisted: the data folder cannot be written")
    database.close()


def test_memory_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    database = Database(tmp_path / "file", "notes.db", schema=SCHEMA)
    for _ in range(25):
        add(database, "x" * 1_000_000)
    with pytest.raises(StoreUnavailable, match="no room"):
        add(database, "x" * 20_000_000)
    assert len(texts(database)) == 25
    database.close()


def test_a_network_file_system_is_not_used(tmp_path: Path) -> None:
    database = Database(tmp_path, "notes.db", schema=SCHEMA, disk=NetworkDisk())
    add(database, "x")
    assert not (tmp_path / "notes.db").exists()
    assert "network" in database.notice
    database.close()


def test_a_file_that_was_removed_is_made_anew(database: Database) -> None:
    add(database, "lost with the file")
    for path in database.path.parent.iterdir():
        path.unlink()
    add(database, "x")
    assert texts(database) == ["x"]


def test_a_stopped_peer_with_the_write_lock_stops_only_writes(database: Database) -> None:
    add(database, "x")
    peer = apsw.Connection(str(database.path))
    peer.execute("BEGIN IMMEDIATE")
    try:
        assert texts(database) == ["x"]
        with pytest.raises(StoreUnavailable, match="locked"):
            add(database, "y")
    finally:
        peer.execute("ROLLBACK")
        peer.close()
    add(database, "z")
    assert texts(database) == ["x", "z"]
    assert database.statistics().busy == 1


class LockedFolder(RealDisk):
    """A disk whose files cannot be renamed."""

    def rename(self, path: Path, target: Path) -> None:
        raise PermissionError(13, "no")


def test_a_damaged_file_that_cannot_be_put_aside_goes_on_in_memory(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_bytes(b"junk" * 500)
    database = Database(tmp_path, "notes.db", schema=SCHEMA, disk=LockedFolder())
    add(database, "x")
    assert texts(database) == ["x"]
    assert database.notice.startswith("not persisted")
    assert repr(database) == "<Database notes.db in memory>"
    assert (tmp_path / "notes.db").read_bytes() == b"junk" * 500
    database.close()


class BrokenDisk(RealDisk):
    """A disk on which every new file is damaged at once."""

    def create_file(self, path: Path) -> None:
        super().create_file(path)
        path.write_bytes(b"junk" * 500)


def test_a_disk_that_damages_every_file_is_given_up(tmp_path: Path) -> None:
    database = Database(tmp_path, "notes.db", schema=SCHEMA, disk=BrokenDisk())
    with pytest.raises(StoreUnavailable, match="damaged"):
        add(database, "x")
    database.close()


def test_verify_of_an_unreadable_file_puts_it_aside(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_bytes(b"junk" * 500)
    database = Database(tmp_path, "notes.db", schema=SCHEMA, wall=lambda: 1_800_000_000.0)
    assert not database.verify()
    assert (tmp_path / "notes.db.corrupt-1800000000").exists()
    database.close()


def test_shrinking_gives_pages_back_and_passes_a_locked_file_by(database: Database) -> None:
    database.write(lambda con: con.executemany("INSERT INTO notes(text) VALUES(?)", [("x" * 900,)] * 2_000))
    database.shrink()
    full = database.path.stat().st_size
    database.write(lambda con: con.execute("DELETE FROM notes"))
    peer = apsw.Connection(str(database.path))
    peer.execute("BEGIN IMMEDIATE")
    database.shrink()
    peer.execute("ROLLBACK")
    peer.close()
    database.shrink()
    assert database.path.stat().st_size < full
    assert database.used_bytes() < 100_000


def test_a_large_file_is_not_copied_into_memory(tmp_path: Path) -> None:
    database = Database(tmp_path, "notes.db", schema=SCHEMA)
    database.write(lambda con: con.executemany("INSERT INTO notes(text) VALUES(?)", [("x" * 100_000,)] * 200))
    database.close()
    full = Database(tmp_path, "notes.db", schema=SCHEMA, disk=SmallDisk(1))
    for number in range(20):
        add(full, f"{number}" * 100_000)
    assert len(texts(full)) == 20
    assert full.notice.endswith("what is on disk is not seen until a restart")
    full.close()


def test_apsw_is_imported_by_the_first_use_only() -> None:
    modules = "penstock.cache.archive.archive, penstock.cache.archive.facts"
    code = f"import sys, {modules}; print('apsw' in sys.modules, 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False False\n"
