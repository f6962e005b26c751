"""Assembling segments: analysed files -> the arrays of a segment. Pure; runs in the worker.

Documents keep the order in which files came; the terms of the segment are sorted, and ids follow that order.
Peak memory is about 40 bytes per posting, which bounds how large a segment may grow.
"""

import os
from array import array
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from .analyse import FileAnalysis
from .bounds import bound_arrays
from .kinds import kind_of
from .named import path_terms, symbol_terms
from .packing import imports_text, symbols_text
from .segment import Array, FileRow, stat_table
from .tokenise import hash_of
from .vocabulary import slot_array

MAX_POSTINGS: Final = 8_000_000
"""Postings a segment may hold: about 320 MB while it is assembled, and 80 MB on disk."""
_FAR: Final = 0xFFFF


class Assembler:
    """Collects files and gives the arrays of a segment."""

    def __init__(self) -> None:
        self._ids: defaultdict[str, int] = defaultdict()
        self._ids.default_factory = self._ids.__len__
        self._doc_ptr = array("q", [0])
        self._doc_terms = array("I")
        self._doc_tfs = array("I")
        self._docs: list[tuple[int, int, int, int]] = []
        self._symbol_texts: list[bytes] = []
        self._symbol_pairs: list[tuple[int, int]] = []
        self._call_pairs: list[tuple[int, int]] = []
        self._path_pairs: list[tuple[int, int]] = []
        self._imports: list[bytes] = []
        self._rows: list[FileRow] = []
        self._file_doc = array("q", [0])

    @property
    def n_postings(self) -> int:
        """Postings collected so far."""
        return len(self._doc_terms)

    @property
    def n_files(self) -> int:
        """Files collected so far."""
        return len(self._rows)

    @property
    def n_docs(self) -> int:
        """Chunks collected so far."""
        return len(self._docs)

    def add(self, row: FileRow, analysis: FileAnalysis) -> None:
        """Take a file in."""
        file_id, ids = len(self._rows), self._ids
        self._rows.append(row)
        for chunk in analysis.chunks:
            doc = len(self._docs)
            self._docs.append((file_id, chunk.start, chunk.end, chunk.length))
            self._doc_terms.extend(map(ids.__getitem__, chunk.terms))
            self._doc_tfs.extend(chunk.terms.values())
            self._doc_ptr.append(len(self._doc_terms))
            self._symbol_texts.append(symbols_text(chunk.symbols).encode("utf-8", "replace"))
            self._symbol_pairs.extend((ids[term], doc) for term in sorted(symbol_terms(chunk.symbols)))
            self._call_pairs.extend((ids[name], doc) for name in chunk.calls)
        self._imports.append(imports_text(analysis.imports).encode("utf-8", "replace"))
        self._file_doc.append(len(self._docs))
        if row.status.is_searchable:
            self._path_pairs.extend((ids[term], file_id) for term in sorted(path_terms(row.path)))

    def arrays(self) -> dict[str, Array]:
        """Return the arrays of the segment."""
        encoded = [term.encode("utf-8", "surrogatepass") for term in self._ids]
        order = sorted(range(len(encoded)), key=encoded.__getitem__)
        rank = np.empty(len(order), np.uint32)
        rank[np.asarray(order, np.int64)] = np.arange(len(order), dtype=np.uint32)
        doc_ptr = np.frombuffer(self._doc_ptr, np.int64).copy()
        terms = rank[_uints(self._doc_terms)]
        tfs = _uints(self._doc_tfs)
        docs = np.asarray(self._docs, np.int64).reshape(-1, 4)
        arrays = term_arrays([encoded[i] for i in order])
        arrays |= posting_arrays(len(order), doc_ptr, terms, tfs)
        arrays |= pair_arrays("symp", "symp_doc", len(order), _ranked(self._symbol_pairs, rank))
        arrays |= pair_arrays("callp", "callp_doc", len(order), _ranked(self._call_pairs, rank))
        arrays |= pair_arrays("path", "path_file", len(order), _ranked(self._path_pairs, rank))
        arrays |= document_arrays(docs)
        arrays["symbols_ptr"], arrays["symbols_blob"] = blob_of(self._symbol_texts)
        arrays["imports_ptr"], arrays["imports_blob"] = blob_of(self._imports)
        arrays |= file_arrays(self._rows, np.frombuffer(self._file_doc, np.int64).copy())
        return arrays | bound_arrays(arrays)


