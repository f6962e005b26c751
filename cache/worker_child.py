"""The child's side of `cache/worker.py`: limits itself, then serves calls from its standard input until it ends."""

import contextlib
import importlib
import inspect
import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable
from typing import BinaryIO, Final

_HEADER: Final = struct.Struct(">BQ")
_RESULT, _EVENT, _ERROR = range(3)
_ALARM_GRACE_S: Final = 5.0


def main(arguments: list[str]) -> None:
    """Serve calls until standard input ends."""
    memory_bytes, niceness = int(arguments[0]), int(arguments[1])
    _limit(memory_bytes, niceness)
    source = os.fdopen(os.dup(0), "rb")
    # Whatever a library prints must not land between frames: fd 1 becomes stderr, fd 0 nothing.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    with source, sink, contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        _serve(source, sink)


def _limit(memory_bytes: int, niceness: int) -> None:
    # The parent decides when its children end; a Ctrl-C in the terminal reaches the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows has no resource module
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(AttributeError, OSError):
        os.nice(niceness)


def _serve(source: BinaryIO, sink: BinaryIO) -> None:
    functions: dict[str, Callable[..., object]] = {}
    while True:
        header = source.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return
        _, length = _HEADER.unpack(header)
        payload = source.read(length)
        if len(payload) < length:
            return
        target, args, timeout_s = pickle.loads(payload)
        try:
            _arm(timeout_s)
            if target not in functions:
                module, _, name = target.partition(":")
                functions[target] = getattr(importlib.import_module(module), name)
            _run(functions[target], args, timeout_s, sink)
        except BaseException as error:  # boundary: a panic of a native library is a BaseException; the parent is told the name
            _send(sink, _ERROR, (type(error).__name__, str(error)[:200]))
            if not isinstance(error, Exception):
                return
        finally:
            _arm(0)


def _run(function: Callable[..., object], args: tuple[object, ...], timeout_s: float, sink: BinaryIO) -> None:
    result = function(*args)
    if inspect.isgenerator(result):
        for item in result:
            _send(sink, _EVENT, item)
            _arm(timeout_s)
        result = None
    _send(sink, _RESULT, result)


def _arm(timeout_s: float) -> None:
    """Let the kernel end this process if it is stuck past its time: no Python runs then, and the parent may be gone."""
    with contextlib.suppress(AttributeError, ValueError):
        signal.setitimer(signal.ITIMER_REAL, timeout_s + _ALARM_GRACE_S if timeout_s else 0)


def _send(sink: BinaryIO, kind: int, value: object) -> None:
    payload = pickle.dumps(value, protocol=5)
    sink.write(_HEADER.pack(kind, len(payload)))
    sink.write(payload)
    sink.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
