"""The epoch file: every event is noticed, and a file that cannot be read counts as one."""

import stat
from pathlib import Path

from penstock.cache.epoch import ClientEvent, EpochFile


def test_every_event_moves_it_once(tmp_path: Path) -> None:
    path = tmp_path / "data" / "epoch"
    watcher, hook = EpochFile(path), EpochFile(path)
    assert not watcher.has_moved()
    for number, event in enumerate(ClientEvent, start=1):
        assert hook.bump(event) == number
        assert watcher.has_moved()
        assert not watcher.has_moved()
    assert watcher.read() == len(ClientEvent)


def test_it_is_for_the_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "epoch"
    EpochFile(path).bump(ClientEvent.FORK)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_removal_counts_as_an_event(tmp_path: Path) -> None:
    path = tmp_path / "epoch"
    watcher = EpochFile(path)
    EpochFile(path).bump(ClientEvent.CLEAR)
    assert watcher.has_moved()
    path.unlink()
    assert watcher.has_moved()


def test_what_is_no_file_always_counts_as_moved(tmp_path: Path) -> None:
    path = tmp_path / "epoch"
    path.mkdir()
    watcher = EpochFile(path)
    assert watcher.has_moved()
    assert watcher.has_moved()
    assert watcher.read() == 0


def test_a_long_file_starts_again_and_counts_on(tmp_path: Path) -> None:
    path = tmp_path / "epoch"
    path.write_bytes(b"7 compact\n" * 7000)
    watcher = EpochFile(path)
    assert EpochFile(path).bump(ClientEvent.COMPACT) == 8
    assert path.stat().st_size < 100
    assert watcher.has_moved()
    assert watcher.read() == 8


def test_junk_in_the_file_reads_as_zero(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_bytes(b"junk\n")
    assert EpochFile(tmp_path / "epoch").read() == 0


def test_what_cannot_be_looked_at_counts_as_moved(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    watcher = EpochFile(tmp_path / "file" / "epoch")
    assert watcher.has_moved()
    assert watcher.has_moved()
    assert repr(watcher).startswith("<EpochFile")
