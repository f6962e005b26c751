import os
import subprocess
from pathlib import Path

import pytest

from penstock.cache.errors import InvalidArgument, PathNotFound
from penstock.tools.call import AnswerLimit
from tests.tools.conftest import Caller


def facts(text: str) -> list[str]:
    return text.split("\n", 1)[0].split(" · ")


def test_auto_sends_small_files_whole(call: Caller) -> None:
    answer = call("read", path="src/app.py")
    assert facts(answer.text)[:2] == ["src/app.py", "full"]
    assert call.bodies(answer) == [(call.root / "src/app.py").read_text()]


def test_auto_outlines_larger_code_and_its_spans_are_lines(call: Caller) -> None:
    answer = call("read", path="src/big.py")
    assert facts(answer.text)[1] == "outline"
    assert "lossy" in facts(answer.text)
    line = next(line for line in answer.text.split("\n") if "function_57" in line)
    again = call("read", path="src/big.py", lines=line.split()[0])
    assert call.bodies(again)[0].startswith("def function_57(")


def test_auto_sends_other_large_text_dense(call: Caller) -> None:
    (call.root / "long.txt").write_text("".join(f"entry {i} says something about topic {i % 17}\n" for i in range(2000)))
    answer = call("read", path="long.txt")
    assert facts(answer.text)[1] == "dense"
    assert answer.parts[0]["lossy"] is True


def test_a_budget_that_holds_the_file_gets_the_file(call: Caller) -> None:
    assert facts(call("read", path="src/big.py", budget=20_000).text)[1] == "full"


@pytest.mark.parametrize("view", ["full", "outline", "map", "dense", "compact", "reference"])
def test_an_explicit_view_is_never_replaced(call: Caller, view: str) -> None:
    for name in ("src/app.py", "src/big.py", "notes.md"):
        assert facts(call("read", path=name, view=view).text)[1] == view


def test_a_lossy_view_has_a_handle_that_brings_the_bytes_back(call: Caller) -> None:
    answer = call("read", path="src/big.py", view="outline")
    handle = answer.parts[0]["handle"]
    (call.root / "src/big.py").write_text("gone\n")
    restored = call("restore", handle=handle)
    assert "".join(call.bodies(restored)).startswith("def function_0(")


def test_a_receipt_proves_unchanged_once(call: Caller) -> None:
    receipt = call("read", path="notes.md", view="full").parts[0]["receipt"]
    stub = call("read", path="notes.md", have=receipt)
    assert stub.parts[0]["view"] == "unchanged"
    assert "The penstock" not in stub.text
    again = call("read", path="notes.md", have=receipt)
    assert again.parts[0]["view"] == "full"


def test_without_a_receipt_content_always_comes(call: Caller) -> None:
    for _ in range(4):
        assert call("read", path="notes.md").parts[0]["view"] == "full"


def test_a_repeat_right_after_a_stub_gets_the_whole_text(call: Caller) -> None:
    receipt = call("read", path="src/big.py", view="full").parts[0]["receipt"]
    assert call("read", path="src/big.py", have=receipt).parts[0]["view"] == "unchanged"
    assert call("read", path="src/big.py").parts[0]["view"] == "full"


def test_fresh_ignores_receipts(call: Caller) -> None:
    receipt = call("read", path="notes.md", view="full").parts[0]["receipt"]
    assert call("read", path="notes.md", have=receipt, fresh=True).parts[0]["view"] == "full"


def test_a_changed_file_comes_as_a_diff_against_the_receipt(call: Caller) -> None:
    path = call.root / "src/big.py"
    receipt = call("read", path="src/big.py", view="full").parts[0]["receipt"]
    path.write_text(path.read_text().replace("value + 57\n", "value - 57\n"))
    delta = call("read", path="src/big.py", have=receipt)
    assert delta.parts[0]["view"] == "diff"
    assert "-    return value + 57\n+    return value - 57\n" in delta.text
    assert call("read", path="src/big.py", have=delta.parts[0]["receipt"]).parts[0]["view"] == "unchanged"


def test_an_explicit_full_is_never_answered_by_a_diff(call: Caller) -> None:
    receipt = call("read", path="notes.md", view="full").parts[0]["receipt"]
    (call.root / "notes.md").write_text("# Notes\n\nOther.\n")
    assert call.bodies(call("read", path="notes.md", view="full", have=receipt)) == ["# Notes\n\nOther.\n"]


def test_a_receipt_of_another_file_proves_nothing(call: Caller) -> None:
    receipt = call("read", path="notes.md", view="full").parts[0]["receipt"]
    assert call("read", path="src/app.py", have=receipt).parts[0]["view"] == "full"


