import time

import pytest

from penstock.cache.errors import InvalidArgument
from penstock.cache.index.glob import path_filter


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("src", "src/a.py", True),
        ("src/", "src/a/b.py", True),
        ("./src", "src/a.py", True),
        ("src", "source/a.py", False),
        ("src/a.py", "src/a.py", True),
        ("*.py", "a/b.py", True),
        ("*.py", "a/b.pyc", False),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "src/x/y/a.py", True),
        ("src/*.py", "src/x/a.py", False),
        ("src/*", "src/x/a.py", True),
        ("**/test_*.py", "test_a.py", True),
        ("{src,lib}/**", "lib/x.c", True),
        ("*.{js,ts}", "q/a.ts", True),
        ("[!a]*.c", "b.c", True),
        ("lib/[a-c].rs", "lib/b.rs", True),
        ("a/**/**/b", "a/x/b", True),
        ("a?c", "abc", True),
        ("a.c", "abc", False),
        ("src\\app", "src/app/a.py", True),
    ],
)
def test_globs_match_names_folders_and_all_below(pattern: str, path: str, *, is_match: bool) -> None:
    accepts = path_filter(pattern)
    assert accepts is not None
    assert accepts(path) is is_match


@pytest.mark.parametrize("pattern", ["", ".", "**", "*", "**/*", " ./ "])
def test_a_pattern_for_everything_filters_nothing(pattern: str) -> None:
    assert path_filter(pattern) is None


def test_no_pattern_is_slow() -> None:
    hostile = [("*a" * 200 + "b", "a" * 4_000), ("**/a/" * 150 + "b", "a/" * 2_000), ("{" * 500, "{"), ("[" * 500, "[")]
    began = time.process_time()
    for pattern, path in hostile:
        accepts = path_filter(pattern)
        assert accepts is None or accepts(path) in (True, False)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("pattern", ["x" * 2_000, "{a,b}" * 20])
def test_an_excessive_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidArgument):
        path_filter(pattern)
