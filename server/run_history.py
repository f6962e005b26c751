"""Which handle the last compressed output of each command has, so that the next run can say what changed.

One small JSON file per workspace: hashes of command lines and handles, nothing of what they are or wrote. Losing it loses only
the comparison: every failure reads as "not known".
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

_MAX_ENTRIES: Final = 500


class RunHistory:
    """Handles by command. Two processes that write at once keep one of the two files, whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def last(self, argv: Sequence[str], folder: str) -> str:
        """Return the handle of the last output of `argv` in `folder`; "" if there is none."""
        return self._read().get(_key(argv, folder), "")

    def remember(self, argv: Sequence[str], folder: str, handle: str) -> None:
        """Make `handle` the last output of `argv` in `folder`."""
        entries = self._read()
        key = _key(argv, folder)
        entries.pop(key, None)
        entries[key] = handle
        kept = dict(list(entries.items())[-_MAX_ENTRIES:])
        with contextlib.suppress(OSError):
            self._write(json.dumps(kept))

    def _read(self) -> dict[str, str]:
        try:
            found: object = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        entries = cast(dict[object, object], found)
        return {key: value for key, value in entries.items() if isinstance(key, str) and isinstance(value, str)}

    def _write(self, text: str) -> None:
        """Replace the file in one step; mkstemp makes it readable by its owner alone."""
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=".runs-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, self._path)
        except OSError:
            os.unlink(name)
            raise


def _key(argv: Sequence[str], folder: str) -> str:
    joined = "\0".join([folder, *argv]).encode("utf-8", "surrogateescape")
    return hashlib.sha256(joined).hexdigest()[:24]
