"""Which files a search has indexed before all others."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.index.catalog import Ints
from penstock.cache.index.urgent import path_scores, urgent_files
from penstock.cache.workspace.table import FileTable
from penstock.cache.workspace.values import FileStat

names = st.lists(st.text("abcXY/_ö", min_size=1, max_size=12), min_size=1, max_size=40, unique=True)


def table_of(paths: list[str], mtimes: list[int] | None = None) -> FileTable:
    table = FileTable()
    for number, path in enumerate(paths):
        table.add_stat(path, FileStat(1, number, 100, mtimes[number] if mtimes else 0, 0, 0o100644))
    table.sort()
    return table


def every(table: FileTable) -> Ints:
    return np.arange(len(table))


NONE = np.empty(0, np.int64)


@given(names, st.sampled_from(["abc", "bca", "xyx", "öab"]))
def test_a_path_scores_if_it_holds_the_term_in_any_case_and_none_across_two_paths(paths: list[str], term: str) -> None:
    table = table_of([*paths, *(f"zz/{number}" for number in range(200))])
    scores = path_scores(table, {term: 1.0})
    assert [bool(score) for score in scores] == [term in "".join(map(_lowered, file.rel)) for file in table]


def _lowered(letter: str) -> str:
    return letter.lower() if letter.isascii() else letter


def test_rare_words_of_a_path_count_more_and_common_ones_nothing() -> None:
    table = table_of([f"src/part{n}/module_{n}.py" for n in range(100)] + ["src/quokka/census.py", "src/quokka/count.py"])
    scores = path_scores(table, {"quokka": 1.0, "census": 1.0, "src": 1.0})
    best = np.argsort(-scores, kind="stable")[:2]
    assert [table.path(int(at)) for at in best] == ["src/quokka/census.py", "src/quokka/count.py"]
    assert np.count_nonzero(scores) == 2


def test_first_come_changed_files_then_paths_that_answer_then_the_youngest() -> None:
    paths = ["a/old.py", "b/quokka_census.py", "c/young.py", "d/changed.py"]
    table = table_of(paths + [f"e/{n}.py" for n in range(50)], [5, 1, 9, 1, *([0] * 50)])
    new, changed = np.delete(every(table), 3), np.asarray([3])
    weights = {"quokka": 1.0, "census": 1.0}
    first = urgent_files(table, new, changed, weights, limit=4, is_first=True)
    assert [table.path(int(at)) for at in first] == ["d/changed.py", "b/quokka_census.py", "c/young.py", "a/old.py"]
    later = urgent_files(table, new, changed, weights, limit=4, is_first=False)
    assert [table.path(int(at)) for at in later] == ["d/changed.py", "b/quokka_census.py"]


def test_a_branch_switch_leaves_the_room_to_paths_that_answer() -> None:
    table = table_of([f"e/{n}.py" for n in range(50)] + ["z/quokka.py"])
    urgent = urgent_files(table, np.asarray([50]), np.arange(50), {"quokka": 1.0}, limit=10, is_first=False)
    assert urgent.tolist() == [50]


def test_empty_and_huge_files_are_not_urgent() -> None:
    table = FileTable()
    for path, size in (("quokka_empty.py", 0), ("quokka_huge.py", 50_000_000), ("quokka_some.py", 10), ("zebra.py", 10)):
        table.add_stat(path, FileStat(1, len(table), size, 0, 0, 0o100644))
    urgent = urgent_files(table, every(table), NONE, {"quokka": 1.0}, limit=10, is_first=True)
    assert [table.path(int(at)) for at in urgent] == ["quokka_some.py", "zebra.py"]