def term_arrays(encoded: Sequence[bytes]) -> dict[str, Array]:
    """Lay out sorted terms, with 64-bit hashes that join the vocabularies of several segments."""
    ptr, blob = blob_of(encoded)
    hashes = np.frombuffer(b"".join(map(hash_of, encoded)), np.uint64)
    return {"terms_ptr": ptr, "terms_blob": blob, "term_hash": hashes, "term_slot": slot_array(hashes)}


def posting_arrays(
    n_terms: int, doc_ptr: npt.NDArray[np.int64], terms: npt.NDArray[np.uint32], tfs: npt.NDArray[np.uint32]
) -> dict[str, Array]:
    """Invert documents given as CSR into postings by term, documents ascending, and sorted forward lists."""
    owner = np.repeat(np.arange(len(doc_ptr) - 1, dtype=np.uint32), np.diff(doc_ptr))
    order = np.argsort(terms, kind="stable")
    counts = np.bincount(terms, minlength=n_terms)
    # Two bytes are enough for the chunks of most segments.
    post_doc = owner[order].astype(np.uint16 if len(doc_ptr) - 1 <= _FAR else np.uint32, copy=False)
    post_tf = tfs[order]
    if not len(post_tf) or int(post_tf.max()) <= _FAR:
        post_tf = post_tf.astype(np.uint16)
    # Sorting the inverted lists by document, stably, leaves each document's terms ascending.
    forward = np.repeat(np.arange(n_terms, dtype=np.uint32), counts)[np.argsort(post_doc, kind="stable")]
    pointer = _short(pointer_of(counts))
    return {"post_ptr": pointer, "post_doc": post_doc, "post_tf": post_tf, "fwd_ptr": doc_ptr, "fwd_term": forward}


def pair_arrays(pointer: str, target: str, n_terms: int, pairs: npt.NDArray[np.int64]) -> dict[str, Array]:
    """Lay out (term, target) pairs as CSR by term."""
    order = np.argsort(pairs[:, 0], kind="stable")
    counts = np.bincount(pairs[:, 0], minlength=n_terms)
    return {f"{pointer}_ptr": _short(pointer_of(counts)), target: pairs[:, 1][order].astype(np.uint32)}


def document_arrays(docs: npt.NDArray[np.int64]) -> dict[str, Array]:
    """Lay out the columns file, first line, last line, length of the documents."""
    names = ("doc_file", "doc_start", "doc_end", "doc_len")
    return {name: docs[:, column].astype(np.uint32) for column, name in enumerate(names)}


def file_arrays(rows: Sequence[FileRow], file_doc: npt.NDArray[np.int64]) -> dict[str, Array]:
    """Lay out the file table."""
    ptr, blob = blob_of([os.fsencode(row.path) for row in rows])
    return {
        "file_ptr": ptr,
        "file_blob": blob,
        "file_doc": file_doc,
        "file_stat": stat_table([(r.inode, r.size, r.mtime_ns, r.ctime_ns) for r in rows]),
        "file_sha": np.frombuffer(b"".join(row.digest for row in rows), np.uint8).reshape(-1, 16),
        "file_status": np.asarray([row.status for row in rows], np.uint8),
        "file_lines": np.asarray([row.lines for row in rows], np.uint32),
        "file_racy": np.asarray([row.is_racy for row in rows], np.uint8),
        "file_kind": np.asarray([kind_of(row.path) for row in rows], np.uint8),
    }


def blob_of(pieces: Sequence[bytes]) -> tuple[Array, Array]:
    """Return the offsets and the bytes of pieces laid end to end."""
    lengths = np.asarray([len(piece) for piece in pieces], np.int64)
    return _short(pointer_of(lengths)), np.frombuffer(b"".join(pieces), np.uint8)


def pointer_of(counts: Array) -> npt.NDArray[np.int64]:
    """Return where each run begins, and where the last one ends."""
    pointer = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=pointer[1:])
    return pointer


def _short(pointer: npt.NDArray[np.int64]) -> Array:
    """Return the same in four bytes each, if they are enough: there are as many of them as terms."""
    return pointer.astype(np.uint32) if int(pointer[-1]) < 1 << 32 else pointer


def _uints(values: "array[int]") -> npt.NDArray[np.uint32]:
    return np.frombuffer(values, np.uint32) if len(values) else np.empty(0, np.uint32)


def _ranked(pairs: Sequence[tuple[int, int]], rank: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    table = np.asarray(pairs, np.int64).reshape(-1, 2)
    table[:, 0] = rank[table[:, 0]]
    return table
