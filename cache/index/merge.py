"""Merging segments: several and their dead files -> the arrays of one. Pure; runs in the worker.

Files and documents keep their order, terms that no live file uses any more are dropped. Peak memory is about 40 bytes per
posting.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .assemble import blob_of, document_arrays, file_arrays, pair_arrays, pointer_of, posting_arrays, term_arrays
from .bounds import bound_arrays
from .segment import Array, FileRow, Segment

LiveFiles = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class _Columns:
    """What was taken over so far, by the numbers of the merged segment."""

    rows: list[FileRow] = field(default_factory=list[FileRow])
    symbols: list[bytes] = field(default_factory=list[bytes])
    n_docs: int = 0
    terms: list[Ints] = field(default_factory=list[Ints])
    tfs: list[Array] = field(default_factory=list[Array])
    doc_terms: list[Ints] = field(default_factory=list[Ints])
    docs: list[Ints] = field(default_factory=list[Ints])
    file_docs: list[Ints] = field(default_factory=list[Ints])
    symbol_pairs: list[Ints] = field(default_factory=list[Ints])
    call_pairs: list[Ints] = field(default_factory=list[Ints])
    imports: list[bytes] = field(default_factory=list[bytes])
    path_pairs: list[Ints] = field(default_factory=list[Ints])


def merge(segments: Sequence[tuple[Segment, LiveFiles]]) -> dict[str, Array]:
    """Merge segments, each given with the mask of its live files."""
    vocabularies = [segment.terms() for segment, _ in segments]
    vocabulary = sorted(set().union(*vocabularies))
    index = {term: i for i, term in enumerate(vocabulary)}
    columns = _Columns()
    for (segment, is_live), terms in zip(segments, vocabularies, strict=True):
        mapping = np.fromiter((index[term] for term in terms), np.int64, len(terms))
        _take_over(columns, segment, is_live, mapping)
    return _laid_out(columns, vocabulary)


def _take_over(columns: _Columns, segment: Segment, is_live: LiveFiles, mapping: Ints) -> None:
    live_docs = is_live[segment.doc_file]
    kept = np.flatnonzero(live_docs)
    new_doc = np.cumsum(live_docs) - 1 + columns.n_docs
    new_file = np.cumsum(is_live) - 1 + len(columns.rows)
    doc_terms = np.diff(segment.fwd_ptr)
    is_kept = np.repeat(live_docs, doc_terms)
    # Postings sorted stably by document stand in the order of the forward lists.
    tfs = segment.post_tf[np.argsort(segment.post_doc, kind="stable")]
    columns.terms.append(mapping[segment.fwd_term[is_kept]])
    columns.tfs.append(tfs[is_kept])
    columns.doc_terms.append(doc_terms[kept])
    spans = [segment.doc_start[kept], segment.doc_end[kept], segment.doc_len[kept]]
    columns.docs.append(np.column_stack([new_file[segment.doc_file[kept]], *spans]).astype(np.int64))
    columns.file_docs.append(np.diff(segment.file_doc)[is_live])
    columns.symbol_pairs.append(_pairs(segment.sym_ptr, segment.sym_doc, live_docs, mapping, new_doc))
    columns.call_pairs.append(_pairs(segment.call_ptr, segment.call_doc, live_docs, mapping, new_doc))
    columns.path_pairs.append(_pairs(segment.path_ptr, segment.path_file, is_live, mapping, new_file))
    columns.symbols.extend(segment.symbols_raw(doc) for doc in kept.tolist())
    columns.imports.extend(segment.imports_raw(file_id) for file_id in np.flatnonzero(is_live).tolist())
    columns.rows.extend(segment.row(file_id) for file_id in np.flatnonzero(is_live).tolist())
    columns.n_docs += len(kept)


def _pairs(pointer: Ints, targets: Array, is_live: npt.NDArray[np.bool_], mapping: Ints, renumbered: Ints) -> Ints:
    terms = np.repeat(mapping, np.diff(pointer))
    is_kept = is_live[targets]
    return np.column_stack([terms[is_kept], renumbered[targets[is_kept]]]).astype(np.int64)


def _laid_out(columns: _Columns, vocabulary: Sequence[bytes]) -> dict[str, Array]:
    terms = np.concatenate(columns.terms)
    held = (columns.symbol_pairs, columns.call_pairs, columns.path_pairs)
    symbol_pairs, call_pairs, path_pairs = (np.concatenate(pairs) for pairs in held)
    is_used = np.zeros(len(vocabulary), np.bool_)
    for used in (terms, symbol_pairs[:, 0], call_pairs[:, 0], path_pairs[:, 0]):
        is_used[used] = True
    renumbered = np.cumsum(is_used) - 1
    n_terms = int(is_used.sum())
    for pairs in (symbol_pairs, call_pairs, path_pairs):
        pairs[:, 0] = renumbered[pairs[:, 0]]
    arrays = term_arrays([vocabulary[i] for i in np.flatnonzero(is_used).tolist()])
    arrays |= posting_arrays(
        n_terms,
        pointer_of(np.concatenate(columns.doc_terms)),
        renumbered[terms].astype(np.uint32),
        np.concatenate(columns.tfs).astype(np.uint32),
    )
    arrays |= pair_arrays("symp", "symp_doc", n_terms, symbol_pairs)
    arrays |= pair_arrays("callp", "callp_doc", n_terms, call_pairs)
    arrays |= pair_arrays("path", "path_file", n_terms, path_pairs)
    arrays |= document_arrays(np.concatenate(columns.docs))
    arrays["symbols_ptr"], arrays["symbols_blob"] = blob_of(columns.symbols)
    arrays["imports_ptr"], arrays["imports_blob"] = blob_of(columns.imports)
    arrays |= file_arrays(columns.rows, pointer_of(np.concatenate(columns.file_docs)))
    return arrays | bound_arrays(arrays)
