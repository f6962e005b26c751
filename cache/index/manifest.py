"""The manifest: which segments make up the index, in one small checksummed file that is replaced atomically.

Several servers share one index directory. Whoever holds the build lock writes; everybody maps. A manifest that cannot be
read, or that another version wrote, counts as none: the index is rebuilt, never trusted.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from .chunk import CHUNKER_VERSION
from .kinds import KINDS_VERSION
from .segment import FORMAT_VERSION
from .tokenise import TOKENISER_VERSION

_NAME: Final = "manifest.json"
_LOCK: Final = "build.lock"
_SEGMENT_SUFFIX: Final = ".seg"
_PART_SUFFIX: Final = ".part"


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """One segment of the manifest."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The segments, oldest first; a path in several is live in the newest."""

    generation: int = 0
    segments: tuple[SegmentEntry, ...] = ()


def engine_version(definitions: str) -> str:
    """Name everything that decides what a segment holds: another version rebuilds."""
    return f"{FORMAT_VERSION}.{TOKENISER_VERSION}.{CHUNKER_VERSION}.{KINDS_VERSION}:{definitions}"


class IndexDirectory:
    """The folder of one workspace's index."""

    def __init__(self, path: Path, *, engine: str) -> None:
        self.path: Final = path
        self._engine = engine
        self._seen: tuple[int, int] = (0, 0)

    def create(self) -> None:
        """Make the folder, for this user only.

        Raises:
            OSError: It cannot be made.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def has_news(self) -> bool:
        """Whether the manifest was replaced since it was last read here."""
        return self._stamp() != self._seen

    def _stamp(self) -> tuple[int, int]:
        try:
            stat = os.stat(self.path / _NAME)
        except OSError:
            return (0, 0)
        return (stat.st_ino, stat.st_mtime_ns)

    def read(self) -> Manifest:
        """Return the manifest; an empty one if there is none that can be trusted."""
        stamp = self._stamp()
        try:
            value = cast("dict[str, object]", json.loads((self.path / _NAME).read_bytes()))
            body = cast("dict[str, object]", value["body"])
            if value["sha256"] != _digest(body) or body["engine"] != self._engine:
                return Manifest()
            entries = cast("list[tuple[str, str, int]]", body["segments"])
            manifest = Manifest(int(cast("int", body["generation"])), tuple(SegmentEntry(n, h, s) for n, h, s in entries))
        except (OSError, ValueError, KeyError, TypeError):
            return Manifest()
        self._seen = stamp
        return manifest

    def write(self, segments: Sequence[SegmentEntry], generation: int) -> Manifest:
        """Publish segments as the next generation and remove the files that no manifest names. Only under `lock`.

        Raises:
            OSError: The disk is full or read-only; the old manifest stands.
        """
        entries = [(entry.name, entry.sha256, entry.size) for entry in segments]
        body: dict[str, object] = {"engine": self._engine, "generation": generation, "segments": entries}
        data = json.dumps({"body": body, "sha256": _digest(body)}, indent=1).encode()
        temporary = self.path / f"{_NAME}.{os.getpid()}"
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            os.replace(temporary, self.path / _NAME)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        self._seen = self._stamp()
        self._sweep({entry.name for entry in segments})
        return Manifest(generation, tuple(segments))

    def _sweep(self, named: set[str]) -> None:
        for file in self.path.glob(f"*{_SEGMENT_SUFFIX}"):
            if file.name not in named:
                with contextlib.suppress(OSError):  # Windows keeps mapped files; the next write tries again
                    file.unlink()

    def discard(self) -> None:
        """Have the manifest that was read last count as none here, until another one is published."""
        self._seen = self._stamp()

    def new_segment(self, generation: int, number: int) -> Path:
        """Return a path to write a segment under; it gets its name when it is published."""
        return self.path / f"{generation:08d}-{number:03d}-{os.getpid()}{_PART_SUFFIX}"

    def finish(self, part: Path) -> str:
        """Give a written segment its name and return that; until a manifest names it, nothing but this builder knows it.

        Raises:
            OSError: The file is gone.
        """
        target = part.with_suffix(_SEGMENT_SUFFIX)
        part.replace(target)
        return target.name

    def remove_parts(self) -> None:
        """Remove what an interrupted build has left. Only under `lock`, before anything is written."""
        for part in self.path.glob(f"*{_PART_SUFFIX}"):
            with contextlib.suppress(OSError):
                part.unlink()

    def try_lock(self) -> "BuildLock | None":
        """Take the build lock if no process holds it. The system frees it when its holder dies."""
        descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _flock(descriptor):
            os.close(descriptor)
            return None
        return BuildLock(descriptor)


class BuildLock:
    """The right to write the index of one workspace; released once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another process build."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _flock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: an exclusive range lock does the same
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _digest(body: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
