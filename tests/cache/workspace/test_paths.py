from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.errors import InvalidPath, OutsideWorkspace, PenstockError
from penstock.cache.workspace.paths import Flavour, PathRequest, RootPath, collapse, display_of, enter_root, parse_path

ROOT = RootPath("/w/project", "/real/w/project")
OTHER = RootPath("/w/other", "/w/other")
WINDOWS = RootPath("C:/w/project", "C:/w/project")


def parts_of(path: str, *roots: RootPath, flavour: Flavour = Flavour.POSIX) -> tuple[int, tuple[str, ...]]:
    request = parse_path(path, roots or (ROOT, OTHER), flavour)
    return request.root, request.parts


@pytest.mark.parametrize(
    ("path", "root", "parts"),
    [
        ("a/b", 0, ("a", "b")),
        ("./a//b/", 0, ("a", "b")),
        (".", 0, ()),
        ("a/../b", 0, ("a", "..", "b")),
        ("/w/project", 0, ()),
        ("/w/project/", 0, ()),
        ("/w/project/a", 0, ("a",)),
        ("/real/w/project/a", 0, ("a",)),
        ("/w/other/a", 1, ("a",)),
        ("/w/project/../other/a", 1, ("a",)),
        ("/x/../w/other/a", 1, ("a",)),
        ("file:///w/project/a%20b", 0, ("a b",)),
        ("...", 0, ("...",)),
        ("a\\b", 0, ("a\\b",)),
    ],
)
def test_a_path_is_placed_under_its_root(path: str, root: int, parts: tuple[str, ...]) -> None:
    assert parts_of(path) == (root, parts)


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../x",
        "a/../..",
        "/",
        "/w",
        "/w/project2",
        "/w/project2/x",
        "/w/project.bak",
        "/w/projectile",
        "/W/project/a",
        "/w/project/..",
    ],
)
def test_a_path_beside_the_roots_is_outside(path: str) -> None:
    with pytest.raises(OutsideWorkspace):
        parts_of(path)


def test_everything_is_under_the_root_of_the_file_system() -> None:
    slash = RootPath("/", "/")
    assert parts_of("/etc/x", slash) == (0, ("etc", "x"))
    assert display_of((), slash, 1) == "/"
    assert display_of(("etc",), slash, 1) == "/etc"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "CON",
            "con.txt",
            "a/NUL",
            "aux .c",
            "COM1",
            "com\u00b9.x",
            "LPT9.",
            "f.txt:s",
            "f.txt::$DATA",
            "name ",
            "name.",
            "a./b",
        ),
        *("\\\\server\\share", "\\\\?\\C:\\x", "\\\\.\\pipe\\x", "\\??\\x", "C:foo", "\\foo", "/foo", "CONIN$"),
    ],
)
def test_windows_names_that_are_no_files_are_refused(path: str) -> None:
    with pytest.raises(InvalidPath):
        parts_of(path, WINDOWS, flavour=Flavour.WINDOWS)


def test_windows_paths_are_placed_without_regard_to_case() -> None:
    assert parts_of("c:\\W\\PROJECT\\a\\b", WINDOWS, flavour=Flavour.WINDOWS) == (0, ("a", "b"))
    assert parts_of("a\\..\\b", WINDOWS, flavour=Flavour.WINDOWS) == (0, ("a", "..", "b"))
    with pytest.raises(OutsideWorkspace):
        parts_of("C:\\w\\project2\\a", WINDOWS, flavour=Flavour.WINDOWS)
    with pytest.raises(OutsideWorkspace):
        parts_of("D:\\w\\project\\a", WINDOWS, flavour=Flavour.WINDOWS)


def test_roots_on_folding_volumes_compare_without_case() -> None:
    assert parts_of("/W/Project/Ab", ROOT, flavour=Flavour.FOLDING) == (0, ("Ab",))


def test_the_first_root_displays_relative_and_the_others_absolute() -> None:
    assert display_of(("a", "b"), ROOT, 0) == "a/b"
    assert display_of((), ROOT, 0) == "."
    assert display_of(("a",), OTHER, 1) == "/w/other/a"
    assert display_of((), OTHER, 1) == "/w/other"


def test_collapse_removes_dots_lexically() -> None:
    assert collapse(("a", "..", "b", "c", "..")) == ("b",)
    assert collapse(("..", "a")) == ("a",)


@given(st.text(max_size=60) | st.text(alphabet="./ab~%\\:\0\n", max_size=40))
def test_any_text_gives_a_request_or_a_typed_error(path: str) -> None:
    try:
        request = parse_path(path, (ROOT, OTHER))
    except PenstockError:
        return
    assert isinstance(request, PathRequest)
    depth = 0
    for part in request.parts:
        assert part not in ("", ".")
        assert "/" not in part
        assert "\0" not in part
        depth += -1 if part == ".." else 1
        assert depth >= 0
    assert request.shown.isprintable() or not request.shown.isascii()


@given(st.lists(st.sampled_from(["a", "b", "..", "."]), max_size=8))
def test_a_request_by_absolute_path_equals_the_relative_one(components: list[str]) -> None:
    path = "/".join(components) or "."
    try:
        relative = parse_path(path, (ROOT,))
    except OutsideWorkspace:
        return
    absolute = parse_path(f"{ROOT.typed}/{path}", (ROOT,))
    assert replace(absolute, shown="") == replace(relative, shown="")


def test_links_are_placed_by_whole_components() -> None:
    assert enter_root("/w/project/a", [ROOT]) == (0, ("a",))
    assert enter_root("/w/project2/a", [ROOT]) is None
    assert enter_root("/w/project/../x", [ROOT]) == (0, ("..", "x"))
