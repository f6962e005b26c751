import pytest

from penstock.cache.errors import InvalidArgument, OutsideWorkspace, UnknownHandle
from tests.tools.conftest import Caller


def test_an_evicted_file_comes_back_by_its_handle(call: Caller) -> None:
    original = call.bodies(call("read", path="src/big.py", view="full"))
    answer = call("evict", targets="src/big.py")
    assert "src/big.py · evicted" in answer.text
    handle = answer.parts[0]["handle"]
    (call.root / "src/big.py").write_text("something else\n")
    assert call.bodies(call("restore", handle=handle)) == original


def test_a_dry_run_changes_nothing_and_says_what_would_leave(call: Caller) -> None:
    call("read", path="src/big.py", view="full")
    before = call.engine.session.total_cached_bytes()
    answer = call("evict", targets="src/big.py", dry_run=True)
    assert "would be evicted" in answer.text
    assert "a re-fetch costs" in answer.text
    assert call.engine.session.total_cached_bytes() == before


def test_receipts_that_die_are_named_and_prove_nothing_afterwards(call: Caller) -> None:
    receipt = call("read", path="notes.md", view="full").parts[0]["receipt"]
    assert f"receipts that die: {receipt}" in call("evict", targets="notes.md").text
    assert call("read", path="notes.md", have=receipt).parts[0]["view"] == "full"


def test_a_pinned_file_stays(call: Caller) -> None:
    call("read", path="notes.md")
    assert "notes.md pinned" in call("evict", pin="notes.md").text
    assert "notes.md · pinned" in call("evict", targets="notes.md").text
    assert "notes.md unpinned" in call("evict", unpin="notes.md").text
    assert "notes.md · evicted" in call("evict", targets="notes.md").text


def test_evicting_down_to_a_number_of_tokens_takes_the_coldest(call: Caller) -> None:
    for name in ("notes.md", "src/app.py", "src/big.py"):
        call("read", path=name, view="full")
    call("evict", to_tokens=0)
    assert call.engine.session.total_cached_tokens() == 0


def test_a_folder_takes_what_is_under_it(call: Caller) -> None:
    for name in ("notes.md", "src/app.py", "src/big.py"):
        call("read", path=name)
    text = call("evict", targets="src").text
    assert "src/app.py · evicted" in text
    assert "src/big.py · evicted" in text
    assert "notes.md" not in text


def test_nothing_to_do_is_an_error_that_names_the_arguments(call: Caller) -> None:
    with pytest.raises(InvalidArgument, match="targets"):
        call("evict")
    with pytest.raises(UnknownHandle):
        call("evict", targets="habcdefabcdef")
    with pytest.raises(OutsideWorkspace):
        call("evict", targets="../elsewhere")
