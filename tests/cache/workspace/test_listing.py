from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.workspace.listing import TreeNode, plan_tree
from penstock.cache.workspace.values import FileStat, WalkedFile


def walked(rel: str, size: int = 1, mtime: int = 0) -> WalkedFile:
    return WalkedFile(rel, FileStat(1, 1, size, mtime, 0, 0o100644))


def test_folders_add_up_what_is_below_them() -> None:
    tree = plan_tree([walked("a/b/c", 3, 7), walked("a/d", 4, 5), walked("e", 1, 1)])
    assert tree == [
        TreeNode("a", 0, True, 2, 7, 7),
        TreeNode("a/b", 1, True, 1, 3, 7),
        TreeNode("a/b/c", 2, False, 1, 3, 7),
        TreeNode("a/d", 1, False, 1, 4, 5),
        TreeNode("e", 0, False, 1, 1, 1),
    ]


def test_a_shallow_tree_adds_up_what_is_deeper() -> None:
    tree = plan_tree([walked("a/b/c", 3), walked("a-b", 1)], max_depth=1)
    assert [(node.rel, node.files) for node in tree] == [("a", 1), ("a-b", 1)]


def test_a_tree_below_a_folder_counts_depth_from_there() -> None:
    tree = plan_tree([walked("a/b/c"), walked("x/y")], "a")
    assert [(node.rel, node.depth) for node in tree] == [("a/b", 0), ("a/b/c", 1)]
    assert plan_tree([walked("/other/a")], "/other") == [TreeNode("/other/a", 0, False, 1, 1, 0)]


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=5).map("/".join), unique=True, max_size=20))
def test_a_tree_is_in_pre_order_and_loses_no_byte(rels: list[str]) -> None:
    files = [walked(rel, size) for size, rel in enumerate(rels, 1)]
    tree = plan_tree(files)
    assert [node.rel.split("/") for node in tree] == sorted(node.rel.split("/") for node in tree)
    assert sum(node.size for node in tree if not node.is_dir) == sum(file.stat.size for file in files)
    assert sum(node.size for node in tree if node.depth == 0) == sum(file.stat.size for file in files)
