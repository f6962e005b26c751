import hashlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.index import best
from penstock.cache.index.analyse import AnalysedChunk, FileAnalysis
from penstock.cache.index.assemble import Assembler
from penstock.cache.index.best import best_chunks
from penstock.cache.index.bm25 import score
from penstock.cache.index.catalog import key_of
from penstock.cache.index.chunk import FileStatus
from penstock.cache.index.delta import DeltaFile
from penstock.cache.index.rows import MAX_ROWS, FrequencyRows, row_bytes, rows_of
from penstock.cache.index.segment import FileRow, Segment, open_segment, write_segment
from penstock.cache.index.state import IndexState

WORDS = [f"word{n}" for n in range(60)]


def file_of(rng: random.Random, path: str) -> tuple[FileRow, FileAnalysis]:
    """A file of some chunks whose words follow Zipf's law, as those of texts do."""
    chunks: list[AnalysedChunk] = []
    for number in range(rng.randrange(1, 9)):
        words = rng.choices(WORDS, [1 / (rank + 1) for rank in range(len(WORDS))], k=rng.randrange(1, 25))
        chunks.append(AnalysedChunk(1 + 10 * number, 10 + 10 * number, (), len(words), dict(Counter(words))))
    digest = hashlib.sha256(repr(chunks).encode()).digest()[:16]
    row = FileRow(path, 7, len(chunks), 5, 6, digest, FileStatus.INDEXED, 10 * len(chunks), is_racy=False)
    return row, FileAnalysis(FileStatus.INDEXED, row.lines, tuple(chunks))


def segment_of(rng: random.Random, paths: list[str], folder: Path) -> Segment:
    assembler = Assembler()
    for path in paths:
        assembler.add(*file_of(rng, path))
    target = folder / f"{paths[0]}-{len(paths)}.seg"
    sha256, size = write_segment(target, assembler.arrays())
    return open_segment(target, sha256=sha256, size=size)


def state_of(rng: random.Random, folder: Path) -> IndexState:
    """Two segments, the second with newer copies of some files of the first, a delta, and files that are gone."""
    paths = [f"f{n}" for n in range(140)]
    segments = [segment_of(rng, paths[:110], folder), segment_of(rng, paths[95:], folder)]
    state = IndexState().adopted(segments, 1)
    changed = rng.sample(paths, rng.randrange(6))
    files = {key_of(path): DeltaFile(*file_of(rng, path)) for path in changed}
    gone = np.asarray([key_of(path) for path in rng.sample(paths, rng.randrange(9)) if path not in changed], np.int64)
    return state.updated(files, {}, gone, 1.0)


def everything(state: IndexState, weights: Mapping[str, float]) -> list[tuple[int, int, float]]:
    found = [
        (number, int(doc), float(source.scores[doc]))
        for number, source in enumerate(score(state, weights).sources)
        for doc in source.docs
    ]
    return sorted(found, key=lambda one: (-one[2], one[0], one[1]))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 32), k=st.integers(1, 40), times=st.lists(st.sampled_from([0.6, 1.0, 2.0]), min_size=7, max_size=7)
)
def test_the_best_are_those_of_scoring_everything(
    seed: int, k: int, times: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = random.Random(seed)
    state = state_of(rng, tmp_path_factory.mktemp("segments"))
    for _ in range(6):
        words = rng.sample([*WORDS, "nowhere"], rng.randrange(1, 7))
        weights = dict(zip(words, times, strict=False))
        found, expected = best_chunks(state, weights, k), everything(state, weights)[:k]
        assert len(found) == len(expected)
        assert max((abs(a[2] - b[2]) for a, b in zip(found, expected, strict=True)), default=0) < 1e-9
        assert order(found) == order(expected)


def order(chunks: list[tuple[int, int, float]]) -> list[tuple[float, int, int]]:
    """The order that an answer must have, scores that differ by rounding alone being equal; the last score may be a tie."""
    worst = round(chunks[-1][2], 9) if chunks else 0.0
    return sorted((-round(value, 9), source, doc) for source, doc, value in chunks if round(value, 9) > worst)


def test_most_postings_are_left_out_where_rare_words_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    state = IndexState().adopted([segment_of(rng, [f"f{n}" for n in range(400)], tmp_path)], 1)
    monkeypatch.setattr(best, "segment_scores", None)  # scoring everything would fail
    weights = {"word0": 1.0, "word1": 1.0, "word50": 1.0, "word55": 1.0}
    assert len(best_chunks(state, weights, 3)) == 3


def test_equal_chunks_come_in_the_order_of_their_place(tmp_path: Path) -> None:
    rng = random.Random(2)
    row, analysis = file_of(rng, "a")
    assembler = Assembler()
    for number in range(30):
        assembler.add(replace(row, path=f"f{number}"), analysis)
    sha256, size = write_segment(tmp_path / "a.seg", assembler.arrays())
    state = IndexState().adopted([open_segment(tmp_path / "a.seg", sha256=sha256, size=size)], 1)
    word = next(iter(analysis.chunks[0].terms))
    docs = [doc for _, doc, value in best_chunks(state, {word: 1.0}, 30) if value == best_chunks(state, {word: 1.0}, 1)[0][2]]
    assert docs == sorted(docs)


def test_a_segment_keeps_few_rows_and_they_are_its_postings(tmp_path: Path) -> None:
    segment = segment_of(random.Random(3), [f"f{n}" for n in range(50)], tmp_path)
    rows = FrequencyRows(segment)
    for tid in [*range(segment.n_terms), 0, 1]:
        row = rows.row(tid)
        docs, tfs = segment.postings(tid)
        assert row.nonzero()[0].tolist() == docs.tolist()
        assert row[docs].tolist() == tfs.tolist()
    assert repr(rows).endswith(f"{MAX_ROWS} of {MAX_ROWS}>")
    assert rows.nbytes == MAX_ROWS * segment.n_docs
    assert row_bytes(segment) == 0, "these rows are not the segment's own"
    rows_of(segment).row(0)
    assert row_bytes(segment) == segment.n_docs