def test_diff_without_a_receipt_is_against_the_last_commit(call: Caller) -> None:
    git = ["git", "-C", str(call.root), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    (call.root / "notes.md").write_text("# Notes\n\nChanged.\n")
    answer = call("read", path="notes.md", view="diff")
    assert "+Changed." in answer.text
    assert "against git HEAD" in answer.text


def test_diff_without_any_version_says_what_to_do(call: Caller) -> None:
    with pytest.raises(InvalidArgument, match="view=full"):
        call("read", path="notes.md", view="diff")


def test_pages_follow_one_another_and_add_up(call: Caller) -> None:
    call.limit = AnswerLimit(chars=3000, bytes=3000, tokens=2000)
    text, arguments = "", {"view": "full"}
    for _ in range(40):
        answer = call("read", path="src/big.py", **arguments)
        assert len(answer.text) <= 3000
        text += "".join(call.bodies(answer))
        tail = answer.text.rsplit("\n", 1)[1]
        if not tail.startswith("next lines="):
            break
        arguments = {"lines": tail.split()[1].removeprefix("lines=")}
    assert text == (call.root / "src/big.py").read_text()


def test_a_line_too_long_for_one_answer_is_continued_by_its_columns(call: Caller) -> None:
    line = "".join(f"é{i:06d}" for i in range(4000))
    (call.root / "one.txt").write_text(f"first\n{line}\nlast\n")
    call.limit = AnswerLimit(chars=9000, bytes=9000, tokens=9000)
    text, arguments = "", {"view": "full"}
    for _ in range(20):
        answer = call("read", path="one.txt", **arguments)
        text += "".join(call.bodies(answer))
        tail = answer.text.rsplit("\n", 1)[1]
        if not tail.startswith("next lines="):
            break
        arguments = {"lines": tail.split()[1].removeprefix("lines=")}
    assert text == f"first\n{line}\nlast\n"


def test_several_ranges_are_parts_of_their_own(call: Caller) -> None:
    answer = call("read", path="src/big.py", lines="1-3,11-13,-2")
    assert [tuple(part["lines"]) for part in answer.parts] == [(1, 3), (11, 13), (999, 1000)]
    assert call.bodies(answer)[1].startswith("def function_2(")


def test_several_paths_share_one_answer_and_errors_stand_in_their_place(call: Caller) -> None:
    answer = call("read", path=["notes.md", "missing.md", "src/app.py"])
    assert [part["path"] for part in answer.parts] == ["notes.md", "src/app.py", "missing.md"]
    assert answer.parts[2]["view"] == "error"
    assert "error not_found" in answer.text
    assert not answer.is_error
    assert call("read", path=["missing.md", "also.md"]).is_error


def test_paths_that_do_not_fit_are_named_as_the_next_call(call: Caller) -> None:
    call.limit = AnswerLimit(chars=9000, bytes=9000, tokens=4000)
    for i in range(6):
        (call.root / f"f{i}.txt").write_text(f"file {i}\n" * 200)
    answer = call("read", path=[f"f{i}.txt" for i in range(6)], view="full")
    assert "next path=[" in answer.text.rsplit("\n", 1)[1]


def test_a_directory_is_a_tree_whose_lines_begin_with_paths(call: Caller) -> None:
    answer = call("read", path=".")
    lines = call.bodies(answer)[0].splitlines()
    assert any(line.startswith("src/ ") for line in lines)
    assert any(line.startswith("src/app.py ") and line.endswith("tok") for line in lines)


def test_an_empty_file_is_full_and_empty(call: Caller) -> None:
    (call.root / "empty.txt").write_bytes(b"")
    answer = call("read", path="empty.txt")
    assert facts(answer.text)[:2] == ["empty.txt", "full"]
    assert call.bodies(answer) == [""]


def test_the_same_file_under_another_spelling_is_the_same_file(call: Caller) -> None:
    one = call("read", path="src/app.py", view="full")
    other = call("read", path=f"{call.root}/src/../src/app.py", view="full")
    assert one.parts[0]["sha256"] == other.parts[0]["sha256"]
    assert other.parts[0]["path"] == "src/app.py"


def test_every_change_before_the_call_is_seen(call: Caller) -> None:
    path = call.root / "notes.md"
    for i in range(30):
        stat = path.stat()
        path.write_text(f"version {i:04d}\n")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert call.bodies(call("read", path="notes.md")) == [f"version {i:04d}\n"]


def test_bytes_that_are_no_text_encoding_are_shown_and_marked(call: Caller) -> None:
    (call.root / "latin.txt").write_bytes("grün\n".encode("latin-1"))
    answer = call("read", path="latin.txt")
    assert "latin-1 shown as text, do not edit from it" in answer.text
    assert call.bodies(answer) == ["grün\n"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_view_that_was_saved_over_a_file_is_told(call: Caller, end: str) -> None:
    text = end.join(["def first():", "… 214 lines (12-225) …", "def last():", ""])
    (call.root / "saved.py").write_bytes(text.encode())
    whole, part = call("read", path="saved.py", view="full").text, call("read", path="saved.py", lines="1-2").text
    for answer in (whole, part):
        assert "holds marks of omission" in answer.splitlines()[0]
        assert "… 214 lines (12-225) …" in answer
    (call.root / "quoted.md").write_text("It says … and so on.\n", "utf-8")
    assert "marks" not in call("read", path="quoted.md", view="full").text


def test_invisible_characters_are_counted(call: Caller) -> None:
    (call.root / "trap.md").write_text("harmless\u202e text\u200b\n", encoding="utf-8")
    assert "contains 2 invisible characters" in call("read", path="trap.md").text


def test_a_missing_path_says_so(call: Caller) -> None:
    with pytest.raises(PathNotFound):
        call("read", path="nothing.py")


def test_files_above_the_cap_are_read_by_lines(call: Caller) -> None:
    path = call.root / "huge.log"
    with path.open("w") as file:
        for i in range(400_000):
            file.write(f"{i:08d} a line of a rather large log file\n")
    answer = call("read", path="huge.log", lines="200001-200003")
    assert call.bodies(answer)[0].startswith("00200000 a line")
    assert Path(path).stat().st_size > 10 << 20
