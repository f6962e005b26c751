"""Trees tell text from what is none, and never fail for what a file holds."""

from pathlib import Path

from tests.tools.conftest import Caller


def test_large_files_of_unknown_kind_are_told_apart_by_their_first_bytes(call: Caller, root: Path) -> None:
    (root / "blob").write_bytes(bytes(range(256)) * 40)
    (root / "words").write_text("a line of words\n" * 600)
    (root / "one-line.dat").write_text("x" * 9_000)
    (root / "empty").write_bytes(b"")
    (root / "known.so").write_bytes(b"\0" * 100)
    answer = call("read", path=".")
    assert not answer.is_error
    assert "blob binary, 10,240 bytes" in answer.text
    assert "known.so binary, 100 bytes" in answer.text
    assert "words ~2,667 tok" in answer.text
    assert "one-line.dat ~2,500 tok" in answer.text


def test_a_file_that_must_not_be_read_is_no_reason_to_fail(call: Caller, root: Path) -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "QUFB" * 2_000
    (root / "notes").write_text(key)
    assert not call("read", path=".").is_error
