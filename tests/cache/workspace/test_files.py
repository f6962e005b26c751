import hashlib
import itertools
import os
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.cache.deadline import Deadline
from penstock.cache.errors import (
    BinaryFile,
    DeadlineExceeded,
    FileTooLarge,
    InvalidArgument,
    NoRoom,
    NotARegularFile,
    OutsideWorkspace,
    PathNotFound,
    PenstockError,
)
from penstock.cache.ledger import Ledger
from penstock.cache.workspace.files import FileKey, FileStat, Workspace
from penstock.cache.workspace.ranges import parse_ranges
from penstock.cache.workspace.reading import WallClock
from penstock.cache.workspace.text import decode
from penstock.cache.workspace.values import EntryKind, WorkspaceLimits

MakeWorkspace = Callable[..., Workspace]


def test_a_read_gives_the_bytes_and_what_identifies_them(workspace: Workspace, root: Path) -> None:
    data = b"one\r\ntwo\xff\x00\n"
    (root / "a").mkdir()
    (root / "a" / "f").write_bytes(data)
    status = os.stat(root / "a" / "f")
    source = workspace.read(f"{root}/a/../a/f")
    assert source.data == data
    assert source.sha256 == hashlib.sha256(data).hexdigest()
    assert source.rel == "a/f"
    assert source.key == FileKey(status.st_dev, status.st_ino, "a/f")
    assert source.stat == FileStat.from_os(status)
    assert "two" not in repr(source)


def test_two_spellings_have_one_key(workspace: Workspace, root: Path) -> None:
    (root / "f").write_text("x")
    (root / "link").symlink_to("f")
    assert workspace.read("f").key == workspace.read("link").key == workspace.stat(f"{root}/f")[1]
    assert workspace.read("link").rel == "link"


def test_relative_names_a_path_by_its_spelling(workspace: Workspace, root: Path) -> None:
    assert workspace.relative(f"{root}/none/../a//b") == "a/b"
    assert workspace.relative(".") == "."
    with pytest.raises(OutsideWorkspace):
        workspace.relative("../x")


def test_a_second_root_displays_absolute_and_reads_by_that(make_workspace: MakeWorkspace, tmp_path: Path, root: Path) -> None:
    workspace = make_workspace(roots=[root, tmp_path / "project2"])
    rel = workspace.read(f"{tmp_path}/project2/x").rel
    assert rel == f"{tmp_path}/project2/x" == workspace.relative(rel)
    assert [file.rel for file in workspace.walk().files] == [rel]
    assert workspace.roots == (root, tmp_path / "project2")
    assert workspace.root == root


@pytest.mark.parametrize("name", [os.fsdecode(b"\xff\xfe"), "new\nline", "ctrl\x07\x1b", "-rf", " lead", "ünï", "a'b\"c", "~x"])
def test_any_file_name_is_walked_read_and_listed(workspace: Workspace, root: Path, name: str) -> None:
    (root / name).write_text("hello")
    [walked] = workspace.walk().files
    assert walked.rel == name
    assert workspace.read(walked.rel).data == b"hello"
    assert [entry.rel for entry in workspace.list_dir(".").entries] == [name]


def test_bad_paths_get_typed_errors_at_once(workspace: Workspace, tmp_path: Path, root: Path) -> None:
    os.mkfifo(root / "fifo")
    (root / "folder").mkdir()
    (root / "out").symlink_to(tmp_path / "outside.txt")
    (root / "binary").write_bytes(b"\x7fELF\0\0\0")
    with open(root / "sparse", "wb") as file:
        os.truncate(file.fileno(), 20_000_000_000)
    bad: dict[str, type[PenstockError]] = {
        "none": PathNotFound,
        "folder": NotARegularFile,
        "fifo": NotARegularFile,
        "sparse": FileTooLarge,
        "../outside.txt": OutsideWorkspace,
        "out": OutsideWorkspace,
        r"\xff": PathNotFound,
    }
    for path, expected in bad.items():
        took: list[float] = []
        for _ in range(3):  # the best of three: other work on the machine is not what is measured
            start = time.perf_counter()
            with pytest.raises(expected) as caught:
                workspace.read(path)
            took.append(time.perf_counter() - start)
            assert caught.value.next_call
        assert min(took) < 0.05
    assert workspace.read("binary").data[:4] == b"\x7fELF"
    for path in ("binary", "sparse"):
        with pytest.raises(BinaryFile):
            workspace.read_window(path, parse_ranges("1-5"), max_bytes=1000)


def test_too_large_a_file_names_the_range_that_can_be_read(make_workspace: MakeWorkspace, root: Path) -> None:
    """qwen-code #7946: the size gate must look at what was asked, not at the file."""
    (root / "f").write_text("line\n" * 100)
    workspace = make_workspace(limits=WorkspaceLimits(max_file_bytes=100))
    with pytest.raises(FileTooLarge) as caught:
        workspace.read("f")
    assert "lines=" in caught.value.next_call
    [part] = workspace.read_window("f", parse_ranges("3-4"), max_bytes=1000).parts
    assert (part.first, part.last, part.data) == (3, 4, b"line\nline\n")


