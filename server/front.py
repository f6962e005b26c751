"""Answers the first questions of a client while the rest of the server is still being imported.

Importing the SDK takes about half a second, and some assistants send their first request without our tools if the list has not
come by then (measured). Handshake, discovery and the tool list are static, so they are kept as data (`front.json`, compared
with the SDK's own answers by a test) and sent from here, within a tenth of that time. Every line still goes on to the SDK,
whose own answers to the same requests are then dropped: it stays the authority for everything else.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from importlib import resources
from typing import Any, Final, Self

from .wire import WireReader, WireWriter

VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
MAX_FRONT_BYTES: Final = 64 * 1024
"""Longer lines are no handshake."""
MAX_AHEAD_CHARS: Final = 1 << 20
"""Beyond this the next line is left in the pipe until the SDK has taken what waits."""


def load_answers() -> Mapping[str, Any]:
    """Return the static answers."""
    return json.loads(resources.files("penstock.server").joinpath("front.json").read_bytes())


class Front:
    """Reads the wire from the start, answers what is static, and hands everything on. One per process."""

    def __init__(self, reader: WireReader, writer: WireWriter, answers: Mapping[str, Any], *, is_open: bool = True) -> None:
        self._reader = reader
        self._writer = writer
        self._answers = answers
        self._changed = threading.Condition()
        self._lines: deque[str] = deque()
        self._waiting_chars = 0
        self._wake: Callable[[], object] | None = None
        self._answered: set[str] = set()
        self._has_initialized = False
        self._is_open = is_open
        """Whether requests are still answered here; ends when the SDK reads for the first time."""
        self._has_ended = False
        self._thread = threading.Thread(target=self._run, name="front", daemon=True)

    def start(self) -> None:
        """Begin to read and answer."""
        self._thread.start()

    def __aiter__(self) -> Self:
        """Iterate over the lines for the SDK; from the first one on nothing is answered here any more."""
        return self

    async def __anext__(self) -> str:
        """Return the next line; the end of the file ends the iteration."""
        import asyncio  # by now the SDK has imported it; start-up must not wait for it

        while True:
            arrived = asyncio.Event()
            wake = partial(asyncio.get_running_loop().call_soon_threadsafe, arrived.set)
            with self._changed:
                self._is_open = False
                if self._lines:
                    line = self._lines.popleft()
                    self._waiting_chars -= len(line)
                    self._changed.notify_all()
                    return line
                if self._has_ended:
                    raise StopAsyncIteration
                self._wake = wake
            await arrived.wait()

    def write(self, text: str) -> int:
        """Write a message of the SDK, unless it answers what was answered here."""
        if self._answered and self._was_answered(text):
            return len(text)
        return self._writer.write(text)

    def takes_now(self, text: str) -> bool:
        """Say whether `write` surely would not block."""
        return self._writer.takes_now(text)

    def flush(self) -> None:
        """Do nothing: `write` has flushed."""

    def _run(self) -> None:
        """Read to the end, a bounded piece ahead of the SDK: a thread for every line would cost more than the line."""
        while line := self._reader.readline():
            with self._changed:
                answer = self._answer_to(line) if self._is_open else None
            if answer is not None:
                self._writer.write(answer)
            with self._changed:
                self._lines.append(line)
                self._waiting_chars += len(line)
                self._wake_up()
                self._changed.wait_for(lambda: self._waiting_chars <= MAX_AHEAD_CHARS)
        with self._changed:
            self._has_ended = True
            self._wake_up()

    def _wake_up(self) -> None:
        """Wake the SDK if it waits; the condition is held."""
        wake, self._wake = self._wake, None
        if wake is not None:
            wake()

    def _answer_to(self, line: str) -> str | None:
        """Return the answer to a line that asks for something static; None: the SDK's business."""
        if not 2 < len(line) <= MAX_FRONT_BYTES:
            return None
        try:
            message = json.loads(line)
            request_id, method, params = message["id"], message["method"], message.get("params") or {}
            result = self._result_of(method, params) if message["jsonrpc"] == "2.0" else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        if result is None or not isinstance(request_id, (int, str)) or isinstance(request_id, bool):
            return None
        self._answered.add(json.dumps(request_id))
        return (
            json.dumps({"jsonrpc": "2.0", "id": request_id, "result": result}, ensure_ascii=False, separators=(",", ":")) + "\n"
        )

    def _result_of(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if method == "initialize":
            return self._initialize(params)
        meta = params.get("_meta") or {}
        is_modern = meta.get(VERSION_KEY) == self._answers["modern"] and CAPABILITIES_KEY in meta
        if method == "server/discover" and is_modern and not self._has_initialized:
            return self._answers["discover"]
        if method == "tools/list" and not params.get("cursor"):
            if is_modern and not self._has_initialized:
                return {**self._answers["list"], "tools": self._answers["tools"]}
            if self._has_initialized and VERSION_KEY not in meta:
                return {"tools": self._answers["tools"]}
        return None

    def _initialize(self, params: Mapping[str, Any]) -> Mapping[str, Any] | None:
        wanted = params["protocolVersion"]
        if self._has_initialized or "clientInfo" not in params or not isinstance(wanted, str):
            return None
        self._has_initialized = True
        known = self._answers["handshake"]
        return {**self._answers["initialize"], "protocolVersion": wanted if wanted in known else known[-1]}

    def _was_answered(self, text: str) -> bool:
        message = json.loads(text)
        key = json.dumps(message.get("id"))
        if "method" in message or key not in self._answered:
            return False
        self._answered.discard(key)
        return True
