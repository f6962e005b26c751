"""The table of a walk is in the ledger before it is in memory."""

from pathlib import Path

import pytest

from penstock.cache.borrowing import LOAN_STEP_BYTES
from penstock.cache.errors import NoRoom
from penstock.cache.ledger import Ledger
from penstock.cache.workspace.collector import WalkCollector
from penstock.cache.workspace.files import WALKS, Workspace
from penstock.cache.workspace.gitfiles import GitFiles

FILES = 600
WITHOUT_GIT = GitFiles(None, {})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(FILES):
        (tmp_path / f"{number}.txt").touch()
    return tmp_path


def test_the_table_is_charged_while_it_grows_and_given_back_with_the_walk(root: Path) -> None:
    ledger = Ledger(10 * LOAN_STEP_BYTES)
    tables: list[WalkCollector] = []
    found = Workspace([root], ledger=ledger, git=WITHOUT_GIT).walk(watch=tables.append)
    assert len(found.files) == FILES
    assert LOAN_STEP_BYTES >= ledger.statistics().peak_bytes > tables[0].table.nbytes
    assert ledger.account_bytes(WALKS) == 0


def test_a_table_without_room_is_refused_before_it_is_made(root: Path) -> None:
    ledger = Ledger(64 * 1024)
    with pytest.raises(NoRoom):
        Workspace([root], ledger=ledger, git=WITHOUT_GIT).walk()
    assert ledger.used_bytes == 0
