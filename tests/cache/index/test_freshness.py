"""Promise 1: what was finished before a search began is in its answer, whatever other threads and processes do."""

import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from penstock.cache.deadline import Deadline
from penstock.cache.index.chunk import FileStatus
from penstock.cache.index.values import IndexLimits
from tests.cache.index.corpus import PATIENT, MakeIndex, paths_of, write_files


def test_a_new_file_is_found_by_the_next_search(make_index: MakeIndex, root: Path) -> None:
    index = make_index()
    assert paths_of(index, "zebra crossing") == []
    (root / "a.py").write_text("zebra_crossing = 1\n")
    assert paths_of(index, "zebra crossing") == ["a.py"]
    (root / "deep" / "er").mkdir(parents=True)
    assert paths_of(index, "walrus") == []
    (root / "deep" / "er" / "b.txt").write_text("a walrus\n")
    assert paths_of(index, "walrus") == ["deep/er/b.txt"]


def test_a_change_that_keeps_size_and_time_stamp_is_seen(make_index: MakeIndex, root: Path) -> None:
    """Promise 1: the file was young when it was read, so its bytes are looked at again."""
    path = root / "a.txt"
    path.write_text("walrus")
    index = make_index()
    assert paths_of(index, "walrus") == ["a.txt"]
    stat = path.stat()
    path.write_text("badger")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert paths_of(index, "walrus") == []
    assert paths_of(index, "badger") == ["a.txt"]


def test_touching_a_skipped_file_leaves_it_skipped(make_index: MakeIndex, root: Path) -> None:
    (root / "a.txt").write_text("walrus\n")
    (root / "b.bin").write_bytes(bytes(range(256)))
    index = make_index()
    for mtime in (1, 2):
        os.utime(root / "b.bin", (mtime, mtime))
        coverage = index.search("walrus", deadline=Deadline(60)).coverage
        assert (coverage.searched_files, coverage.total_files, coverage.skipped) == (1, 1, {FileStatus.BINARY: 1})


def test_deleted_files_and_renamed_directories_are_seen_by_the_next_search(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 70)
    index = make_index(PATIENT)
    assert paths_of(index, "handler_8", k=1) == ["pkg1/module_8.py"]
    (root / "pkg1" / "module_8.py").unlink()
    assert paths_of(index, "handler_8", k=1) != ["pkg1/module_8.py"]
    (root / "pkg2").rename(root / "renamed")
    assert paths_of(index, "handler_9", k=1) == ["renamed/module_9.py"]
    assert not [path for path in paths_of(index, "handler", k=100) if path.startswith("pkg2/")]


def test_a_branch_switch_of_two_thousand_files_is_seen_by_the_next_search(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 2_000)
    index = make_index(PATIENT)
    assert index.refresh(Deadline(120)).searched_files == 2_000
    write_files(root, 2_000, "def switched_{n}(request):\n    return other_branch\n")
    result = index.search("other_branch", k=5, deadline=Deadline(120))
    assert result.matching_files == 2_000
    assert result.coverage.is_complete
    assert paths_of(index, "handler_8") == []


def test_a_second_cache_maps_what_the_first_has_built(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 120)
    first, second = make_index(PATIENT), make_index(PATIENT)
    assert first.refresh(Deadline(120)).is_complete
    assert second.search("handler_7", k=1, deadline=Deadline(120)).hits[0].path == "pkg0/module_7.py"
    assert (first.statistics().builds, second.statistics().builds) == (1, 0)
    write_files(root, 120, "def second_{n}(): pass\n")
    assert second.search("second_7", k=1, deadline=Deadline(120)).coverage.is_complete
    assert first.search("second_7", k=1, deadline=Deadline(120)).coverage.is_complete