def test_a_file_that_claims_no_size_is_read_to_its_cap(make_workspace: MakeWorkspace, root: Path) -> None:
    """A growing file: what comes counts, not what was claimed."""
    path = root / "f"
    path.write_bytes(b"x" * 10)
    grown = iter([True])

    def grow() -> int:
        if next(grown, False):
            path.write_bytes(b"y" * 3_000_000)
        return path.stat().st_mtime_ns

    workspace = make_workspace(wall_clock=WallClock(grow, lambda seconds: None))
    source = workspace.read("f")
    assert (source.data, source.is_changing) == (b"y" * 3_000_000, True)
    capped = make_workspace(limits=WorkspaceLimits(max_file_bytes=2_000_000))
    with pytest.raises(FileTooLarge):
        capped.read("f")


def test_a_young_file_is_read_twice_and_marked_if_it_changes(make_workspace: MakeWorkspace, root: Path) -> None:
    path = root / "f"
    path.write_text("half")

    def write(seconds: float) -> None:
        path.write_text("whole")

    workspace = make_workspace(wall_clock=WallClock(lambda: path.stat().st_mtime_ns, write))
    source = workspace.read("f")
    assert (source.data, source.is_changing) == (b"whole", True)
    assert source.stat.size == 5
    assert workspace.statistics().changing == 1


def test_a_young_file_that_stays_is_not_changing(make_workspace: MakeWorkspace, root: Path) -> None:
    path = root / "f"
    path.write_text("done")
    pauses: list[float] = []
    workspace = make_workspace(wall_clock=WallClock(lambda: path.stat().st_mtime_ns, pauses.append))
    assert not workspace.read("f").is_changing
    assert len(pauses) == 1


@pytest.mark.parametrize("age_ns", [60_000_000, -3_600_000_000_000])
def test_an_old_file_or_one_from_the_future_is_read_once(make_workspace: MakeWorkspace, root: Path, age_ns: int) -> None:
    path = root / "f"
    path.write_text("done")
    pauses: list[float] = []
    workspace = make_workspace(wall_clock=WallClock(lambda: path.stat().st_mtime_ns + age_ns, pauses.append))
    workspace.read("f")
    assert pauses == []


def test_a_read_is_charged_while_it_lasts(make_workspace: MakeWorkspace, root: Path) -> None:
    (root / "f").write_bytes(b"x" * 5000)
    ledger = Ledger(20_000)
    make_workspace(ledger=ledger).read("f")
    assert ledger.used_bytes == 0
    assert ledger.statistics().peak_bytes >= 5000
    with pytest.raises(NoRoom):
        make_workspace(ledger=Ledger(4000)).read("f")
    with pytest.raises(PathNotFound):
        make_workspace(ledger=ledger).read("none")
    assert ledger.used_bytes == 0


def test_every_change_finished_before_a_read_is_seen(workspace: Workspace, root: Path) -> None:
    for number in range(50):
        (root / "f").write_text(str(number))
        assert workspace.read("f").data == str(number).encode()


def test_is_dir_tells_folders_and_denies_what_is_outside(workspace: Workspace, root: Path) -> None:
    (root / "folder").mkdir()
    (root / "f").write_text("x")
    (root / "link").symlink_to("folder")
    assert [workspace.is_dir(path) for path in ("folder", ".", "link", "f", "none")] == [True, True, True, False, False]
    with pytest.raises(OutsideWorkspace):
        workspace.is_dir("..")


def test_a_stat_follows_links_inside_and_needs_no_permission_to_read(workspace: Workspace, root: Path) -> None:
    (root / "f").write_text("hello")
    (root / "link").symlink_to("f")
    rel, key, stat = workspace.stat("link")
    assert (rel, key.path, stat.size) == ("link", "f", 5)
    assert workspace.stat(".")[1].path == ""


def test_a_window_of_a_hundred_megabyte_line_is_instant_and_flat(workspace: Workspace, root: Path) -> None:
    with open(root / "line", "wb") as file:
        chunk = b"0123456789abcdef" * 65536
        for _ in range(100):
            file.write(chunk)
        file.write("ü\nend\n".encode())
    tracemalloc.start()
    start = time.perf_counter()
    window = workspace.read_window("line", parse_ranges("1-5"), max_bytes=100_000)
    assert time.perf_counter() - start < 1
    assert (len(window.parts[0].data), window.next_lines, window.total_lines) == (100_000, "1:100001-,2-5", None)
    far = workspace.read_window("line", parse_ranges("1:104857601-,2"), max_bytes=100_000)
    assert [decode(part.data, far.encoding).text for part in far.parts] == ["ü\n", "end\n"]
    tail = workspace.read_window("line", parse_ranges("-1"), max_bytes=100_000)
    assert (tail.parts[0].first, tail.parts[0].data) == (-1, b"end\n")
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


