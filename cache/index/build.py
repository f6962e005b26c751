"""The child's side of a build: read files through the jail, analyse, write one segment. Runs in the worker only.

Every file is announced before it is touched, so the parent knows which one hung or crashed the child, and starts the job again
without parsing it.
"""

import hashlib
import os
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..deadline import UNBOUNDED, Deadline
from ..errors import BinaryFile, FileTooLarge, PathNotFound, PenstockError, SecretDenied
from ..ledger import Ledger
from ..workspace.files import FileStat, SourceFile, Workspace, WorkspaceLimits
from ..workspace.secrets import SecretRule
from .analyse import Analyser, FileAnalysis
from .assemble import MAX_POSTINGS, Assembler
from .chunk import MAX_FILE_BYTES, FileStatus
from .merge import merge
from .segment import FileRow, open_segment, write_segment

_CHILD_LEDGER_BYTES = 1 << 32
"""The child is bounded by RLIMIT_DATA; its workspace wants a ledger all the same."""

Stat = tuple[int, int, int, int]
"""inode, size, mtime_ns, ctime_ns."""


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file to index, as the walk saw it."""

    path: str
    stat: Stat
    is_parsed: bool = True
    """False once its parser has hung or crashed."""
    is_read: bool = True
    """False once even cutting it by lines has failed."""


@dataclass(frozen=True, slots=True)
class BuildJob:
    """One segment to write."""

    roots: tuple[str, ...]
    limits: WorkspaceLimits
    secrets: SecretRule
    definitions: str
    target: str
    files: tuple[WantedFile, ...]
    racy_ns: int
    max_postings: int = MAX_POSTINGS


@dataclass(frozen=True, slots=True)
class FileStarted:
    """The child is about to read this file of the job."""

    position: int
    pid: int
    cpu_s: float
    """Processor seconds that the child had used by then."""


@dataclass(frozen=True, slots=True)
class Assembling:
    """Every file is dealt with; the segment is put together and written."""


@dataclass(frozen=True, slots=True)
class SegmentWritten:
    """The job is done, or as much of it as fits into one segment."""

    sha256: str
    size: int
    n_files: int
    n_docs: int
    taken: int
    """Files of the job that are dealt with; the rest needs another segment."""


def build_segment(job: BuildJob) -> Generator[FileStarted | Assembling | SegmentWritten]:
    """Index the files of a job into one new segment."""
    workspace = Workspace(
        [Path(root) for root in job.roots], ledger=Ledger(_CHILD_LEDGER_BYTES), limits=job.limits, secrets=job.secrets
    )
    analyser = Analyser(job.definitions)
    assembler = Assembler()
    taken, pid = 0, os.getpid()
    for position, wanted in enumerate(job.files):
        if assembler.n_postings >= job.max_postings:
            break
        yield FileStarted(position, pid, time.process_time())
        indexed = index_file(workspace, analyser, wanted, job.racy_ns)
        if indexed is not None:
            assembler.add(*indexed)
        taken = position + 1
    yield Assembling()
    sha256, size = write_segment(Path(job.target), assembler.arrays()) if assembler.n_files else ("", 0)
    yield SegmentWritten(sha256, size, assembler.n_files, assembler.n_docs, taken)


def index_file(workspace: Workspace, analyser: Analyser, wanted: WantedFile, racy_ns: int) -> tuple[FileRow, FileAnalysis] | None:
    """Read and analyse one file; None if it has gone. What cannot be read is kept with its reason, so that it is counted."""
    if not wanted.is_read:
        return _unread(wanted, FileStatus.FAILED)
    if wanted.stat[1] > MAX_FILE_BYTES:
        return _unread(wanted, FileStatus.TOO_LARGE)
    read_ns = time.time_ns()
    try:
        source = workspace.read(wanted.path, deadline=Deadline(UNBOUNDED))
    except PathNotFound:
        return None
    except SecretDenied:
        return _unread(wanted, FileStatus.SECRET)
    except FileTooLarge:
        return _unread(wanted, FileStatus.TOO_LARGE)
    except BinaryFile:
        return _unread(wanted, FileStatus.BINARY)
    except PenstockError:
        return _unread(wanted, FileStatus.UNREADABLE)
    analysis = analyser.analyse(wanted.path, source.data, is_parsed=wanted.is_parsed)
    is_racy = source.is_changing or is_young(source.stat, read_ns, racy_ns)
    return row_of(wanted.path, source, analysis.status, analysis.lines, is_racy=is_racy), analysis


def row_of(path: str, source: SourceFile, status: FileStatus, lines: int, *, is_racy: bool) -> FileRow:
    """Describe a file that was read."""
    stat = source.stat
    digest = bytes.fromhex(source.sha256)[:16]
    return FileRow(path, stat.ino, stat.size, stat.mtime_ns, stat.ctime_ns, digest, status, lines, is_racy)


def is_young(stat: FileStat, read_ns: int, racy_ns: int) -> bool:
    """Whether a later change could leave the same time stamps."""
    return read_ns - max(stat.mtime_ns, stat.ctime_ns) < racy_ns


def unread_row(path: str, stat: Stat, status: FileStatus) -> FileRow:
    """Describe a file whose bytes are not in the index; a change of its stat makes it be tried again."""
    digest = hashlib.sha256(b"\0unread\0" + os.fsencode(path)).digest()[:16]
    return FileRow(path, *stat, digest, status, 0, is_racy=False)


def _unread(wanted: WantedFile, status: FileStatus) -> tuple[FileRow, FileAnalysis]:
    return unread_row(wanted.path, wanted.stat, status), FileAnalysis(status, 0, ())


def merge_segments(sources: tuple[tuple[str, str, int, bytes], ...], target: str) -> SegmentWritten:
    """Merge segments, given as (path, sha256, size, mask of live files), into one new one."""
    opened = [
        (open_segment(Path(path), sha256=sha256, size=size), np.frombuffer(mask, np.bool_))
        for path, sha256, size, mask in sources
    ]
    arrays = merge(opened)
    sha256, size = write_segment(Path(target), arrays)
    n_files = len(arrays["file_status"])
    return SegmentWritten(sha256, size, n_files, len(arrays["doc_len"]), n_files)