def test_several_processes_build_once(root: Path, tmp_path: Path) -> None:
    write_files(root, 400)
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from penstock.cache.deadline import Deadline
        from penstock.cache.index.cache import IndexCache
        from penstock.cache.index.values import IndexLimits
        from penstock.cache.ledger import Ledger
        from penstock.cache.worker import Worker
        from penstock.cache.workspace.files import Workspace
        root, data, definitions = sys.argv[1:]
        ledger, worker = Ledger(1 << 28), Worker()
        index = IndexCache(
            Workspace([Path(root)], ledger=ledger), ledger=ledger, data_dir=Path(data), worker=worker,
            definitions=definitions, limits=IndexLimits(build_wait_s=100),
        )
        result = index.search("handler_77 request", k=1, deadline=Deadline(110))
        statistics = index.statistics()
        print(result.hits[0].path, result.coverage.is_complete, statistics.builds, worker.statistics().calls, flush=True)
        index.close()
        worker.close()
        """
    )
    command = [sys.executable, "-c", script, str(root), str(tmp_path / "shared"), "penstock.tools.languages:structure"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [process.communicate(timeout=120)[0].split() for process in running]
    assert [answer[:2] for answer in answers] == [["pkg0/module_77.py", "True"]] * 3
    assert sum(int(answer[2]) for answer in answers) == 1
    # A process that comes second finds nothing left to do, and calls no worker.
    assert sum(int(answer[3]) > 0 for answer in answers) == 1


def test_searches_from_many_threads_agree(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 90)
    index = make_index(PATIENT)
    answers: list[list[str]] = []
    threads = [threading.Thread(target=lambda: answers.append(paths_of(index, "handler_42 request"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(answers) == 8
    assert all(answer == answers[0] for answer in answers)


def test_searches_that_come_during_the_first_one_answer_from_what_it_builds(make_index: MakeIndex, root: Path) -> None:
    """Where walking is dear only one of them walks; the others have nothing to answer from before it is done."""
    write_files(root, 90)
    index = make_index(IndexLimits(build_wait_s=120, cheap_walk_s=0.0, small_walk_files=0, walk_every_s=3_600))
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(paths_of, index, "handler_42 request") for _ in range(6)]
    answers = [one.result() for one in asked]
    assert answers[0][0] == "pkg0/module_42.py"
    assert answers == [answers[0]] * 6


def test_a_workspace_that_is_dear_to_walk_is_answered_from_the_last_walk_and_says_so(make_index: MakeIndex, root: Path) -> None:
    (root / "a.txt").write_text("walrus\n")
    index = make_index(IndexLimits(cheap_walk_s=0.0, small_walk_files=0, walk_every_s=3_600))
    assert index.search("walrus", deadline=Deadline(60)).coverage.age_s == 0
    (root / "b.txt").write_text("badger\n")
    late = index.search("badger", deadline=Deadline(60))
    assert late.hits == []
    assert late.coverage.age_s > 0
    index.unload()
    assert paths_of(index, "badger") == ["b.txt"]


def test_text_above_the_cap_is_left_out_and_said(make_index: MakeIndex, root: Path) -> None:
    for name in "abcd":
        (root / f"{name}.txt").write_text("walrus " * 100)
    coverage = make_index(IndexLimits(max_text_bytes=1_500)).search("walrus", deadline=Deadline(60)).coverage
    assert (coverage.searched_files, coverage.total_files, coverage.is_complete) == (2, 4, False)


def test_every_thread_sees_what_it_wrote_before_it_asked(make_index: MakeIndex, root: Path) -> None:
    """Promise 1 under concurrency: commits of other threads must not bring an older version back."""
    write_files(root, 60)
    index = make_index(PATIENT)
    index.refresh(Deadline(120))
    missed: list[str] = []

    def write_and_ask(name: str) -> None:
        for n in range(8):
            token = name + "abcdefgh"[n] * 4
            (root / f"{name}.txt").write_text(f"{token}\n")
            if paths_of(index, token) != [f"{name}.txt"]:
                missed.append(token)
            if n and paths_of(index, name + "abcdefgh"[n - 1] * 4):
                missed.append(f"old {token}")

    threads = [threading.Thread(target=write_and_ask, args=(name,)) for name in ("ant", "bee", "cat", "dog")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert missed == []


def test_hits_of_an_old_walk_are_compared_with_the_disk_before_they_are_shown(make_index: MakeIndex, root: Path) -> None:
    for name in ("a", "b", "c"):
        (root / f"{name}.txt").write_text(f"walrus {name}\n")
    index = make_index(IndexLimits(cheap_walk_s=0.0, small_walk_files=0, walk_every_s=3_600))
    assert sorted(paths_of(index, "walrus")) == ["a.txt", "b.txt", "c.txt"]
    (root / "a.txt").write_text("badger\n")
    (root / "b.txt").unlink()
    late = index.search("walrus", deadline=Deadline(60))
    assert late.coverage.age_s > 0
    assert [hit.path for hit in late.hits] == ["c.txt"]
    assert paths_of(index, "badger") == ["a.txt"]


def test_edited_files_that_change_again_in_bulk_are_built_and_found(make_index: MakeIndex, root: Path) -> None:
    """What the delta holds of them is older than what is built, and must not stand before it."""
    index = make_index(IndexLimits(inline_files=2, build_wait_s=60))
    names = ["a.py", "b.py", "c.py", "d.py"]
    for first in (0, 2):
        for name in names[first : first + 2]:
            (root / name).write_text("before = 1\n")
        assert index.refresh(Deadline(60)).is_complete
    assert index.statistics().delta_chunks == 4
    for name in names:
        (root / name).write_text(f"needle = '{name}'\n")
    result = index.search("needle", deadline=Deadline(60))
    assert result.coverage.is_complete
    assert [hit.path for hit in result.hits] == names


def test_the_first_answer_of_a_long_build_knows_the_file_whose_path_the_query_says(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 400)
    (root / "zoo").mkdir()
    (root / "zoo" / "quokka_census.py").write_text("def counted(): pass\n")
    # More files than are taken at all, and no time to wait for those that are.
    index = make_index(IndexLimits(batch_files=4, inline_files=5, max_text_bytes=4_000, build_wait_s=0.01))
    result = index.search("where is the quokka census", deadline=Deadline(60))
    assert [hit.path for hit in result.hits][:1] == ["zoo/quokka_census.py"]
    assert not result.coverage.is_complete
    assert 0 < result.coverage.searched_files < result.coverage.total_files
    assert result.coverage.capped_at
    index.refresh(Deadline(60))
    (root / "zoo" / "quokka_census.py").write_text("walrus\n")
    assert paths_of(index, "counted") == []


def test_an_edit_is_seen_while_a_long_build_is_under_way(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 40)
    assert make_index(PATIENT).refresh(Deadline(60)).is_complete
    write_files(root, 400)
    (root / "pkg1" / "module_8.py").write_text("def walrus(): pass\n")
    (root / "pkg2" / "module_9.py").unlink()
    index = make_index(IndexLimits(batch_files=4, inline_files=5, build_wait_s=0.01))
    assert paths_of(index, "walrus", k=1) == ["pkg1/module_8.py"]
    assert "pkg2/module_9.py" not in paths_of(index, "handler_9", k=100)
