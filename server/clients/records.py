"""What the installers remember of the files they edited: the backups. One folder a file, under the user's data folder."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final, cast

from .planning import Record

_RECORD: Final = "record.json"
_ORIGINAL: Final = "original"


class RecordStore:
    """Backups of edited files, each with the hash of the file as it was left; private to the user."""

    def __init__(self, data_folder: Path) -> None:
        """Keep records under `data_folder`/installs; nothing is made before the first record."""
        self._folder: Final = data_folder / "installs"

    def get(self, path: Path) -> Record | None:
        """The record of a file; None where there is none, or none that can be read."""
        try:
            loaded: object = json.loads((self._place(path) / _RECORD).read_text("utf-8"))
            values = cast("dict[str, object]", loaded) if isinstance(loaded, dict) else {}
            original = (self._place(path) / _ORIGINAL).read_bytes() if values.get("existed") else None
        except (OSError, ValueError):
            return None
        return Record(str(values.get("installed_sha256", "")), original)

    def folders_made(self, path: Path) -> tuple[Path, ...]:
        """The folders that were made for a file."""
        try:
            loaded: object = json.loads((self._place(path) / _RECORD).read_text("utf-8"))
        except (OSError, ValueError):
            return ()
        made = cast("dict[str, object]", loaded).get("folders") if isinstance(loaded, dict) else None
        return tuple(Path(str(one)) for one in cast("list[object]", made)) if isinstance(made, list) else ()

    def put(self, path: Path, record: Record, folders: Iterable[Path] = ()) -> None:
        """Keep a record before the file is edited; raises OSError where the disk refuses."""
        place = self._place(path)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        values = {
            "path": str(path),
            "installed_sha256": record.installed_sha256,
            "existed": record.original is not None,
            "folders": [str(one) for one in folders],
        }
        if record.original is not None:
            _write_private(place / _ORIGINAL, record.original)
        _write_private(place / _RECORD, json.dumps(values, indent=2).encode())

    def drop(self, path: Path) -> None:
        """Forget a file; removes the folders that are empty then."""
        shutil.rmtree(self._place(path), ignore_errors=True)
        with contextlib.suppress(OSError):
            self._folder.rmdir()
            self._folder.parent.rmdir()

    def backup_path(self, path: Path) -> Path:
        """Where the original bytes of a file are kept."""
        return self._place(path) / _ORIGINAL

    def _place(self, path: Path) -> Path:
        return self._folder / hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _write_private(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
