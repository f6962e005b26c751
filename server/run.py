"""`penstock run -- CMD …`: the command's own semantics, its output compressed, the original under a handle.

Output small enough is printed as it is, byte for byte. Whatever goes wrong in compressing, the output is printed whole: a
command's result is never lost to its wrapper.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from .child import Captured, capture

if TYPE_CHECKING:
    from ..cache.payloads import PayloadStore
    from ..cache.tokens import TokenCounter
    from .run_history import RunHistory

RAW_VARIABLE: Final = "PENSTOCK_RAW"
NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
"""As shells have it."""
_SMALL_BYTES: Final = 1200
"""Output up to this is printed as it is: nothing worth a handle can be saved."""
_WARM_BYTES: Final = 8000
"""Output above this is likely to be compressed: the vocabulary loads while the command still runs."""
_ASKS_S: Final = 0.4
"""How long a line without an end stands still before it is taken for a question."""
_COPY_BYTES: Final = 1 << 16
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunParts:
    """What compressing needs, opened after the child was started."""

    payloads: "PayloadStore"
    counter: "TokenCounter"
    history: "RunHistory"
    default_budget: int
    close: Callable[[], None]


def run(
    argv: Sequence[str],
    *,
    open_parts: Callable[[], RunParts],
    budget: int | None = None,
    kind: str | None = None,
    is_raw: bool | None = None,
    out: "IO[bytes] | None" = None,
) -> int:
    """Run `argv` and print its output compressed; return its exit status, 128 + n for death by signal n.

    `open_parts` is called once, and only if there is something to compress. `is_raw` (default: the environment's
    PENSTOCK_RAW) replaces this process by the command instead.
    """
    if not argv:
        sys.stderr.write("penstock run: no command given\n")
        return 2
    if os.environ.get(RAW_VARIABLE, "") not in ("", "0") if is_raw is None else is_raw:
        return _replace_process(argv)
    warmer = _Warmer()
    progress = _Progress(sys.stderr)

    def tick(seconds: float, size: int, line: bytes) -> None:
        if size > _WARM_BYTES:
            warmer.start()
        progress(seconds, size, line)

    try:
        captured = capture(argv, tick=tick, screen=sys.stdout.buffer if sys.stdout.isatty() else None)
    except OSError as error:
        return _refused(argv[0], error)
    finally:
        progress.clear()
    with captured.output:
        if not captured.is_shown:
            _print(captured, argv, open_parts, budget, kind, out or sys.stdout.buffer)
    return captured.code


def _print(
    captured: Captured,
    argv: Sequence[str],
    open_parts: Callable[[], RunParts],
    budget: int | None,
    kind: str | None,
    out: "IO[bytes]",
) -> None:
    text: bytes | None = None
    if captured.size > _SMALL_BYTES:
        try:
            text = _compressed(captured, argv, open_parts, budget, kind)
        except Exception as error:  # boundary: no failure of ours may swallow the command's output
            logger.debug("output could not be compressed", exc_info=True)
            sys.stderr.write(f"penstock run: output is shown whole: {error}\n")
    try:
        if text is not None:
            out.write(text)
        else:
            captured.output.seek(0)
            while chunk := captured.output.read(_COPY_BYTES):
                out.write(chunk)
        out.flush()
    except BrokenPipeError:
        # The reader has left; the command's status is still the answer.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _compressed(
    captured: Captured, argv: Sequence[str], open_parts: Callable[[], RunParts], budget: int | None, kind: str | None
) -> bytes | None:
    """Return what to print instead of the output; None to print it as it is."""
    from ..tools.answer import clean_text
    from ..tools.captured import OutputReporter

    parts = open_parts()
    try:
        reporter = OutputReporter(parts.payloads, parts.counter, budget=budget or parts.default_budget, is_default=budget is None)
        captured.output.flush()
        report = reporter.report(
            captured.output,
            captured.size,
            command=list(argv),
            exit_code=captured.code,
            status=captured.status,
            kind=kind,
            before=parts.history.last(argv, os.getcwd()),
        )
        if report.handle:
            parts.history.remember(argv, os.getcwd(), report.handle)
    finally:
        parts.close()
    if not report.is_lossy:
        return None
    body = report.body if report.body.endswith("\n") else report.body + "\n"
    return clean_text(f"{report.facts}\n{body}").encode()


def _replace_process(argv: Sequence[str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(argv[0], list(argv))
    except OSError as error:
        return _refused(argv[0], error)


def _refused(command: str, error: OSError) -> int:
    sys.stderr.write(f"penstock run: {command}: {error.strerror or error}\n")
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


class _Warmer:
    """Imports what compressing needs in the background, once."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=_warm, name="penstock-warm", daemon=True)
            self._thread.start()


def _warm() -> None:
    import importlib

    for module in ("tiktoken", "penstock.tools.captured", "apsw"):
        importlib.import_module(module)


class _Progress:
    """Says on stderr that a long command still runs: a line that renews itself on a terminal, few lines elsewhere.

    A command that waits in the middle of a line may be asking something: on a terminal that line is shown instead.
    """

    def __init__(self, stream: "IO[str]") -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._changed: tuple[float, int] = (0.0, 0)
        self._next_s = 0.5 if self._is_terminal else 30.0
        self._is_shown = False
        self._asked = False

    def __call__(self, seconds: float, size: int, line: bytes) -> None:
        if size != self._changed[1]:
            self._changed = (seconds, size)
            self._asked = False
        if self._asked or seconds < self._next_s:
            return
        if line and self._is_terminal and seconds - self._changed[0] > _ASKS_S:
            self._ask(line)
            return
        said = f"penstock run: {seconds:.0f} s, {size:,} bytes so far"
        if self._is_terminal:
            if seconds < 1:
                return
            self._stream.write(f"\r{said}\x1b[K")
            self._next_s = seconds + 1.0
        else:
            self._stream.write(f"{said}\n")
            self._next_s = seconds * 2
        self._stream.flush()
        self._is_shown = True

    def _ask(self, line: bytes) -> None:
        self._stream.write(f"\r{line.decode('utf-8', 'replace')}\x1b[K")
        self._stream.flush()
        self._asked = True
        self._is_shown = False

    def clear(self) -> None:
        """Remove the line from a terminal."""
        if self._is_shown and self._is_terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
