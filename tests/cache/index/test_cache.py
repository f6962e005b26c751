import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from penstock.cache.deadline import Deadline
from penstock.cache.errors import CallCancelled, InvalidArgument, UnderPressure
from penstock.cache.index.chunk import FileStatus
from penstock.cache.index.values import IndexLimits, Prefer
from penstock.cache.ledger import Ledger
from tests.cache.index.corpus import PATIENT, MakeIndex, paths_of, write_files


def test_an_answer_says_how_much_was_searched_when_the_build_takes_too_long(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 300)
    index = make_index(IndexLimits(build_wait_s=0.001, batch_files=20))
    coverage = index.search("handler", deadline=Deadline(60)).coverage
    assert not coverage.is_complete
    assert coverage.searched_files < coverage.total_files == 300


def test_progress_is_told_with_counts_while_a_build_runs(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 400)
    told: list[tuple[int, int]] = []
    make_index(IndexLimits(build_wait_s=120, batch_files=100)).search(
        "handler", deadline=Deadline(120), progress=lambda done, total, message: told.append((done, total))
    )
    assert all(0 <= done <= total == 400 for done, total in told if total)


def test_a_cancelled_call_ends_while_a_build_goes_on(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 200)
    index = make_index(PATIENT)
    deadline = Deadline(60)

    def cancel(done: int, total: int, message: str) -> None:
        deadline.cancel()

    with pytest.raises(CallCancelled):
        index.search("handler", deadline=deadline, progress=cancel)
    assert paths_of(index, "handler_8", k=1) == ["pkg1/module_8.py"]


def test_unload_gives_everything_back_and_the_next_search_is_the_same(make_index: MakeIndex, root: Path, ledger: Ledger) -> None:
    write_files(root, 120)
    index = make_index(PATIENT)
    before = index.search("handler_7 request", deadline=Deadline(120)).hits
    (root / "late.py").write_text("handler_7 = late\n")
    with_late = index.search("handler_7 request", deadline=Deadline(120)).hits
    assert with_late != before
    resident = index.resident_bytes
    assert index.unload() == resident > 0
    assert (index.resident_bytes, index.mapped_bytes, ledger.used_bytes) == (0, 0, 0)
    assert index.search("handler_7 request", deadline=Deadline(120)).hits == with_late


