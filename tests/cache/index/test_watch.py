"""Between two dear walks: what is heard makes indexed files be compared with the disk, and does nothing else."""

import logging
import os
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.cache.deadline import Deadline
from penstock.cache.errors import CallCancelled
from penstock.cache.index.cache import IndexCache
from penstock.cache.index.sweep import Sweeper
from penstock.cache.index.values import IndexLimits
from penstock.cache.index.watch import Changes, ChangeWatcher, Watch, load_watch
from penstock.cache.ledger import Ledger
from penstock.cache.workspace.files import Workspace
from tests.cache.index.corpus import MakeIndex, paths_of, write_files

DEAR = IndexLimits(small_walk_files=0, cheap_walk_s=0.0, walk_every_s=3600.0, walk_wait_s=20.0)
"""Every walk is dear, and none is due for the rest of the test unless it is hurried."""
needs_watchfiles = pytest.mark.skipif(load_watch() is None, reason="watchfiles is not installed")


def until(claim: Callable[[], bool]) -> None:
    """Ask again and again until it is so."""
    end = time.monotonic() + 20
    while not claim():
        assert time.monotonic() < end


def is_settled(index: IndexCache) -> bool:
    """Whether the workspace is watched, and the walk is over that the beginning of the watching made due."""
    index.search("nothing", deadline=Deadline(60))
    found = index.statistics()
    return found.watch.is_watching and found.walks >= 2


def files_of(index: IndexCache) -> int:
    """Return how many files are indexed once a search was answered."""
    index.search("nothing", deadline=Deadline(60))
    return index.statistics().files


@pytest.fixture
def watched(make_index: MakeIndex, root: Path) -> IndexCache:
    """An index of 14 files in 7 folders that is watched, and walks no more by itself."""
    write_files(root, 14)
    (root / ".ignore").write_text("*.log\n")
    index = make_index(DEAR, load_watch=load_watch)
    until(lambda: is_settled(index))
    return index


@needs_watchfiles
def test_changed_deleted_and_renamed_files_are_seen_without_a_walk(watched: IndexCache, root: Path) -> None:
    walks = watched.statistics().walks
    (root / "pkg1" / "module_1.py").write_text("def walrus(): pass\n")
    until(lambda: paths_of(watched, "walrus") == ["pkg1/module_1.py"])
    (root / "pkg2" / "module_2.py").unlink()
    until(lambda: files_of(watched) == 14)
    (root / "pkg3" / "module_3.py").rename(root / "pkg3" / "other.py")
    until(lambda: files_of(watched) == 13)
    (root / "pkg4" / "new").write_text("def badger(): pass\n")
    (root / "pkg4" / "new").replace(root / "pkg4" / "module_4.py")
    until(lambda: paths_of(watched, "badger") == ["pkg4/module_4.py"])
    assert "pkg4/module_4.py" not in paths_of(watched, "handler_4")
    result = watched.search("badger", deadline=Deadline(60))
    assert result.coverage.age_s > 0, "an event proves nothing fresh: the answer still says how old its walk is"
    assert watched.statistics().walks == walks


@needs_watchfiles
def test_new_and_ignored_files_are_left_to_the_walks(watched: IndexCache, root: Path) -> None:
    walks = watched.statistics().walks
    (root / "pkg1" / "new.py").write_text("walrus\n")
    (root / "pkg1" / "a.log").write_text("walrus\n")
    (root / "pkg1" / "module_1.py").write_text("badger\n")
    until(lambda: paths_of(watched, "badger") == ["pkg1/module_1.py"])
    assert paths_of(watched, "walrus") == []
    assert (watched.statistics().files, watched.statistics().walks) == (15, walks)


@needs_watchfiles
def test_a_renamed_folder_makes_a_walk_due_and_its_new_place_is_watched(watched: IndexCache, root: Path) -> None:
    (root / "pkg1").rename(root / "renamed")
    until(lambda: paths_of(watched, "handler_1", k=1) == ["renamed/module_1.py"])
    (root / "renamed" / "module_1.py").write_text("walrus\n")
    until(lambda: paths_of(watched, "walrus") == ["renamed/module_1.py"])


@needs_watchfiles
def test_closing_ends_the_thread(watched: IndexCache) -> None:
    def names() -> list[str]:
        return [thread.name for thread in threading.enumerate()]

    assert "index-watch" in names()
    watched.close()
    assert "index-watch" not in names()
    assert not watched.statistics().watch.is_watching


def test_without_the_extra_searches_rely_on_walks_alone(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 14)
    index = make_index(DEAR, load_watch=lambda: None)
    assert paths_of(index, "handler_1", k=1) == ["pkg1/module_1.py"]
    until(lambda: index.statistics().watch.notice == "watchfiles is not installed")
    (root / "pkg1" / "module_1.py").write_text("walrus\n")
    result = index.search("walrus", deadline=Deadline(60))
    assert (result.hits, index.statistics().walks) == ([], 1)
    assert result.coverage.age_s > 0


def test_small_workspaces_are_not_watched(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 14)

    def load() -> Watch | None:
        raise AssertionError("loaded")

    index = make_index(load_watch=load)
    assert paths_of(index, "handler_1", k=1) == ["pkg1/module_1.py"]
    assert index.statistics().watch.notice == ""


