import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import Connect
from tests.pipe import SERVER, Era, bodies_of, parts_of

TOOL_NAMES = ["read", "search", "compress", "evict", "restore", "session", "memory", "status"]


def test_every_tool_is_listed_and_answers_in_both_eras(connect: Connect, era: Era) -> None:
    client = connect(era=era)
    assert [tool["name"] for tool in client.tools()] == TOOL_NAMES
    assert client.text("read", path="src/app.py").startswith("src/app.py · full · 6 lines")
    assert "src/app.py:" in client.text("search", query="greet")
    compressed = client.call("compress", source="\n".join(f"line {i}" for i in range(3000)), budget=200)
    handle = parts_of(compressed)[0]["handle"]
    assert "line 2999" in client.text("restore", handle=handle, lines="-1")
    assert "src/app.py" in client.text("evict", targets="src/app.py")
    assert "pressure NORMAL" in client.text("status")


def test_two_runs_list_the_same_bytes_and_instructions(connect: Connect, era: Era) -> None:
    first, second = connect(era=era), connect(era=era)
    assert json.dumps(first.tools()) == json.dumps(second.tools())
    assert first.server["instructions"] == second.server["instructions"]


def test_a_cancelled_call_is_not_answered_and_the_next_one_is(connect: Connect, root: Path, era: Era) -> None:
    for i in range(3000):
        (root / f"file_{i}.py").write_text(f"def name_{i}() -> int:\n    return {i}\n" * 20)
    client = connect(era=era)
    slow = client.start("tools/call", {"name": "search", "arguments": {"query": "name"}})
    client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": slow}})
    assert client.text("read", path="notes.md").startswith("notes.md · full")
    assert not client.has_answer(slow)


def test_junk_lines_do_not_stop_the_server(connect: Connect, era: Era) -> None:
    client = connect(era=era)
    for junk in (
        b"\n",
        b"{\n",
        b"[1, 2]\n",
        b"\xff\xfe\x00\n",
        b"null\n",
        b'{"jsonrpc": "2.0"}\n',
        b"[" * 100_000 + b"\n",
        b'{"id": 1e999}\n',
    ):
        client.send_raw(junk)
    assert "Notes" in client.text("read", path="notes.md")


def test_a_request_line_above_the_cap_is_answered_with_an_error(connect: Connect) -> None:
    client = connect()
    request = client.start("tools/call", {"name": "compress", "arguments": {"source": "x" * (9 << 20)}})
    assert "refused" in client.wait(request)["error"]["message"]
    assert "Notes" in client.text("read", path="notes.md")


def test_an_answer_of_five_megabytes_arrives_whole(connect: Connect, root: Path, era: Era) -> None:
    text = "".join(f"{i:07d} {'payload ' * 8}\n" for i in range(70_000))
    (root / "five.txt").write_text(text)
    client = connect(era=era, client="penstock")
    result = client.call("read", path="five.txt", view="full")
    assert "".join(bodies_of(result)) == text


def test_end_of_file_ends_the_server_at_once(connect: Connect, era: Era) -> None:
    client = connect(era=era)
    client.start("tools/call", {"name": "search", "arguments": {"query": "greet"}})
    start = time.monotonic()
    assert client.close() == 0
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_its_exit_code(connect: Connect, number: signal.Signals) -> None:
    client = connect()
    client.text("read", path="notes.md")
    client.signal(number)
    assert client.process.wait(5) == 128 + number


def test_the_parents_death_ends_the_server_even_if_stdin_stays_open(root: Path, tmp_path: Path) -> None:
    """A sibling may hold the pipe: the server must notice by itself that its parent is gone."""
    command = [*SERVER, "serve", "--root", str(root), "--data-dir", str(tmp_path / "data")]
    info = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    hello = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": info})
    program = (
        "import os, subprocess, sys\n"
        "r, w = os.pipe(); os.set_inheritable(w, True)\n"
        f"p = subprocess.Popen({command!r}, stdin=r, stdout=subprocess.PIPE, close_fds=False)\n"
        f"os.write(w, {hello!r}.encode() + b'\\n'); p.stdout.readline()\n"
        "print(p.pid, flush=True); sys.stdin.readline(); os._exit(0)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdin is not None
    server = int(parent.stdout.readline())
    parent.stdin.write(b"\n")
    parent.stdin.close()
    parent.wait(10)
    parent.stdout.close()
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(server).wait(20)
    assert not psutil.pid_exists(server)


def test_the_tool_definitions_have_no_titles_and_refuse_unknown_arguments(connect: Connect) -> None:
    for tool in connect().tools():
        schema = tool["inputSchema"]
        assert schema["additionalProperties"] is False
        assert '"title"' not in json.dumps(tool)
        assert "outputSchema" not in tool
