"""The official conformance suite over HTTP: every failure is one that wants a fixture tool which this server does not have.

The suite's own "everything" tools, prompts and resources (test_image_content and the like) are what the baselines list; a
scenario that fails without being listed, or that passes though it is listed, fails the run.
"""

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.timeout(180)]
HERE = Path(__file__).parent


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def address(tmp_path: Path, penstock_command: str, repository: Path) -> Iterator[str]:
    """A running HTTP server; the address of its endpoint."""
    port = free_port()
    data = str(tmp_path / "data")
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [
                penstock_command,
                "serve",
                "--http",
                f"127.0.0.1:{port}",
                "--http-open",
                "--root",
                str(repository),
                "--data-dir",
                data,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/mcp", server, tmp_path / "server.log")
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            server.terminate()
            server.wait(20)


def wait_until_it_answers(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            time.sleep(0.1)  # nothing to wait on: the port opens when the server is up
    pytest.fail(f"the server does not answer: {log.read_text()[-2000:]}")


@pytest.mark.parametrize(
    ("package", "baseline", "flags"),
    [
        ("@modelcontextprotocol/conformance", "conformance-baseline-0.1.16.yml", []),
        ("conformance-next", "conformance-baseline-0.2.0-alpha.12.yml", ["--requirements", "2026-07-28"]),
    ],
)
def test_every_failure_is_in_the_baseline(
    npm_bin: Path, address: str, tmp_path: Path, package: str, baseline: str, flags: list[str]
) -> None:
    suite = npm_bin.parent / package / "dist" / "index.js"
    done = subprocess.run(
        [
            *[str(npm_bin / "node"), str(suite), "server", "--url", address],
            *["--expected-failures", str(HERE / baseline), "-o", str(tmp_path / "out"), *flags],
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "tools-list" in done.stdout
