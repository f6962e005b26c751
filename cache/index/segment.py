"""Segments: immutable pieces of the index on disk, mapped read-only.

A segment is one file: magic, format version, a JSON table of its arrays, the arrays. Postings are CSR by term (`post_ptr`,
`post_doc`, `post_tf`), the forward lists CSR by document (`fwd_ptr`, `fwd_term`), terms are sorted byte strings found by
a hash table, those with a prefix by bisection. The manifest holds each file's sha256; it is verified before the file is mapped,
reading it in pieces so that nothing stays resident. Mapped pages are the page cache's and go away with the map.
"""

import hashlib
import json
import mmap
import os
import re
import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .bounds import FileBounds
from .chunk import FileStatus, Import, Symbol
from .formula import MAX_DOCS
from .packing import parse_imports, parse_symbols
from .vocabulary import Vocabulary

FORMAT_VERSION: Final = 3
_MAGIC: Final = b"PSTKSEG\0"
_HEADER: Final = struct.Struct("<8sII")
_ALIGN: Final = 64
_PIECE_BYTES: Final = 1 << 20
MAX_INODE: Final = (1 << 63) - 1
_DONTNEED: Final[int | None] = getattr(mmap, "MADV_DONTNEED", None)
"""Not on Windows. The maps are shared and read-only, so nothing is lost."""

_COLUMNS: Final = (
    *("bound_file", "bound_most", "bound_first", "post_doc", "post_tf", "doc_len", "doc_file", "file_doc"),
    *("often_docs", "often_term", "term_slot", "terms_ptr", "terms_blob", "post_ptr", "bound_ptr"),
)

Array = npt.NDArray[Any]
Documents = npt.NDArray[np.uint32]


class SegmentDamaged(ValueError):
    """The file is not what the manifest says; the index is rebuilt."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of a segment."""

    path: str
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    digest: bytes
    status: FileStatus
    lines: int
    is_racy: bool


def stat_table(stats: Sequence[tuple[int, int, int, int]]) -> npt.NDArray[np.int64]:
    """Lay out (inode, size, mtime, ctime); inodes of some file systems use all 64 bits and lose their sign here."""
    return np.asarray([(inode & MAX_INODE, size, mtime, ctime) for inode, size, mtime, ctime in stats], np.int64).reshape(-1, 4)