def test_a_watcher_that_fails_ends_with_a_notice(make_index: MakeIndex, root: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_files(root, 14)

    def refuse(*places: str, **settings: object) -> Generator[Changes, None, None]:
        raise OSError("OS file watch limit reached")

    index = make_index(DEAR, load_watch=lambda: refuse)
    with caplog.at_level(logging.WARNING):
        paths_of(index, "handler_1")
        until(lambda: index.statistics().watch.notice != "")
        index.unload()
        assert paths_of(index, "handler_1", k=1) == ["pkg1/module_1.py"]
    assert [record.message for record in caplog.records] == ["the workspace is not watched any more: OSError"]


class Script:
    """Stands for `watchfiles.watch`: yields what it is told to, and then nothing until it is closed."""

    def __init__(self) -> None:
        self.batches: list[set[tuple[int, str]]] = []
        self.places: tuple[str, ...] = ()

    def __call__(self, *places: str, stop_event: threading.Event, **settings: object) -> Generator[Changes, None, None]:
        self.places = places
        while not stop_event.wait(0.001):
            yield self.batches.pop(0) if self.batches else set()


def scripted(make_index: MakeIndex) -> tuple[IndexCache, Script]:
    """Return an index that is watched by a script, once nothing more is due."""
    script = Script()
    index = make_index(DEAR, load_watch=lambda: script)
    until(lambda: is_settled(index))
    return index, script


def test_too_many_changes_make_a_walk_due(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 14)
    index, script = scripted(make_index)
    walks = index.statistics().walks
    script.batches.append({(2, os.path.join(os.path.realpath(root), f"pkg1/file_{n}")) for n in range(10_001)})
    until(lambda: index.statistics().watch.overflows == 1)
    (root / "pkg1" / "new.py").write_text("walrus\n")
    assert paths_of(index, "walrus") == ["pkg1/new.py"]
    assert index.statistics().walks == walks + 1
    assert index.statistics().watch.waiting == 0


def test_more_changes_than_a_search_compares_are_kept_and_make_a_walk_due(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 210)
    index, script = scripted(make_index)
    walks = index.statistics().walks
    for path in (root / "pkg1").iterdir():
        path.write_text("walrus\n")
    script.batches.append({(2, os.path.realpath(path)) for path in root.glob("*/*.py")})
    until(lambda: index.statistics().watch.waiting == 210)
    index.search("badger", deadline=Deadline(60))
    assert (index.statistics().watch.waiting, index.statistics().walks) == (10, walks)
    assert index.search("walrus", deadline=Deadline(60)).matching_files == 30
    until(lambda: (index.statistics().watch.waiting, index.statistics().walks) == (0, walks + 1))


def test_folders_above_are_watched_but_not_what_lies_outside(make_index: MakeIndex, root: Path, ledger: Ledger) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "c.py").write_text("walrus\n")
    (root / "ignored").mkdir()
    index, script = scripted(make_index)
    real = os.path.realpath(root)
    assert sorted(script.places) == [os.path.join(real, ""), os.path.join(real, "a"), os.path.join(real, "a/b")]
    assert ledger.statistics().accounts["index.watch"] > 0
    index.close()
    assert ledger.statistics().accounts.get("index.watch", 0) == 0


def test_where_the_system_watches_trees_the_root_is_named(root: Path, ledger: Ledger) -> None:
    (root / "a.py").write_text("walrus\n")
    workspace = Workspace([root], ledger=ledger)
    walk = Sweeper(workspace, DEAR).walk(Deadline(60))
    workspace.close()
    script = Script()
    watcher = ChangeWatcher(root, ledger, lambda: script, platform="darwin")
    watcher.follow(walk)
    until(lambda: watcher.statistics().is_watching)
    assert script.places == (os.path.realpath(root),)
    script.batches.append({(2, os.path.join(os.path.realpath(root), "a.py")), (2, "/elsewhere/a.py")})
    until(lambda: watcher.statistics().heard == 2)
    assert watcher.take(0.0) == ["a.py"]
    watcher.put_back(["a.py", "b.py"])
    assert watcher.take(0.0) == ["a.py", "b.py"]
    watcher.close()


def test_a_walk_that_a_cancelled_search_did_not_compare_is_made_again(make_index: MakeIndex, root: Path) -> None:
    """An answer must not be said to be as young as a walk that nobody has used."""
    write_files(root, 3)
    deadline, is_armed = Deadline(60), threading.Event()

    def cancel() -> int:
        if is_armed.is_set():
            deadline.cancel()
        return 0

    index = make_index(replace(DEAR, inline_files=1), pressure=cancel)
    index.refresh(Deadline(60))
    (root / "pkg1" / "new.py").write_text("walrus\n")
    (root / "pkg2" / "new.py").write_text("walrus\n")
    index.unload()  # which makes a walk due
    is_armed.set()
    with pytest.raises(CallCancelled):
        index.search("walrus", deadline=deadline)
    walks = index.statistics().walks
    assert index.search("walrus", deadline=Deadline(60)).matching_files == 2
    assert index.statistics().walks == walks + 1
