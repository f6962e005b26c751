from penstock.tools.filters.diff import score_diff
from penstock.tools.filters.filter import Document, Rank


def ranks(text: str) -> list[int]:
    return list(score_diff(Document(text)).ranks)


def test_a_removed_comment_is_no_file_header() -> None:
    got = ranks("diff --git a/x.sql b/x.sql\n--- a/x.sql\n+++ b/x.sql\n@@ -1,2 +1,1 @@\n--- old comment\n keep\n")
    assert got == [Rank.LAST, Rank.NOISE, Rank.DETAIL, Rank.REPEAT, Rank.DETAIL, Rank.PLAIN]


def test_every_file_keeps_its_first_changes_before_any_keeps_all() -> None:
    body = "".join(f"+line {i}\n" for i in range(10))
    got = ranks(f"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1,10 @@\n{body}")
    assert got[4:] == [Rank.DETAIL] * 6 + [Rank.CONTEXT] * 4


def test_lock_files_come_last() -> None:
    got = ranks("diff --git a/uv.lock b/uv.lock\n--- a/uv.lock\n+++ b/uv.lock\n@@ -1 +1 @@\n-a\n+b\n")
    assert got[3:] == [Rank.PLAIN] * 3


def test_totals_are_derived() -> None:
    one = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n@@ -1 +1,2 @@\n-a\n+b\n+c\n"
    assert score_diff(Document(one.format("x") + one.format("y"))).derived == ["2 files, +4 −2 lines"]
