import time

from penstock.cache.workspace.ignore import IgnoreRules, default_rules, parse_ignore


def test_the_deepest_file_with_a_match_decides() -> None:
    rules = IgnoreRules().below("", ["*.log", "/top"]).below("a/b", ["!keep.log", "top"])
    assert rules.ignores("x.log", is_dir=False)
    assert rules.ignores("a/b/x.log", is_dir=False)
    assert not rules.ignores("a/b/keep.log", is_dir=False)
    assert rules.ignores("top", is_dir=False)
    assert not rules.ignores("a/top", is_dir=False)
    assert rules.ignores("a/b/c/top", is_dir=True)


def test_folder_patterns_match_folders_only() -> None:
    rules = IgnoreRules().below("", ["build/"])
    assert rules.ignores("a/build", is_dir=True)
    assert not rules.ignores("a/build", is_dir=False)


def test_defaults_can_be_brought_back() -> None:
    assert default_rules().ignores("a/node_modules", is_dir=True)
    assert not default_rules().below("", ["!node_modules/"]).ignores("node_modules", is_dir=True)


def test_bad_patterns_are_passed_over() -> None:
    rules = IgnoreRules().below("", ["foo\\", "", "   ", "# comment", "*.log"])
    assert rules.ignores("x.log", is_dir=False)
    assert not rules.ignores("foo", is_dir=False)
    assert IgnoreRules().below("", ["# only"]).levels == ()


def test_hostile_patterns_cost_little() -> None:
    patterns = ["*a" * 30, "a/" + "**/" * 20 + "b", "[" * 600, "*" * 100]
    rules = IgnoreRules().below("", [*patterns, "*a*a*b"])
    start = time.perf_counter()
    assert not rules.ignores("/".join(["a" * 200] * 10) + "!", is_dir=False)
    assert time.perf_counter() - start < 1


def test_ignore_files_are_split_like_git_does() -> None:
    assert parse_ignore(b"\xef\xbb\xbfa\r\nb\n\xff") == ["a", "b", "\udcff"]


def test_what_a_folder_above_matches_does_not_speak_for_what_is_in_it() -> None:
    """As git has it: the folder is brought back, what another pattern ignores in it is not."""
    rules = IgnoreRules().below("", ["**/b", "!d.log"])
    assert rules.ignores("d.log/b", is_dir=True)
    assert not rules.ignores("d.log", is_dir=True)


def test_every_folder_is_brought_back_by_a_star_and_a_slash() -> None:
    rules = IgnoreRules().below("", ["*.log", "!*/"])
    assert not rules.ignores("d.log", is_dir=True)
    assert not rules.ignores("a/d.log", is_dir=True)
    assert rules.ignores("a/d.log", is_dir=False)