class Segment(Vocabulary):
    """A mapped segment. Immutable and thread-safe; the map ends when the last array over it is dropped."""

    def __init__(self, name: str, arrays: Mapping[str, Array], nbytes: int, mapped: mmap.mmap | None = None) -> None:
        super().__init__(arrays)
        self.name: Final = name
        self._mapped: Final = mapped
        self.nbytes: Final = nbytes
        self.post_ptr: Array = arrays["post_ptr"]
        self._post_ptr: Final = memoryview(arrays["post_ptr"].data)
        self.post_doc: Array = arrays["post_doc"]
        self.post_tf: Array = arrays["post_tf"]
        self.fwd_ptr: npt.NDArray[np.int64] = arrays["fwd_ptr"]
        self.fwd_term: Documents = arrays["fwd_term"]
        self.sym_ptr: Array = arrays["symp_ptr"]
        self.sym_doc: Documents = arrays["symp_doc"]
        self.call_ptr: Array = arrays["callp_ptr"]
        self.call_doc: Documents = arrays["callp_doc"]
        self._path_ptr: Final = memoryview(arrays["path_ptr"].data)
        self.path_file: Documents = arrays["path_file"]
        self.doc_len: Documents = arrays["doc_len"]
        self.doc_file: Documents = arrays["doc_file"]
        self.doc_start: Documents = arrays["doc_start"]
        self.doc_end: Documents = arrays["doc_end"]
        self._symbols_ptr: Final = memoryview(arrays["symbols_ptr"].data)
        self._symbols_blob: Final = memoryview(arrays["symbols_blob"].data)
        self._file_ptr: Final = memoryview(arrays["file_ptr"].data)
        self._file_blob: Final = memoryview(arrays["file_blob"].data)
        self._imports_ptr: Final = memoryview(arrays["imports_ptr"].data)
        self._imports_blob: Final = memoryview(arrays["imports_blob"].data)
        self.file_doc: npt.NDArray[np.int64] = arrays["file_doc"]
        self.file_stat: npt.NDArray[np.int64] = arrays["file_stat"]
        self._file_sha: Array = arrays["file_sha"]
        self.file_status: npt.NDArray[np.uint8] = arrays["file_status"]
        self.file_lines: Documents = arrays["file_lines"]
        self.file_racy: npt.NDArray[np.uint8] = arrays["file_racy"]
        self.file_kind: npt.NDArray[np.uint8] = arrays["file_kind"]
        self.path_ptr: Array = arrays["path_ptr"]
        self.bounds: Final = FileBounds(arrays)
        self.columns: Final = tuple([arrays[name] for name in _COLUMNS])
        """What `compiled.py` reads, in its order."""
        self.rooms: Final = np.maximum(np.diff(self.file_doc), MAX_DOCS)
        """Chunks of each file, or as many as an answer may speak of."""
        self.n_docs: Final = len(self.doc_len)
        self.n_files: Final = len(self.file_status)

    def __repr__(self) -> str:
        return f"<Segment {self.name}: {self.n_docs} chunks of {self.n_files} files, {self.n_terms} terms>"

    def release_pages(self) -> None:
        """Let go of the mapped pages, not of the map: what is read next comes from the page cache again."""
        if self._mapped is not None and _DONTNEED is not None:
            self._mapped.madvise(_DONTNEED)

    def path(self, file_id: int) -> str:
        """Return the path of a file."""
        return os.fsdecode(bytes(self._file_blob[self._file_ptr[file_id] : self._file_ptr[file_id + 1]]))

    def paths(self) -> Iterator[str]:
        """Yield every path, by file id; one at a time, for a list of them all would leave the heap in pieces."""
        blob, first = self._file_blob, 0
        for last in self._file_ptr[1:]:
            yield os.fsdecode(bytes(blob[first:last]))
            first = last

    def digest(self, file_id: int) -> bytes:
        """Return the first 16 bytes of a file's sha256."""
        return self._file_sha[file_id].tobytes()

    def row(self, file_id: int) -> FileRow:
        """Return all that is known of a file."""
        inode, size, mtime_ns, ctime_ns = (int(x) for x in self.file_stat[file_id])
        status = FileStatus(int(self.file_status[file_id]))
        lines, is_racy = int(self.file_lines[file_id]), bool(self.file_racy[file_id])
        return FileRow(self.path(file_id), inode, size, mtime_ns, ctime_ns, self.digest(file_id), status, lines, is_racy)

    def symbols(self, doc: int) -> tuple[Symbol, ...]:
        """Return the definitions that begin in a chunk."""
        return parse_symbols(self.symbols_raw(doc).decode("utf-8"))

    def symbols_raw(self, doc: int) -> bytes:
        """Return the packed definitions of a chunk."""
        return bytes(self._symbols_blob[self._symbols_ptr[doc] : self._symbols_ptr[doc + 1]])

    def imports(self, file_id: int) -> tuple[Import, ...]:
        """Return what a file imports."""
        return parse_imports(self.imports_raw(file_id).decode("utf-8"))

    def imports_raw(self, file_id: int) -> bytes:
        """Return the packed imports of a file."""
        return bytes(self._imports_blob[self._imports_ptr[file_id] : self._imports_ptr[file_id + 1]])

    def files_importing(self, name: str) -> list[int]:
        """Return the files that have `name` somewhere among their imports, ascending."""
        found = re.finditer(re.escape(name.encode("utf-8", "replace")), self._imports_blob)
        return list(dict.fromkeys(bisect_right(self._imports_ptr, match.start()) - 1 for match in found))

    def postings(self, tid: int) -> tuple[Array, Array]:
        """Return the chunks that hold a term, and how often each does."""
        first, last = self.range_of(tid)
        return self.post_doc[first:last], self.post_tf[first:last]

    def range_of(self, tid: int) -> tuple[int, int]:
        """Return where the postings of a term begin and end."""
        return self._post_ptr[tid], self._post_ptr[tid + 1]

    def symbol_docs(self, tid: int) -> Documents:
        """Return the chunks that define a symbol with this token in its name."""
        return self.sym_doc[int(self.sym_ptr[tid]) : int(self.sym_ptr[tid + 1])]

    def call_docs(self, tid: int) -> Documents:
        """Return the chunks that call what has this token as its whole name."""
        return self.call_doc[int(self.call_ptr[tid]) : int(self.call_ptr[tid + 1])]

    def has_path(self, tid: int) -> bool:
        """Whether there are files with this token in their path."""
        return self._path_ptr[tid] < self._path_ptr[tid + 1]

    def path_files(self, tid: int) -> Documents:
        """Return the files with this token in their path."""
        return self.path_file[self._path_ptr[tid] : self._path_ptr[tid + 1]]

    def doc_terms(self, doc: int) -> Documents:
        """Return the distinct terms of a chunk, as ids in order."""
        return self.fwd_term[int(self.fwd_ptr[doc]) : int(self.fwd_ptr[doc + 1])]


def write_segment(path: Path, arrays: Mapping[str, Array]) -> tuple[str, int]:
    """Write arrays to a new file, durably, and return its sha256 and size.

    Raises:
        OSError: The disk is full or read-only; nothing is left behind.
    """
    table: dict[str, tuple[str, list[int], int]] = {}
    offset = 0
    for name, array in arrays.items():
        table[name] = (array.dtype.str, list(array.shape), offset)
        offset += -(-array.nbytes // _ALIGN) * _ALIGN
    head = json.dumps(table, separators=(",", ":")).encode()
    head += b" " * (-(_HEADER.size + len(head)) % _ALIGN)
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            for piece in _pieces(_HEADER.pack(_MAGIC, FORMAT_VERSION, len(head)) + head, arrays.values()):
                out.write(piece)
                digest.update(piece)
                size += len(piece)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return digest.hexdigest(), size


def _pieces(head: bytes, arrays: Iterator[Array] | Any) -> Iterator[bytes]:
    yield head
    for array in arrays:
        raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        for at in range(0, len(raw), _PIECE_BYTES):
            yield raw[at : at + _PIECE_BYTES].tobytes()
        yield b"\0" * (-array.nbytes % _ALIGN)


def open_segment(path: Path, *, sha256: str, size: int) -> Segment:
    """Verify and map a segment.

    Raises:
        SegmentDamaged: Wrong size, hash, magic or version.
        OSError: It cannot be read; FileNotFoundError after another process has replaced it.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size != size:
            raise SegmentDamaged(f"{path.name}: wrong size")
        digest = hashlib.sha256()
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
        if digest.hexdigest() != sha256:
            raise SegmentDamaged(f"{path.name}: wrong hash")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    magic, version, head_bytes = _HEADER.unpack_from(mapped)
    if magic != _MAGIC or version != FORMAT_VERSION:
        raise SegmentDamaged(f"{path.name}: unknown format")
    base = _HEADER.size + head_bytes
    arrays: dict[str, Array] = {}
    for name, (dtype, shape, offset) in json.loads(mapped[_HEADER.size : base]).items():
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(mapped, dtype=np.dtype(dtype), count=count, offset=base + offset).reshape(shape)
    return Segment(path.name, arrays, size, mapped)
