"""Every error that Penstock raises on purpose.

    PenstockError
    ├── RetryableError             the same call, changed as `next_call` says, can succeed
    │   ├── InvalidArgument        (ValueError)
    │   ├── InvalidPath            (ValueError)
    │   ├── PathNotFound           (LookupError)
    │   ├── NotARegularFile
    │   ├── BinaryFile
    │   ├── FileTooLarge
    │   ├── UnknownHandle          (LookupError)
    │   ├── NoRoom                 (MemoryError)
    │   ├── UnderPressure
    │   ├── Busy
    │   └── DeadlineExceeded       (TimeoutError)
    └── TerminalError              no change of arguments makes this possible
        ├── OutsideWorkspace       (PermissionError)
        ├── SecretDenied           (PermissionError)
        ├── AccessDenied           (PermissionError)
        ├── HandleExpired          (LookupError)
        ├── CorruptPayload
        ├── StoreUnavailable       (OSError)
        └── CallCancelled

Each says what happened, why, and the exact next call. No message names a path outside the roots.
"""

from typing import Final


class PenstockError(Exception):
    """Root of the tree: `what` happened, `why`, and the `next_call` to make instead."""

    code: str = "error"

    def __init__(self, what: str, *, why: str = "", next_call: str = "") -> None:
        self.what: Final = what
        self.why: Final = why
        self.next_call: Final = next_call
        parts = [what.rstrip(".")]
        if why:
            parts.append(why.rstrip("."))
        if next_call:
            parts.append(f"Next: {next_call}")
        super().__init__(". ".join(parts))


class RetryableError(PenstockError):
    """The call can succeed once it is changed as `next_call` says."""


class TerminalError(PenstockError):
    """No change of arguments makes this call possible."""


class InvalidArgument(RetryableError, ValueError):
    """An argument has a value that the tool does not take."""

    code = "invalid_argument"


class InvalidPath(RetryableError, ValueError):
    """A path that no file can have: NUL, control characters, too long, `~`, a URI."""

    code = "invalid_path"


class PathNotFound(RetryableError, LookupError):
    """Nothing with this name inside the workspace."""

    code = "not_found"


class NotARegularFile(RetryableError):
    """A directory, FIFO, socket or device where a file was asked for."""

    code = "not_a_regular_file"


class BinaryFile(RetryableError):
    """The file holds no text."""

    code = "binary_file"


class FileTooLarge(RetryableError):
    """Larger than one call may read; a range of it can be read."""

    code = "file_too_large"


class UnknownHandle(RetryableError, LookupError):
    """No handle or receipt of this name was ever given out here, or it is ambiguous."""

    code = "unknown_handle"


class NoRoom(RetryableError, MemoryError):
    """The byte ledger cannot take this reservation, even after eviction."""

    code = "no_room"


class UnderPressure(RetryableError):
    """Heavy work refused while memory pressure is critical."""

    code = "under_pressure"


class Busy(RetryableError):
    """Too many calls are waiting."""

    code = "busy"


class DeadlineExceeded(RetryableError, TimeoutError):
    """The call ran out of its time."""

    code = "deadline"


class OutsideWorkspace(TerminalError, PermissionError):
    """The path leads outside the roots; whether it exists there is not said."""

    code = "outside_workspace"


class SecretDenied(TerminalError, PermissionError):
    """The opened file looks like a secret."""

    code = "secret_denied"


class AccessDenied(TerminalError, PermissionError):
    """The operating system refused the access."""

    code = "access_denied"


class HandleExpired(TerminalError, LookupError):
    """The handle was valid once; its payload has passed its stated expiry."""

    code = "handle_expired"


class CorruptPayload(TerminalError):
    """Stored bytes no longer have the hash they were stored under; they are never served."""

    code = "corrupt_payload"


class StoreUnavailable(TerminalError, OSError):
    """The spool cannot be used: disk full, read-only, or locked by a stuck process."""

    code = "store_unavailable"


class CallCancelled(TerminalError):
    """The client cancelled the call; nobody waits for the answer."""

    code = "cancelled"
