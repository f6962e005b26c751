import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.workspace.table import FileTable
from penstock.cache.workspace.values import FileStat, WalkedFile


def status_of(path: Path, mtime_ns: int) -> os.stat_result:
    path.touch()
    os.utime(path, ns=(0, mtime_ns))
    return os.stat(path)


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    table = FileTable()
    status = status_of(tmp_path / "f", -5_000_000_000)
    for rel in ("b", "a", "c"):
        table.add(rel, status)
    table.sort()
    assert [file.rel for file in table] == ["a", "b", "c"]
    assert table[0] == WalkedFile("a", FileStat.from_os(status))
    assert table[-1].rel == "c"
    assert [file.rel for file in table[1:]] == ["b", "c"]
    assert len(table) == 3
    with pytest.raises(IndexError):
        table[3]


@given(st.lists(st.text(max_size=5), unique=True, max_size=20))
def test_a_table_sorts_like_its_names(names: list[str]) -> None:
    table = FileTable()
    status = os.stat(".")
    for name in names:
        table.add(name, status)
    table.sort()
    assert [file.rel for file in table] == sorted(names)
