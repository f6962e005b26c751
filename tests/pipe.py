"""A raw stdio client: it writes JSON lines to the server's stdin and reads them from its stdout, and knows nothing of any SDK."""

import contextlib
import hashlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

Era = Literal["legacy", "modern"]
ERAS: tuple[Era, ...] = ("legacy", "modern")
MODERN = "2026-07-28"
SERVER = (sys.executable, "-m", "penstock.server")


class PipeClient:
    """One server process, driven by hand."""

    def __init__(
        self,
        root: Path,
        data_dir: Path,
        *,
        era: Era = "legacy",
        client: str = "penstock-tests",
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        command: Sequence[str] = SERVER,
        connect: bool = True,
    ) -> None:
        self.era: Era = era
        self.client = client
        full_env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(env or {})}
        full_env.pop("PENSTOCK_ROOT", None)
        self.spawned_at = time.monotonic()
        self.process = subprocess.Popen(
            [*command, "serve", "--root", str(root), "--data-dir", str(data_dir), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=full_env,
        )
        self.stray: list[bytes] = []
        """Lines on stdout that are not JSON-RPC: there must be none."""
        self.errors: list[str] = []
        self.notifications: list[dict[str, Any]] = []
        self._answers: dict[Any, queue.SimpleQueue[dict[str, Any]]] = {}
        self._closed = threading.Event()
        self._next = 0
        self._readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.server: dict[str, Any] = {}
        if connect:
            self.connect()

    def connect(self) -> None:
        """Shake hands (legacy) or discover (modern)."""
        info = {"name": self.client, "version": "1"}
        if self.era == "legacy":
            params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}
            self.server = self.request("initialize", params)["result"]
            self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        else:
            self.server = self.request("server/discover", {})["result"]

    def send_raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one message."""
        self.send_raw(json.dumps(message).encode() + b"\n")

    def start(self, method: str, params: Mapping[str, Any]) -> int:
        """Send a request and return its id without waiting."""
        self._next += 1
        request_id = self._next
        self._answers[request_id] = queue.SimpleQueue()
        if self.era == "modern":
            meta = {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": self.client, "version": "1"},
            }
            params = {**params, "_meta": {**params.get("_meta", {}), **meta}}
        self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        return request_id

    def wait(self, request_id: int, timeout_s: float = 60.0) -> dict[str, Any]:
        """Return the answer to a started request."""
        return self._answers[request_id].get(timeout=timeout_s)

    def has_answer(self, request_id: int) -> bool:
        """Whether an answer to a started request is there."""
        return not self._answers[request_id].empty()

    def request(self, method: str, params: Mapping[str, Any], timeout_s: float = 60.0) -> dict[str, Any]:
        """Send a request and return the whole answer."""
        return self.wait(self.start(method, params), timeout_s)

    def call(self, tool: str, timeout_s: float = 60.0, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return its result object."""
        answer = self.request("tools/call", {"name": tool, "arguments": arguments}, timeout_s)
        if "result" not in answer:
            raise AssertionError(answer)
        return answer["result"]

    def text(self, tool: str, **arguments: Any) -> str:
        """Call a tool and return its text; the call must succeed."""
        result = self.call(tool, **arguments)
        assert not result.get("isError"), result["content"][0]["text"]
        return result["content"][0]["text"]

    def tools(self) -> list[dict[str, Any]]:
        """List the tools."""
        return self.request("tools/list", {})["result"]["tools"]

    def rss_bytes(self) -> int:
        """Return the server's resident memory."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        self.process.send_signal(number)

    def close(self) -> int:
        """Close stdin and wait for the exit code."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise
        finally:
            for reader in self._readers:
                reader.join(10)
            for stream in (self.process.stdout, self.process.stderr):
                if stream is not None:
                    stream.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                message = json.loads(line)
                assert message["jsonrpc"] == "2.0"
            except (ValueError, KeyError, AssertionError, TypeError):
                self.stray.append(line)
                continue
            if "id" in message and message["id"] in self._answers:
                self._answers[message["id"]].put(message)
            else:
                self.notifications.append(message)
        self._closed.set()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors.append(line.decode("utf-8", "replace"))


def parts_of(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the machine's half of a tool result."""
    return result["_meta"]["penstock/parts"]


def bodies_of(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield each part's body as the offsets say."""
    text = result["content"][0]["text"]
    for part in parts_of(result):
        start, end = part["body"]
        yield text[start:end]


def restored_sha256(client: PipeClient, handle: str) -> str:
    """Return the hash of everything that `restore` brings back, page by page."""
    body = ""
    lines = "1-"
    while True:
        result = client.call("restore", handle=handle, lines=lines)
        assert not result.get("isError"), result["content"][0]["text"]
        body += "".join(bodies_of(result))
        more = re.search(r"\bnext lines=(\d+)-", result["content"][0]["text"].splitlines()[-1])
        if more is None:
            return hashlib.sha256(body.encode()).hexdigest()
        lines = f"{more[1]}-"
