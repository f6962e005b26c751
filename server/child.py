"""A command run with its output captured, in order, in bounded memory; signals and stdin go through.

Imports nothing heavy: the child is started first, everything else loads while it runs.
"""

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

_READ_BYTES: Final = 1 << 16
_MEMORY_BYTES: Final = 1 << 20
"""Captured bytes held before they go to a file."""
_WAKE_S: Final = 0.2
_LINGER_S: Final = 0.5
"""How long a finished command's descendants may keep writing into its pipe."""
_FORWARDED: Final = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT")
_FROM_TERMINAL: Final = ("SIGINT", "SIGQUIT", "SIGTSTP")
"""The terminal sends these to the whole foreground group, the child included."""

_SCREENS: Final = (b"\x1b[?1049h", b"\x1b[?1047h", b"\x1b[?47h", b"\x1b[?1h", b"\x1b[2J")
"""What a program writes that takes the whole screen: the alternate screen, the keys for applications, a clear screen."""
_OPEN_BYTES: Final = 400

Tick = Callable[[float, int, bytes], None]
"""(seconds so far, bytes so far, the end of the last line while it has no newline); called a few times a second."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What a finished command left behind."""

    code: int
    """Its exit status; 128 + n for death by signal n, as shells say it."""
    status: str
    """`exit 1`, `killed by SIGTERM`; empty for success."""
    size: int
    output: "IO[bytes]"
    """Both streams as they were written; the caller closes it."""
    is_shown: bool = False
    """Whether it went to the screen while the command ran."""


def capture(argv: Sequence[str], *, tick: Tick, screen: "IO[bytes] | None" = None) -> Captured:
    """Run `argv` to its end; from where it takes the whole `screen`, if there is one, its output goes there at once.

    Raises:
        OSError: It cannot be started.
    """
    begin = time.monotonic()
    read_fd, write_fd = os.pipe()
    try:
        child = subprocess.Popen(list(argv), stdout=write_fd, stderr=write_fd)
    except OSError:
        os.close(read_fd)
        raise
    finally:
        os.close(write_fd)
    output: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 -- closed by the caller
    size = 0
    is_shown = False
    line = b""
    with _forwarding(child), os.fdopen(read_fd, "rb", buffering=0) as pipe:
        for chunk in _chunks(child, pipe.fileno()):
            output.write(chunk)
            size += len(chunk)
            if is_shown and screen is not None:
                screen.write(chunk)
                screen.flush()
                continue
            line = (line + chunk).rpartition(b"\n")[2][-_OPEN_BYTES:] if chunk else line
            if screen is not None and chunk and any(mark in line or mark in chunk for mark in _SCREENS):
                is_shown = True
                _copy(output, screen)
                continue
            tick(time.monotonic() - begin, size, line)
    code = child.wait()
    return Captured(128 - code if code < 0 else code, _status(code), size, output, is_shown)


def _copy(source: "IO[bytes]", target: "IO[bytes]") -> None:
    """Write what `source` holds to `target`, and leave `source` at its end."""
    source.seek(0)
    while chunk := source.read(_READ_BYTES):
        target.write(chunk)
    target.flush()


def _chunks(child: "subprocess.Popen[bytes]", fd: int) -> Generator[bytes]:
    """Yield what arrives until the pipe ends, or the child has ended and nothing more comes."""
    ended: float | None = None
    while True:
        is_readable = bool(select.select([fd], [], [], _WAKE_S)[0])
        if is_readable:
            chunk = os.read(fd, _READ_BYTES)
            if not chunk:
                return
            yield chunk
        else:
            yield b""
        if child.poll() is not None:
            ended = ended or time.monotonic()
            if not is_readable or time.monotonic() - ended > _LINGER_S:
                return


@contextmanager
def _forwarding(child: "subprocess.Popen[bytes]") -> Generator[None]:
    """Hand signals on to the child while it runs; those of the terminal only where it does not get them itself."""

    def forward(number: int, _: object) -> None:
        if child.poll() is None:
            child.send_signal(number)

    def ignore(number: int, _: object) -> None:
        """The child gets it from the terminal; we stay to report."""

    names = dict.fromkeys(_FORWARDED, forward)
    names |= {name: ignore if _is_foreground() else forward for name in _FROM_TERMINAL}
    before = {}
    for name, handler in names.items():
        number = getattr(signal, name, None)
        if number is not None and not (name == "SIGTSTP" and _is_foreground()):
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_foreground() -> bool:
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False


def _status(code: int) -> str:
    if code >= 0:
        return f"exit {code}" if code else ""
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
