"""The stdio wire: one JSON-RPC message a line, on private descriptors.

`claim_stdio` moves the protocol off fd 0 and 1 before anything heavy is imported: stray prints go to stderr, children read end
of file. The reader bounds a line, answers an oversized one with an error and goes on with the next; the writer gives up on a
client that stopped reading, because a server that waits for ever is an orphan.
"""

import io
import json
import os
import re
import select
import sys
from collections.abc import Callable
from typing import Final

MAX_LINE_BYTES: Final = 8 << 20
"""A request line above this is refused: 64 MB lines cost the SDK about 1 GB of memory (measured)."""
WRITE_DEADLINE_S: Final = 30.0
SMALL_BYTES: Final[int] = getattr(select, "PIPE_BUF", 0) if hasattr(select, "poll") else 0
"""What a writable pipe takes without blocking; 0 where that cannot be asked (Windows)."""
_ID: Final = re.compile(rb'"id"\s*:\s*(-?\d{1,18}|"(?:[^"\\\x00-\x1f]|\\.){0,200}")')


def claim_stdio() -> tuple[int, int]:
    """Move stdin and stdout to private descriptors and return them; fd 0 becomes the null device, fd 1 becomes stderr."""
    read_fd, write_fd = os.dup(0), os.dup(1)
    os.set_inheritable(read_fd, False)
    os.set_inheritable(write_fd, False)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    try:
        os.dup2(2, 1)
    except OSError:  # no stderr: nowhere for stray output to go
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, 1)
        os.close(sink)
    # Buffered prints from before this point must not reach the wire at interpreter exit either.
    sys.stdout = sys.stderr
    return read_fd, write_fd


class WireReader:
    """Reads lines of at most `max_line_bytes`; reports longer ones through `on_oversized` with their request id, if any."""

    def __init__(
        self, raw: io.BufferedReader, on_oversized: Callable[[bytes | None], object], max_line_bytes: int = MAX_LINE_BYTES
    ) -> None:
        self._raw = raw
        self._on_oversized = on_oversized
        self._max = max_line_bytes

    def readline(self) -> str:
        """Return the next line, or "" at end of file. Blocks."""
        while True:
            line = self._raw.readline(self._max + 1)
            if len(line) <= self._max:
                return line.decode("utf-8", "replace")
            found = _ID.search(line, 0, 4096)
            while line and not line.endswith(b"\n"):
                line = self._raw.readline(self._max)
            self._on_oversized(found.group(1) if found else None)


class WireWriter:
    """Writes whole lines; a broken pipe ends the process through `on_broken`."""

    def __init__(self, raw: io.BufferedWriter, on_broken: Callable[[], None]) -> None:
        self._raw = raw
        self._on_broken = on_broken
        self._ready: select.poll | None = None

    def write(self, text: str) -> int:
        """Write and flush `text`, which is one or more whole lines. Blocks while the client does not read."""
        try:
            # Tools answer clean text; this is the last door, and a lone surrogate here would kill the server.
            self._raw.write(text.encode("utf-8", "backslashreplace"))
            self._raw.flush()
        except (BrokenPipeError, ValueError, OSError):
            self._on_broken()
        return len(text)

    def takes_now(self, text: str) -> bool:
        """Say whether `write` surely would not block: a pipe that polls as writable takes `PIPE_BUF` bytes at once (POSIX)."""
        if not SMALL_BYTES or len(text) > SMALL_BYTES or len(text.encode("utf-8", "backslashreplace")) > SMALL_BYTES:
            return False
        if self._ready is None:
            self._ready = select.poll()
            self._ready.register(self._raw.fileno(), select.POLLOUT)
        return bool(self._ready.poll(0))

    def flush(self) -> None:
        """Do nothing: `write` has flushed."""


def oversized_error(request_id: bytes | None) -> str:
    """Return the JSON-RPC error line for a request that was too long to take."""
    message = f"a request line above {MAX_LINE_BYTES:,} bytes was refused. Next: send a path or a handle instead of the text"
    value = json.loads(request_id) if request_id else None
    return json.dumps({"jsonrpc": "2.0", "id": value, "error": {"code": -32600, "message": message}}) + "\n"
