"""`penstock run`: a command's own semantics, its output shortened."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.cache.errors import StoreUnavailable
from penstock.cache.handles import HandleTable
from penstock.cache.payloads import PayloadStore
from penstock.cache.spool_sqlite import SqliteSpool
from penstock.server.config import load_config
from penstock.server.run import RunParts, run
from penstock.server.run_history import RunHistory
from penstock.server.stores import store_dir
from penstock.server.vocabulary import vocabulary

PYTHON = sys.executable
COMMAND = [PYTHON, "-m", "penstock.server", "run", "--"]
NOISY = "for i in range(900): print('test_%d PASSED [ 10%%]' % i)\nprint('=== 900 passed in 1.00s ===')"


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "PENSTOCK_DATA_DIR": str(data_dir), "PENSTOCK_ROOT": str(data_dir.parent), **more}


def wrapped(
    data_dir: Path, *argv: str, env: dict[str, str] | None = None, **options: Any
) -> "subprocess.CompletedProcess[bytes]":
    env = env or environment(data_dir)
    return subprocess.run([*COMMAND, *argv], env=env, capture_output=True, timeout=60, check=False, **options)


def parts_of(data_dir: Path) -> RunParts:
    """Open what `penstock run` opens for the workspace of these tests."""
    config = load_config(flags={"data_dir": data_dir}, env={}, home=data_dir)
    store = store_dir(config, data_dir.parent)
    spool = SqliteSpool(store)
    return RunParts(PayloadStore(HandleTable(), spool), vocabulary(), RunHistory(store / "runs.json"), 2500, spool.close)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def started(data_dir: Path) -> Iterator["list[subprocess.Popen[bytes]]"]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_the_exit_code_is_the_command_s(data_dir: Path, code: int) -> None:
    assert wrapped(data_dir, "sh", "-c", f"exit {code}").returncode == code


def test_death_by_a_signal_is_128_and_its_number(data_dir: Path) -> None:
    assert wrapped(data_dir, "sh", "-c", "kill -KILL $$").returncode == 128 + signal.SIGKILL


def test_short_output_is_printed_byte_for_byte_in_order(data_dir: Path) -> None:
    done = wrapped(data_dir, "sh", "-c", r"echo one; echo two >&2; printf 'three\377\r\n'; echo four >&2")
    assert done.stdout == b"one\ntwo\nthree\xff\r\nfour\n"
    assert done.stderr == b""
    assert not data_dir.exists()


def test_long_output_is_compressed_and_its_original_restored(data_dir: Path) -> None:
    done = wrapped(data_dir, PYTHON, "-c", NOISY)
    original = subprocess.run([PYTHON, "-c", NOISY], capture_output=True, check=True).stdout
    facts, body = done.stdout.decode().split("\n", 1)
    assert facts.startswith("pytest output · compress · ")
    assert "=== 900 passed in 1.00s ===" in body
    assert len(done.stdout) < len(original) / 10
    parts = parts_of(data_dir)
    assert parts.payloads.load(facts.rsplit(" ", 1)[1]).data == original
    parts.close()


def test_the_facts_name_a_failure(data_dir: Path) -> None:
    done = wrapped(data_dir, PYTHON, "-c", NOISY + "\nraise SystemExit(3)")
    assert done.returncode == 3
    assert " · exit 3 · " in done.stdout.decode().split("\n")[0]


def test_stdin_is_passed_on(data_dir: Path) -> None:
    assert wrapped(data_dir, "cat", input=b"from stdin\n").stdout == b"from stdin\n"


def test_a_command_that_is_not_there_is_127(data_dir: Path) -> None:
    done = wrapped(data_dir, "no-such-command-anywhere")
    assert done.returncode == 127
    assert b"no-such-command-anywhere" in done.stderr


def test_a_file_that_cannot_be_executed_is_126(data_dir: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert wrapped(data_dir, str(script)).returncode == 126


def test_no_command_is_a_usage_error(data_dir: Path) -> None:
    assert wrapped(data_dir).returncode == 2


def test_raw_passes_straight_through(data_dir: Path) -> None:
    done = wrapped(data_dir, PYTHON, "-c", NOISY, env=environment(data_dir, PENSTOCK_RAW="1"))
    assert done.stdout.count(b"PASSED") == 900
    assert not data_dir.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_command(
    data_dir: Path, started: "list[subprocess.Popen[bytes]]", tmp_path: Path, number: signal.Signals
) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    child = (
        f"import signal, sys, time\nsignal.signal({int(number)}, lambda *_: (print('got it'), sys.exit(9)))\n"
        f"open({str(ready)!r}, 'w').close()\ntime.sleep(60)"
    )
    process = subprocess.Popen(
        [*COMMAND, PYTHON, "-c", child],
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    started.append(process)
    ready.open().close()  # opens when the command has installed its handler
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (9, b"got it\n")


def test_a_descendant_that_keeps_the_pipe_does_not_hold_the_result(data_dir: Path) -> None:
    begin = time.monotonic()
    done = wrapped(data_dir, "sh", "-c", "sleep 30 & echo started; exit 4")
    assert (done.returncode, done.stdout) == (4, b"started\n")
    assert time.monotonic() - begin < 20


def test_large_output_needs_little_memory(data_dir: Path) -> None:
    """150 MB go through a wrapper that may allocate 200: the vocabulary alone takes some 130 while it loads."""
    limited = (
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_DATA, (200 << 20, 200 << 20))\n"
        "from penstock.server.cli import main\nsys.exit(main())"
    )
    child = (
        "import sys\nblock = ''.join(f'line {i:07d} of the long output\\n' for i in range(40000))\n"
        "for _ in range(120): sys.stdout.write(block)"
    )
    argv = [PYTHON, "-c", limited, "run", "--", PYTHON, "-c", child]
    done = subprocess.run(argv, env=environment(data_dir), capture_output=True, timeout=120, check=False)
    assert done.stderr == b""
    assert b"original in " in done.stdout
    assert b"of 4,800,000 lines" in done.stdout
    assert len(done.stdout) < 20_000


def test_output_is_shown_whole_when_its_original_cannot_be_kept(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    def no_store() -> RunParts:
        raise StoreUnavailable("the disk is full")

    code = run([PYTHON, "-c", NOISY], open_parts=no_store, is_raw=False)
    seen = capfdbinary.readouterr()
    assert code == 0
    assert seen.out.count(b"PASSED") == 900
    assert b"the disk is full" in seen.err


def test_a_reader_that_leaves_changes_nothing(data_dir: Path) -> None:
    command = f"{PYTHON} -m penstock.server run -- sh -c 'seq 1 200; exit 5' | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env=environment(data_dir), capture_output=True, timeout=60, check=False)
    assert done.stdout.decode().split() == ["1", "5"]


def test_a_budget_and_a_kind_are_taken(data_dir: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    argv = [PYTHON, "-c", "for i in range(2000): print('row', i, 'of things')"]
    assert run(argv, open_parts=lambda: parts_of(data_dir), budget=120, kind="log", is_raw=False) == 0
    facts = capfdbinary.readouterr().out.decode().split("\n")[0].split(" · ")
    assert facts[0] == "log output"
    assert int(facts[3].split()[0]) <= 120


def test_a_second_run_says_what_changed(data_dir: Path, tmp_path: Path) -> None:
    script = tmp_path / "t.py"
    script.write_text(NOISY)
    wrapped(data_dir, PYTHON, str(script))
    script.write_text(NOISY.replace("print('===", "print('FAILED t.py::test_x - planted')\nprint('==="))
    again = wrapped(data_dir, PYTHON, str(script)).stdout.decode()
    assert "the output before: 1 telling lines new, 0 gone" in again
    assert "FAILED t.py::test_x - planted" in again


def test_a_damaged_history_is_no_history(tmp_path: Path) -> None:
    for content in ("{", "[1]", '{"a": 1}', ""):
        path = tmp_path / "runs.json"
        path.write_text(content)
        history = RunHistory(path)
        assert history.last(["a"], "/x") == ""
        history.remember(["a"], "/x", "h12")
        assert history.last(["a"], "/x") == "h12"
        assert history.last(["a"], "/y") == ""


def test_a_history_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    history = RunHistory(tmp_path / "nowhere" / "runs.json")
    history.remember(["a"], "/x", "h12")
    assert history.last(["a"], "/x") == ""


def test_a_history_is_bounded_and_private(tmp_path: Path) -> None:
    history = RunHistory(tmp_path / "runs.json")
    for i in range(510):
        history.remember([str(i)], "/x", f"h{i}")
    assert history.last(["0"], "/x") == ""
    assert history.last(["509"], "/x") == "h509"
    assert (tmp_path / "runs.json").stat().st_mode & 0o777 == 0o600


def on_terminal(data_dir: Path, argv: list[str], *, answer_to: bytes = b"", answer: bytes = b"") -> tuple[bytes, int]:
    """Run `argv` on a terminal of its own, typing `answer` when `answer_to` is seen; return what it showed, and the status."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(argv, env=environment(data_dir), stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    seen = b""
    try:
        while select.select([leader], [], [], 30)[0]:
            seen += os.read(leader, 4096)
            if answer and answer_to in seen:
                os.write(leader, answer)
                answer = b""
    except OSError:
        pass  # Linux's way to say that nobody has the terminal any more
    finally:
        os.close(leader)
    return seen, process.wait(timeout=30)


def test_a_question_is_seen_before_it_is_answered(data_dir: Path) -> None:
    """The prompt has no newline, and the command's output is only printed at its end."""
    asking = [*COMMAND, PYTHON, "-c", "print('begin'); name = input('your name? '); print('hello', name)"]
    seen, code = on_terminal(data_dir, asking, answer_to=b"your name? ", answer=b"bob\n")
    assert code == 0
    assert b"hello bob" in seen


def test_a_program_that_takes_the_screen_has_it_at_once(data_dir: Path) -> None:
    full = "import sys; print('\x1b[?1049h[screen]', flush=True); x = input(); print('\x1b[?1049l' + x)"
    seen, code = on_terminal(data_dir, [*COMMAND, PYTHON, "-c", full], answer_to=b"[screen]", answer=b"quit\n")
    assert code == 0
    assert seen.count(b"[screen]") == 1
    assert b"\x1b[?1049lquit" in seen
