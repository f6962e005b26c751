import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Connect
from tests.pipe import PipeClient


@pytest.fixture
def hostile(root: Path, tmp_path: Path) -> Path:
    """The workspace with everything in it that has hurt a server before."""
    (tmp_path / "outside.txt").write_text("outside\n")
    (root / "binary.bin").write_bytes(b"\x7fELF\x00\x01" * 100)
    with open(root / "sparse.log", "wb") as file:
        file.truncate(20 << 30)
    os.mkfifo(root / "pipe")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "up").symlink_to("..")
    Path(os.fsdecode(os.fsencode(root) + b"/bad-\xff.txt")).write_text("odd name\n")
    return root


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("read", {"path": "missing.py"}, "not_found"),
    ("read", {"path": "src", "view": "full"}, "tree"),
    ("read", {"path": "binary.bin"}, "binary_file"),
    ("read", {"path": "sparse.log", "view": "outline"}, "file_too_large"),
    ("read", {"path": "pipe"}, "not_a_regular_file"),
    ("read", {"path": "../outside.txt"}, "outside_workspace"),
    ("read", {"path": "link.txt"}, "outside_workspace"),
    ("read", {"path": "up/outside.txt"}, "outside_workspace"),
    ("read", {"path": "src/../../outside.txt"}, "outside_workspace"),
    ("read", {"path": "/etc/passwd"}, "outside_workspace"),
    ("read", {"path": "a\x00b"}, "invalid_path"),
    ("read", {"path": ""}, "invalid_path"),
    ("read", {"path": "x" * 5000}, "invalid_path"),
    ("read", {"path": "notes.md", "lines": "0-3"}, "invalid_argument"),
    ("read", {"path": "notes.md", "lines": "900-"}, "invalid_argument"),
    ("read", {"path": "notes.md", "veiw": "full"}, "invalid_argument"),
    ("read", {"path": 7}, "invalid_argument"),
    ("read", {}, "invalid_argument"),
    ("read", {"path": []}, "invalid_argument"),
    ("search", {"query": "x" * (1 << 20)}, "invalid_argument"),
    ("search", {"query": "  "}, "invalid_argument"),
    ("search", {"query": "a", "k": 0}, "invalid_argument"),
    ("restore", {"handle": "hffffffffffff"}, "unknown_handle"),
    ("restore", {"handle": "../../etc/passwd"}, "unknown_handle"),
    ("compress", {"source": "text", "kind": "no such kind"}, "invalid_argument"),
    ("evict", {"targets": "hffffffffffff"}, "unknown_handle"),
    ("evict", {"to_tokens": -1}, "invalid_argument"),
    ("status", {"detail": "everything"}, "invalid_argument"),
]


def timed_call(client: PipeClient, tool: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """Return a call's result and how long it took."""
    start = time.monotonic()
    return client.call(tool, **arguments), time.monotonic() - start


@pytest.mark.usefixtures("hostile")
def test_bad_input_gets_a_typed_error_that_names_the_next_call(connect: Connect, tmp_path: Path) -> None:
    client = connect()
    client.text("read", path="notes.md")
    client.text("search", query="penstock")
    for tool, arguments, code in CASES:
        result, elapsed = timed_call(client, tool, arguments)
        if elapsed >= 1.0:  # a busy machine may have had other things to do; a hang happens twice
            result, elapsed = timed_call(client, tool, arguments)
        text = result["content"][0]["text"]
        if code == "tree":
            assert "· tree ·" in text
            continue
        assert result["isError"], (tool, arguments, text[:200])
        assert text.startswith(f"error {code}: "), (tool, str(arguments)[:80], text[:300])
        assert "Next: " in text or code == "outside_workspace", text
        assert str(tmp_path / "outside") not in text
        assert len(text) < 2000
        assert elapsed < 1.0, (tool, str(arguments)[:80], elapsed)
        assert client.text("read", path="notes.md").startswith("notes.md")


@pytest.mark.usefixtures("hostile")
def test_an_undecodable_name_is_shown_escaped_and_can_be_asked_for_as_shown(connect: Connect) -> None:
    client = connect()
    assert "bad-\\xff.txt" in client.text("read", path=".")
    assert "odd name" in client.text("read", path="bad-\\xff.txt")
    assert "odd name" in client.text("search", query="odd name")


@pytest.mark.usefixtures("hostile")
def test_lines_of_a_twenty_gigabyte_file_are_refused_or_read_but_never_hang(connect: Connect) -> None:
    client = connect()
    client.text("read", path="notes.md")
    start = time.monotonic()
    result = client.call("read", path="sparse.log", lines="1-5")
    assert time.monotonic() - start < 1.0
    assert result["isError"]
    assert "binary_file" in result["content"][0]["text"]