def test_a_window_of_utf16_keeps_its_bytes(workspace: Workspace, root: Path) -> None:
    lines = [f"Zeile {number} \u010a\n" for number in range(1, 50)]
    (root / "f").write_bytes("".join(["\ufeff", *lines]).encode("utf-16-le"))
    window = workspace.read_window("f", parse_ranges("7,-2"), max_bytes=5000)
    assert [decode(part.data, window.encoding).text for part in window.parts] == [lines[6], lines[47] + lines[48]]
    assert window.total_lines == 49


def test_a_window_that_no_line_answers_is_an_invalid_argument(workspace: Workspace, root: Path) -> None:
    (root / "f").write_text("one\n")
    (root / "empty").write_text("")
    with pytest.raises(InvalidArgument):
        workspace.read_window("f", parse_ranges("2-"), max_bytes=100)
    assert workspace.read_window("empty", parse_ranges("1-"), max_bytes=100).parts == ()


def test_a_window_notices_the_deadline(workspace: Workspace, root: Path) -> None:
    (root / "f").write_text("one\ntwo\n" * 100)
    ticks = itertools.count()
    with pytest.raises(DeadlineExceeded):
        workspace.read_window("f", parse_ranges("150"), max_bytes=100, deadline=Deadline(1.5, clock=lambda: next(ticks)))


def test_large_files_stay_large_under_a_small_address_space(root: Path) -> None:
    """20 GB sparse and a device-like endless file must not be allocated for: the check comes before the buffer."""
    with open(root / "sparse", "wb") as file:
        os.truncate(file.fileno(), 20_000_000_000)
    code = f"""
import resource
from pathlib import Path
from penstock.cache.errors import BinaryFile, FileTooLarge
from penstock.cache.ledger import Ledger
from penstock.cache.workspace.files import Workspace
from penstock.cache.workspace.ranges import parse_ranges
workspace = Workspace([Path({str(root)!r})], ledger=Ledger(1 << 25))
resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
for act in (lambda: workspace.read("sparse"), lambda: workspace.read_window("sparse", parse_ranges("-5"), max_bytes=1000)):
    try:
        act()
    except (FileTooLarge, BinaryFile) as error:
        print(type(error).__name__)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["FileTooLarge", "BinaryFile"]
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != 1 << 29


def test_one_level_of_a_folder_is_listed_without_what_is_ignored_or_secret(workspace: Workspace, root: Path) -> None:
    for folder in ("b", "node_modules", "build", ".git"):
        (root / folder).mkdir()
    (root / "b" / "below").write_text("x")
    (root / "a.txt").write_text("hello")
    (root / "x.log").write_text("x")
    (root / ".env").write_text("x")
    (root / "link").symlink_to("a.txt")
    os.mkfifo(root / "pipe")
    (root / ".gitignore").write_text("*.log\nbuild/\n")
    listing = workspace.list_dir(".")
    kinds = {entry.rel: entry.kind for entry in listing.entries}
    assert kinds == {
        ".gitignore": EntryKind.FILE,
        "a.txt": EntryKind.FILE,
        "b": EntryKind.DIRECTORY,
        "link": EntryKind.SYMLINK,
        "pipe": EntryKind.SPECIAL,
    }
    assert listing.is_complete
    assert listing.skipped == {"secret-like name": 1}
    assert [entry.rel for entry in workspace.list_dir("b").entries] == ["b/below"]
    with pytest.raises(NotARegularFile):
        workspace.list_dir("a.txt")


def test_an_ignored_folder_that_is_asked_for_is_listed(workspace: Workspace, root: Path) -> None:
    (root / "build" / "sub").mkdir(parents=True)
    (root / "build" / "out.txt").write_text("x")
    (root / ".gitignore").write_text("build/\n")
    assert [entry.rel for entry in workspace.list_dir("build").entries] == ["build/out.txt", "build/sub"]
    assert [file.rel for file in workspace.walk("build").files] == ["build/out.txt"]
    assert [file.rel for file in workspace.walk().files] == [".gitignore"]


def test_a_large_folder_is_listed_in_pages(make_workspace: MakeWorkspace, root: Path) -> None:
    names = sorted(f"f{number}" for number in range(25))
    for name in names:
        (root / name).write_text("x")
    workspace = make_workspace(limits=WorkspaceLimits(max_dir_entries=10))
    pages = [workspace.list_dir(".", after=after) for after in ("", names[9], names[19])]
    assert [entry.rel for page in pages for entry in page.entries] == names
    assert [page.is_complete for page in pages] == [False, False, True]
    assert {page.seen for page in pages} == {25}


def test_the_workspace_counts_its_work(workspace: Workspace, root: Path) -> None:
    (root / "f").write_text("hello")
    workspace.read("f")
    workspace.read_window("f", parse_ranges("1"), max_bytes=100)
    workspace.walk()
    counted = workspace.statistics()
    assert (counted.reads, counted.read_bytes, counted.windows, counted.walks) == (1, 5, 1, 1)
    assert "Workspace" in repr(workspace)


def test_limits_are_checked_when_they_are_made() -> None:
    with pytest.raises(ValueError, match="max_file_bytes"):
        WorkspaceLimits(max_file_bytes=0)
