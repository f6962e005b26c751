import hashlib
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.index.analyse import AnalysedChunk, FileAnalysis
from penstock.cache.index.assemble import Assembler
from penstock.cache.index.bounds import STEP, FileBounds
from penstock.cache.index.chunk import FileStatus
from penstock.cache.index.formula import K1, SHARES, B
from penstock.cache.index.segment import Array, FileRow

FILES = st.lists(st.lists(st.lists(st.sampled_from("abcdef"), max_size=9), max_size=5), max_size=8)


def arrays_of(files: list[list[list[str]]]) -> dict[str, Array]:
    assembler = Assembler()
    for number, chunks in enumerate(files):
        made = [AnalysedChunk(1, 10, (), len(tokens), dict(Counter(tokens))) for tokens in chunks]
        row = FileRow(f"{number}", 7, 1, 5, 6, hashlib.sha256().digest()[:16], FileStatus.INDEXED, 10, is_racy=False)
        assembler.add(row, FileAnalysis(FileStatus.INDEXED, 10, tuple(made)))
    return assembler.arrays()


@settings(deadline=None)
@given(files=FILES, longer=st.floats(0.1, 10))
def test_no_file_gets_more_from_a_term_than_its_bound(files: list[list[list[str]]], longer: float) -> None:
    """Also where the chunks of the state are longer or shorter in the mean than those of the segment."""
    arrays = arrays_of(files)
    bounds = FileBounds(arrays)
    mean = bounds.mean * longer
    terms = sorted({token for chunks in files for tokens in chunks for token in tokens})
    for tid, term in enumerate(terms):
        first, last = bounds.range_of(tid)
        held = {int(file): int(most) for file, most in zip(bounds.file[first:last], bounds.most[first:last], strict=True)}
        assert set(held) == {n for n, chunks in enumerate(files) if any(term in tokens for tokens in chunks)}
        for number, most in held.items():
            counts = [(tokens.count(term), len(tokens)) for tokens in files[number]]
            gains = sorted((tf / (tf + K1 * (1 - B + B * length / mean)) for tf, length in counts if tf), reverse=True)
            given_most = sum(share * gain for share, gain in zip(SHARES, gains, strict=False))
            assert given_most <= most * STEP * max(1.0, longer) * (1 + 1e-12)


@settings(deadline=None)
@given(files=FILES)
def test_a_bound_tells_where_its_postings_are(files: list[list[list[str]]]) -> None:
    arrays = arrays_of(files)
    bounds = FileBounds(arrays)
    for tid in range(len(arrays["post_ptr"]) - 1):
        first, last = bounds.range_of(tid)
        for place in range(first, last):
            docs = arrays["post_doc"][int(bounds.first[place]) : int(bounds.first[place + 1])]
            assert set(arrays["doc_file"][docs].tolist()) == {int(bounds.file[place])}
        if first < last:
            assert int(bounds.first[first]) == int(arrays["post_ptr"][tid])
            assert int(bounds.first[last]) == int(arrays["post_ptr"][tid + 1])


@settings(deadline=None)
@given(files=FILES)
def test_the_row_of_a_frequent_term_has_a_bit_for_each_of_its_chunks(files: list[list[list[str]]]) -> None:
    arrays = arrays_of(files)
    bounds, n_docs = FileBounds(arrays), len(arrays["doc_len"])
    for tid in range(len(arrays["post_ptr"]) - 1):
        docs = arrays["post_doc"][int(arrays["post_ptr"][tid]) : int(arrays["post_ptr"][tid + 1])]
        row = bounds.row_of(tid)
        if row >= 0:
            assert np.unpackbits(bounds.often[row], count=n_docs).nonzero()[0].tolist() == docs.tolist()
        else:
            assert len(docs) * 32 <= n_docs
