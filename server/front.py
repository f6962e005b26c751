"""Answers the first questions of a client while the rest of the server is still being imported.

Importing the SDK takes about half a second, and some assistants send their first request without our tools if the list has not
come by then (measured). Handshake, discovery and the tool list are static, so they are kept as data (`front.json`, compared
with the SDK's own answers by a test) and sent from here, within a tenth of that time. Every line still goes on to the SDK,
whose own answers to the same requests are then dropped: it stays the authority for everything else.
"""

import json
import threading
from collections import deque
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from .wire import WireReader, WireWriter

VERSION_KEY: Final = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY: Final = "io.modelcontextprotocol/clientCapabilities"
MAX_FRONT_BYTES: Final = 64 * 1024
"""Longer lines are no handshake."""


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
        self._answered: set[str] = set()
        self._has_initialized = False
        self._is_open = is_open
        """Whether requests are still answered here; ends when the SDK reads for the first time."""
        self._is_reading = True
        self._thread = threading.Thread(target=self._run, name="front", daemon=True)

    def start(self) -> None:
        """Begin to read and answer."""
        self._thread.start()

    def readline(self) -> str:
        """Return the next line for the SDK; from its first call on nothing is answered here any more. Blocks."""
        with self._changed:
            self._is_open = False
            while not self._lines and self._is_reading:
                self._changed.wait()
            if self._lines:
                return self._lines.popleft()
        return self._reader.readline()

    def write(self, text: str) -> int:
        """Write a message of the SDK, unless it answers what was answered here."""
        if self._answered and self._was_answered(text):
            return len(text)
        return self._writer.write(text)

    def flush(self) -> None:
        """Do nothing: `write` has flushed."""

    def _run(self) -> None:
        """Read until the SDK takes over; the line that was being waited for then is the last one read here."""
        while True:
            line = self._reader.readline()
            with self._changed:
                answer = self._answer_to(line) if self._is_open else None
                if answer is not None:
                    self._writer.write(answer)
                self._lines.append(line)
                self._is_reading = self._is_open and bool(line)
                self._changed.notify_all()
                if not self._is_reading:
                    return

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
