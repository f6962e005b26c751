"""Indexing one file within a call: read through the jail, analyse in the worker."""

import logging
import time
from typing import Final

from ..deadline import Deadline
from ..errors import PathNotFound, PenstockError, SecretDenied
from ..worker import Worker, WorkerError
from ..workspace.files import Workspace
from ..workspace.values import WalkedFile
from .analyse import FileAnalysis
from .build import Stat, is_young, row_of, unread_row
from .chunk import MAX_FILE_BYTES, FileStatus
from .delta import DeltaFile
from .packed import PackedAnalysis, pack
from .segment import FileRow
from .values import IndexLimits

_READ_S: Final = 10.0
_ANALYSE: Final = f"{__package__}.packed:analyse_packed"

_log = logging.getLogger(__name__)


class FileIndexer:
    """Makes delta files. Thread-safe."""

    def __init__(self, workspace: Workspace, worker: Worker, definitions: str, limits: IndexLimits) -> None:
        self._workspace = workspace
        self._worker = worker
        self._definitions = definitions
        self._limits = limits

    def index(self, walked: WalkedFile, known: bytes, deadline: Deadline) -> DeltaFile | FileRow | None:
        """Return the new version of a file, the row of one whose bytes are the `known` ones, or None if it has gone.

        Raises:
            DeadlineExceeded, CallCancelled: From `deadline`.
        """
        if walked.stat.size > MAX_FILE_BYTES:
            return _unread(walked, FileStatus.TOO_LARGE)
        read_ns = time.time_ns()
        try:
            source = self._workspace.read(walked.rel, deadline=Deadline(_READ_S))
        except PathNotFound:
            return None
        except SecretDenied:
            return _unread(walked, FileStatus.SECRET)
        except PenstockError:
            return _unread(walked, FileStatus.UNREADABLE)
        is_racy = source.is_changing or is_young(source.stat, read_ns, self._limits.racy_ns)
        if bytes.fromhex(source.sha256)[: len(known)] == known != b"":
            return row_of(walked.rel, source, FileStatus.INDEXED, 0, is_racy=is_racy)
        packed = self._analyse(walked.rel, source.data, deadline)
        return DeltaFile(row_of(walked.rel, source, packed.status, packed.lines, is_racy=is_racy), packed)

    def _analyse(self, path: str, data: bytes, deadline: Deadline) -> PackedAnalysis:
        """Analyse in the worker; a file that breaks its parser is cut by lines, and given up if even that fails."""
        for is_parsed in (True, False):
            try:
                packed = self._worker.call(
                    _ANALYSE, self._definitions, path, data, is_parsed, timeout_s=self._limits.parse_s, is_stopped=deadline.check
                )
            except WorkerError as error:
                _log.debug("analysis ended with %s", type(error).__name__)
                continue
            if isinstance(packed, PackedAnalysis):
                return packed
        return pack(FileAnalysis(FileStatus.FAILED, 0, ()))


def stat_of(walked: WalkedFile) -> Stat:
    """Return the four numbers by which versions are told apart."""
    stat = walked.stat
    return (stat.ino, stat.size, stat.mtime_ns, stat.ctime_ns)


def _unread(walked: WalkedFile, status: FileStatus) -> DeltaFile:
    return DeltaFile.of(unread_row(walked.rel, stat_of(walked), status), FileAnalysis(status, 0, ()))
