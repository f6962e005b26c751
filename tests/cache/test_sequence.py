"""Receipt numbers: from 1 in a fresh folder, and never twice."""

import stat
import threading
from pathlib import Path

import pytest

from penstock.cache.sequence import BLOCK, SequenceFile


def test_a_fresh_folder_counts_from_one(tmp_path: Path) -> None:
    sequence = SequenceFile(tmp_path / "data" / "receipts")
    assert [sequence.take() for _ in range(3 * BLOCK)] == list(range(1, 3 * BLOCK + 1))
    assert repr(sequence) == f"<SequenceFile next={3 * BLOCK + 1}>"
    assert stat.S_IMODE((tmp_path / "data" / "receipts").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_processes_at_once_and_in_turn_never_share_a_number(tmp_path: Path) -> None:
    sequences = [SequenceFile(tmp_path / "receipts") for _ in range(4)]
    taken: list[int] = []

    def take(sequence: SequenceFile) -> None:
        taken.extend([sequence.take() for _ in range(200)])

    threads = [threading.Thread(target=take, args=(sequence,)) for sequence in sequences for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.append(SequenceFile(tmp_path / "receipts").take())
    assert len(set(taken)) == len(taken) == 1601


def test_a_file_that_cannot_be_written_gives_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "receipts").mkdir()
    with pytest.raises(OSError, match="receipts"):
        SequenceFile(tmp_path / "receipts").take()
