"""The spool's file when its bytes are wrong: damage, leftovers, foreign databases, other versions."""

import hashlib
import os
import shutil
from pathlib import Path

import apsw
import pytest

from penstock.cache.errors import CorruptPayload, StoreUnavailable
from penstock.cache.spool_disk import RealDisk
from penstock.cache.spool_file import FILE_NAME, SpoolFile
from penstock.cache.spool_sqlite import SqliteSpool
from tests.cache.spooled import handle_for, names, put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.mark.parametrize("damage", [b"", b"junk" * 5000, b"SQLite format 3\0" + b"\xff" * 8000], ids=["empty", "junk", "header"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(folder: Path, damage: bytes) -> None:
    spool = SqliteSpool(folder)
    put(spool, b"lost")
    spool.close()
    (folder / FILE_NAME).write_bytes(damage)
    stored = put(spool, b"new")
    assert spool.get(stored.sha256) == b"new"
    assert (f"{FILE_NAME}.corrupt-1" in names(folder)) is bool(damage)
    assert bool(spool.statistics().notices) is bool(damage)
    spool.close()


def test_damage_in_the_middle_is_found_by_verify(folder: Path) -> None:
    spool = SqliteSpool(folder)
    for number in range(200):
        put(spool, hashlib.shake_128(b"%d" % number).digest(3000))
    spool.close()
    with (folder / FILE_NAME).open("r+b") as file:
        file.seek(4096 * 20)
        file.write(os.urandom(4096 * 100))
    assert spool.verify() > 0
    stored = put(spool, b"after")
    assert spool.get(stored.sha256) == b"after"
    spool.close()


def test_damage_found_by_verify_is_noticed_by_whoever_has_the_file_open(folder: Path) -> None:
    """The structure is read over a connection of its own; the notice and the new file are everybody's."""
    spool = SqliteSpool(folder)
    for number in range(200):
        put(spool, hashlib.shake_128(b"%d" % number).digest(3000))
    spool.close()
    (folder / FILE_NAME).write_bytes((folder / FILE_NAME).read_bytes()[: 4096 * 30])
    assert spool.verify() == 1
    assert any("set aside" in notice for notice in spool.statistics().notices)
    assert spool.get(put(spool, b"new").sha256) == b"new"
    assert spool.verify() == 0
    spool.close()


def test_a_journal_left_behind_asks_for_a_check(folder: Path, tmp_path: Path) -> None:
    spool = SqliteSpool(folder)
    put(spool, b"x" * 5000)
    assert not spool.needs_check
    killed = tmp_path / "killed"
    shutil.copytree(folder, killed)  # what a killed process leaves: the file and its journal
    spool.close()
    left = SqliteSpool(killed)
    assert left.get(handle_for(b"x" * 5000).sha256) == b"x" * 5000
    assert left.needs_check
    left.close()
    for closed in (folder, killed):
        again = SqliteSpool(closed)
        again.statistics()
        assert not again.needs_check
        again.close()


def test_a_check_ends_when_it_is_told_to(folder: Path) -> None:
    spool = SqliteSpool(folder)
    for number in range(5):
        put(spool, b"%d" % number * 100)
    gets = spool.statistics().gets
    asked = iter((False, False, True))
    assert spool.verify(should_stop=lambda: next(asked)) == 0
    assert spool.statistics().gets == gets + 2
    spool.close()


def test_no_flipped_byte_of_the_file_is_ever_served(folder: Path) -> None:
    """Whatever the byte belongs to: the right bytes, nothing, or a typed error."""
    contents = [hashlib.shake_128(b"%d" % number).digest(700 + 900 * number) for number in range(4)]
    spool = SqliteSpool(folder)
    for data in contents:
        put(spool, data)
    spool.close()
    whole = (folder / FILE_NAME).read_bytes()
    caught = 0
    for offset in (*range(0, 100, 3), *range(100, len(whole), 389)):
        damaged = bytearray(whole)
        damaged[offset] ^= 0xFF
        shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
        (folder / FILE_NAME).write_bytes(damaged)
        for data in contents:
            try:
                found = spool.get(handle_for(data).sha256)
            except (CorruptPayload, StoreUnavailable):
                found = None
            assert found in (data, None), f"other bytes after a flip at {offset}"
            caught += found is None
        spool.close()
    assert caught > 5


def test_the_newest_two_damaged_files_are_kept(folder: Path) -> None:
    spool = SqliteSpool(folder)
    for _ in range(4):
        put(spool, b"x")
        spool.close()
        (folder / FILE_NAME).write_bytes(b"junk" * 5000)
    put(spool, b"x")
    spool.close()
    assert names(folder) == {FILE_NAME, "spool.lock", f"{FILE_NAME}.corrupt-3", f"{FILE_NAME}.corrupt-4"}


def test_a_journal_goes_with_its_damaged_file(folder: Path) -> None:
    """Left behind, it would be played into the new file."""
    file = SpoolFile(folder, RealDisk())
    file.write(lambda connection: connection.changes())
    file.close()
    (folder / f"{FILE_NAME}-wal").write_bytes(b"stale")
    file.set_aside()
    assert (folder / f"{FILE_NAME}.corrupt-1-wal").read_bytes() == b"stale"
    assert FILE_NAME not in names(folder)


def test_another_servers_quarantine_is_not_repeated(folder: Path) -> None:
    one, other = SqliteSpool(folder), SqliteSpool(folder)
    put(one, b"x")
    put(other, b"y")
    one.close()
    other.close()
    (folder / FILE_NAME).write_bytes(b"junk" * 5000)
    put(one, b"x")
    stored = put(other, b"y")
    assert one.get(stored.sha256) == b"y"
    assert len([name for name in names(folder) if "corrupt" in name]) == 1
    one.close()
    other.close()


def test_another_programs_database_is_set_aside(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    connection = apsw.Connection(str(folder / FILE_NAME))
    connection.execute("CREATE TABLE diary (entry TEXT)")
    connection.close()
    spool = SqliteSpool(folder)
    put(spool, b"x")
    spool.close()
    connection = apsw.Connection(str(folder / f"{FILE_NAME}.corrupt-1"))
    assert connection.execute("SELECT count(*) FROM diary").get == 0
    connection.close()


def test_a_newer_version_is_left_alone(folder: Path) -> None:
    spool = SqliteSpool(folder)
    put(spool, b"x")
    spool.close()
    connection = apsw.Connection(str(folder / FILE_NAME))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreUnavailable) as caught:
        put(spool, b"y")
    assert "another version" in caught.value.why
    assert names(folder) == {FILE_NAME, "spool.lock"}