def test_a_damaged_index_is_rebuilt_and_never_trusted(make_index: MakeIndex, root: Path, tmp_path: Path) -> None:
    write_files(root, 120)
    first = make_index(PATIENT)
    expected = first.search("handler_7", deadline=Deadline(120)).hits
    first.close()
    for segment in (tmp_path / "index").glob("*.seg"):
        data = bytearray(segment.read_bytes())
        data[len(data) // 2] ^= 0xFF
        segment.write_bytes(data)
    second = make_index(PATIENT)
    assert second.search("handler_7", deadline=Deadline(120)).hits == expected
    assert second.statistics().rebuilds == 1
    second.close()
    (tmp_path / "index" / "manifest.json").write_text('{"body": {}, "sha256": 4}')
    third = make_index(PATIENT)
    assert third.search("handler_7", deadline=Deadline(120)).hits == expected


def test_hostile_files_are_labelled_and_the_others_are_found(make_index: MakeIndex, root: Path) -> None:
    (root / "good.py").write_text("def needle(): pass\n")
    (root / "bundle.min.js").write_text("var a=1;" * 20_000)
    (root / "bundle.js").write_text("var a=1;" * 20_000)
    (root / "image.bin").write_bytes(bytes(range(256)) * 50)
    (root / "parens.py").write_text("(" * 400_000)
    (root / "nested.js").write_text("{ try { } catch { (, e " * 30_000)
    (root / "minus.py").write_text("\n".join("-" * 4_000 for _ in range(200)))
    (root / "package-lock.json").write_text('{"needle": 1}\n')
    (root / "empty.txt").write_text("")
    with (root / "line.txt").open("wb") as big:
        for _ in range(100):
            big.write(b"needle " * 150_000)
    result = make_index(PATIENT).search("needle", deadline=Deadline(60))
    assert [hit.path for hit in result.hits] == ["good.py"]
    assert result.coverage.is_complete
    skipped = result.coverage.skipped
    assert skipped[FileStatus.TOO_LARGE] == 1
    assert skipped[FileStatus.BINARY] == 1
    assert skipped[FileStatus.GENERATED] == 1
    assert skipped[FileStatus.MINIFIED] >= 3


def test_a_parser_that_hangs_or_crashes_costs_its_own_file_only(make_index: MakeIndex, root: Path, tmp_path: Path) -> None:
    """The parser is this test's own; it is found by the child because the test's folder is on its path."""
    (tmp_path / "hostile_parser.py").write_text(
        "import os, time\n"
        "def definitions(path, data):\n"
        "    if b'HANG' in data:\n"
        "        while True: pass\n"
        "    if b'CRASH' in data: os.abort()\n"
        "    if b'RAISE' in data: raise KeyError(path)\n"
        "    return [], [], []\n"
    )
    write_files(root, 60)
    (root / "hang.py").write_text("needle HANG\n")
    (root / "crash.py").write_text("needle CRASH\n")
    (root / "raise.py").write_text("needle RAISE\n")
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from penstock.cache.deadline import Deadline
        from penstock.cache.index.cache import IndexCache
        from penstock.cache.index.chunk import FileStatus
        from penstock.cache.index.values import IndexLimits
        from penstock.cache.ledger import Ledger
        from penstock.cache.worker import Worker
        from penstock.cache.workspace.files import Workspace
        root, data, inline = sys.argv[1:]
        ledger, worker = Ledger(1 << 28), Worker()
        index = IndexCache(
            Workspace([Path(root)], ledger=ledger), ledger=ledger, data_dir=Path(data), worker=worker,
            definitions="hostile_parser:definitions",
            limits=IndexLimits(build_wait_s=100, parse_s=0.4, inline_files=int(inline)),
        )
        result = index.search("needle", deadline=Deadline(110))
        print(*sorted(hit.path for hit in result.hits), result.coverage.skipped[FileStatus.UNPARSED], result.coverage.is_complete)
        index.close()
        worker.close()
        """
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    for inline in ("5", "100"):
        command = [sys.executable, "-c", script, str(root), str(tmp_path / f"hostile{inline}"), inline]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
        assert answer.stdout.split() == ["crash.py", "hang.py", "raise.py", "3", "True"]


def test_secrets_and_ignored_files_are_never_found(make_index: MakeIndex, root: Path) -> None:
    (root / ".env").write_text("NEEDLE_PASSWORD=hunter2\n")
    (root / "id_rsa").write_text("-----BEGIN RSA PRIVATE KEY-----\nneedle\n")
    (root / "renamed.txt").write_text("-----BEGIN RSA PRIVATE KEY-----\nMIIEneedleMIIEneedleMIIE needle\n")
    (root / "plain.txt").write_text("needle\n")
    assert paths_of(make_index(), "needle") == ["plain.txt"]


def test_a_first_build_is_refused_under_critical_pressure_with_the_next_call(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 80)
    level = [4]
    index = make_index(PATIENT, lambda: level[0])
    with pytest.raises(UnderPressure) as refused:
        index.search("handler", deadline=Deadline(60))
    assert "evict" in refused.value.next_call
    level[0] = 3
    assert index.search("handler", deadline=Deadline(60)).coverage.is_complete


def test_the_index_fits_into_a_small_ledger_by_writing_to_disk(make_index: MakeIndex, root: Path, ledger: Ledger) -> None:
    write_files(root, 40, "word_{n} = 1\n" * 200)
    with ledger.borrow("someone", ledger.free_bytes - 60_000):
        index = make_index(PATIENT)
        assert paths_of(index, "word_7", k=1) == ["pkg0/module_7.py"]
        assert index.statistics().delta_chunks == 0


def test_a_path_limits_hits_and_counts(make_index: MakeIndex, root: Path) -> None:
    write_files(root, 60)
    index = make_index(PATIENT)
    result = index.search("handler", k=100, path_glob="pkg3", deadline=Deadline(60))
    assert {hit.path.split("/")[0] for hit in result.hits} == {"pkg3"}
    assert result.matching_files == len(result.hits)
    assert index.search("handler", path_glob="nowhere/**", deadline=Deadline(60)).hits == []


def test_prefer_decides_what_comes_first(make_index: MakeIndex, root: Path) -> None:
    for name in ("src/parser.py", "tests/test_parser.py", "docs/parser.md"):
        (root / name).parent.mkdir()
        (root / name).write_text("parse the tokens of an expression\n")
    index = make_index()
    assert paths_of(index, "parse tokens", prefer=Prefer.SOURCE)[0] == "src/parser.py"
    assert paths_of(index, "parse tokens", prefer=Prefer.TESTS)[0] == "tests/test_parser.py"
    assert paths_of(index, "parse tokens", prefer=Prefer.DOCS)[0] == "docs/parser.md"
    assert len(paths_of(index, "parse tokens", prefer=Prefer.ANY)) == 3


def test_a_query_that_is_a_name_gets_its_definition_first(make_index: MakeIndex, root: Path) -> None:
    (root / "uses.py").write_text("load_config()\nload_config()\nx = load_config\n" * 5)
    (root / "config_loading.py").write_text("\n" * 40 + "def load_config():\n    return {}\n")
    (root / "other.py").write_text("def Load_Config():\n    pass\n")
    index = make_index()
    for query in ("load_config", "`load_config`", "load_config()", "config.load_config"):
        hit = index.search(query, deadline=Deadline(60)).hits[0]
        assert (hit.path, hit.symbols[0].name) == ("config_loading.py", "load_config")


def test_equal_scores_are_ordered_by_path(make_index: MakeIndex, root: Path) -> None:
    for name in "dbca":
        (root / f"{name}.txt").write_text("the same words\n")
    assert paths_of(make_index(), "same words") == ["a.txt", "b.txt", "c.txt", "d.txt"]


def test_what_no_file_holds_is_named_with_what_is_near(make_index: MakeIndex, root: Path) -> None:
    (root / "a.py").write_text("def compute_checksum(): pass\n")
    result = make_index().search("compute_cheksum", deadline=Deadline(60))
    assert "compute_cheksum" in result.unknown
    assert "compute_checksum" in result.suggestions


def test_a_query_without_words_is_refused_before_anything_is_indexed(make_index: MakeIndex, root: Path) -> None:
    index = make_index()
    for query in ("", "   ", "the of and", "?!…", "x" * 40_000):
        with pytest.raises(InvalidArgument):
            index.search(query, deadline=Deadline(60))
    assert index.statistics().refreshes == 0
