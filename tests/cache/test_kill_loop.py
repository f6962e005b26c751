"""`kill -9` of processes that write to the spool; `make soak` does the same hundreds of times."""

from pathlib import Path

import pytest

from tests.soak.kill_loop import run_kills


@pytest.mark.parametrize(("kills", "writers"), [(14, 1), (6, 3)])
def test_nothing_acknowledged_is_lost(tmp_path: Path, kills: int, writers: int) -> None:
    report = run_kills(tmp_path / "spool", kills, writers=writers)
    assert report.kills == kills
    assert report.acknowledged > kills
    assert report.lost == []
    assert report.damaged == 0


def test_the_same_harness_finds_a_store_without_a_journal_damaged(tmp_path: Path) -> None:
    """The negative control."""
    assert run_kills(tmp_path / "spool", 100, journal=False).is_broken
