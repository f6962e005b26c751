import hashlib
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.index.analyse import AnalysedChunk, FileAnalysis
from penstock.cache.index.assemble import Assembler
from penstock.cache.index.catalog import Catalog, WalkTable, key_of
from penstock.cache.index.chunk import FileStatus, Symbol
from penstock.cache.index.delta import DeltaFile
from penstock.cache.index.documents import documents_of
from penstock.cache.index.manifest import IndexDirectory, SegmentEntry, engine_version
from penstock.cache.index.merge import merge
from penstock.cache.index.named import path_terms
from penstock.cache.index.segment import FileRow, Segment, SegmentDamaged, open_segment, write_segment
from penstock.cache.index.state import IndexState
from penstock.cache.index.tokenise import number_of

Text = dict[str, list[list[str]]]
"""Path -> chunks -> tokens."""
TEXTS = st.dictionaries(
    st.sampled_from(["a.py", "lib/b.rs", "c.md", "ü/d.txt", "\udcff.bin"]),
    st.lists(st.lists(st.sampled_from(["alpha", "beta", "gamma", "größe", "日本"]), max_size=6), max_size=4),
    max_size=4,
)


def row_of(path: str, chunks: list[list[str]]) -> FileRow:
    digest = hashlib.sha256(repr(chunks).encode()).digest()[:16]
    return FileRow(path, 7, len(chunks), 5, 6, digest, FileStatus.INDEXED, 10 * len(chunks), is_racy=False)


def find(segment: Segment, term: str) -> int | None:
    return segment.find(term.encode(), number_of(term.encode()))


def analysis_of(chunks: list[list[str]]) -> FileAnalysis:
    made = [
        AnalysedChunk(1 + 10 * n, 10 + 10 * n, (Symbol("def", f"name_{n}", 1 + 10 * n),), len(tokens), dict(Counter(tokens)))
        for n, tokens in enumerate(chunks)
    ]
    return FileAnalysis(FileStatus.INDEXED, 10 * len(chunks), tuple(made))


def segment_of(text: Text, folder: Path) -> Segment:
    assembler = Assembler()
    for path, chunks in text.items():
        assembler.add(row_of(path, chunks), analysis_of(chunks))
    target = folder / f"{random.getrandbits(64):x}.seg"
    sha256, size = write_segment(target, assembler.arrays())
    return open_segment(target, sha256=sha256, size=size)


def documents(state: IndexState) -> list[tuple[str, int, int, dict[str, int]]]:
    return sorted((path, first, last, dict(terms)) for path, first, last, terms in documents_of(state))


def expected(text: Text) -> list[tuple[str, int, int, dict[str, int]]]:
    return sorted(
        (path, 1 + 10 * n, 10 + 10 * n, dict(Counter(tokens))) for path, chunks in text.items() for n, tokens in enumerate(chunks)
    )


@settings(max_examples=60, deadline=None)
@given(text=TEXTS)
def test_what_is_written_is_read_back(text: Text, tmp_path_factory: pytest.TempPathFactory) -> None:
    segment = segment_of(text, tmp_path_factory.mktemp("segments"))
    assert documents(IndexState().adopted([segment], 1)) == expected(text)
    assert list(segment.paths()) == list(text)
    for file_id, (path, chunks) in enumerate(text.items()):
        assert segment.row(file_id) == row_of(path, chunks)
        assert all(file_id in segment.path_files(find(segment, term) or 0) for term in path_terms(path))
    for doc in range(segment.n_docs):
        assert [symbol.name.partition("_")[0] for symbol in segment.symbols(doc)] == ["name"]


@settings(max_examples=60, deadline=None)
@given(old=TEXTS, new=TEXTS)
def test_merging_is_the_same_as_the_newest_of_each_file(old: Text, new: Text, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("segments")
    state = IndexState().adopted([segment_of(old, folder), segment_of(new, folder)], 1)
    assert documents(state) == expected(old | new)
    arrays = merge([(live.segment, live.is_live_file) for live in state.segments])
    sha256, size = write_segment(folder / "merged.seg", arrays)
    merged = open_segment(folder / "merged.seg", sha256=sha256, size=size)
    assert documents(IndexState().adopted([merged], 2)) == expected(old | new)
    live_terms = {term for chunks in (old | new).values() for tokens in chunks for term in tokens}
    assert {term.decode() for term in merged.terms()} >= live_terms
    assert all(merged.term(tid) == term.decode("utf-8", "surrogatepass") for tid, term in enumerate(merged.terms()))


@settings(max_examples=60, deadline=None)
@given(base=TEXTS, change=TEXTS, gone=st.sets(st.sampled_from(["a.py", "lib/b.rs", "c.md"])))
def test_the_delta_stands_before_the_segments(
    base: Text, change: Text, gone: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    state = IndexState().adopted([segment_of(base, tmp_path_factory.mktemp("segments"))], 1)
    files = {key_of(path): DeltaFile.of(row_of(path, chunks), analysis_of(chunks)) for path, chunks in change.items()}
    removed = np.asarray([key_of(path) for path in gone], np.int64)
    state = state.updated({}, {}, removed, 1.0).updated(files, {}, np.empty(0, np.int64), 2.0)
    text = {path: chunks for path, chunks in base.items() if path not in gone} | change
    assert documents(state) == expected(text)
    assert state.n_docs == len(expected(text))
    assert state.length == sum(sum(terms.values()) for *_, terms in expected(text))
    assert len(state.catalog) == len(text)
    assert documents(state.adopted([live.segment for live in state.segments], 2)) == expected(text)


@settings(max_examples=60, deadline=None)
@given(base=TEXTS, change=TEXTS, newer=TEXTS)
def test_a_published_segment_takes_from_the_delta_what_has_its_bytes(
    base: Text, change: Text, newer: Text, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("segments")
    first = segment_of(base, folder)
    files = {key_of(path): DeltaFile.of(row_of(path, chunks), analysis_of(chunks)) for path, chunks in change.items()}
    state = IndexState().adopted([first], 1).updated(files, {}, np.empty(0, np.int64), 1.0)
    after = state.adopted([first, segment_of(newer, folder)], 2)
    assert documents(after) == expected(base | newer | change)
    kept = {path for path, chunks in change.items() if newer.get(path) != chunks}
    assert {file.row.path for file in after.delta.files.values()} == kept
    again = after.adopted([segment_of(base | newer, folder)], 3)
    assert documents(again) == expected(base | newer | {path: change[path] for path in kept})


def test_a_change_of_any_byte_is_noticed(tmp_path: Path) -> None:
    assembler = Assembler()
    assembler.add(row_of("a.py", [["alpha"]]), analysis_of([["alpha"]]))
    sha256, size = write_segment(tmp_path / "a.seg", assembler.arrays())
    good = (tmp_path / "a.seg").read_bytes()
    for position in range(0, size, 97):
        bad = bytearray(good)
        bad[position] ^= 1
        (tmp_path / "a.seg").write_bytes(bad)
        with pytest.raises(SegmentDamaged):
            open_segment(tmp_path / "a.seg", sha256=sha256, size=size)
    (tmp_path / "a.seg").write_bytes(good[:-1])
    with pytest.raises(SegmentDamaged):
        open_segment(tmp_path / "a.seg", sha256=sha256, size=size)


def test_another_format_is_refused(tmp_path: Path) -> None:
    data = b"PSTKSEG\0" + (99).to_bytes(4, "little") + (2).to_bytes(4, "little") + b"{}"
    (tmp_path / "a.seg").write_bytes(data)
    with pytest.raises(SegmentDamaged):
        open_segment(tmp_path / "a.seg", sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def test_a_term_is_found_among_many_and_counts_above_sixteen_bits_are_kept(tmp_path: Path) -> None:
    terms = {f"term{n:05d}": n + 1 for n in range(70_000)}
    chunk = AnalysedChunk(1, 2, (), sum(terms.values()), terms)
    assembler = Assembler()
    assembler.add(row_of("a", []), FileAnalysis(FileStatus.INDEXED, 2, (chunk,)))
    sha256, size = write_segment(tmp_path / "a.seg", assembler.arrays())
    segment = open_segment(tmp_path / "a.seg", sha256=sha256, size=size)
    for n in (0, 1, 34_567, 69_999):
        tid = find(segment, f"term{n:05d}")
        assert tid is not None
        assert [int(x) for part in segment.postings(tid) for x in part] == [0, n + 1]
    assert find(segment, "term7") is None
    assert find(segment, "zzz") is None
    assert [term for _, term in segment.terms_with_prefix("term0001", 20)] == [f"term0001{n}" for n in range(10)]


STATS = st.dictionaries(st.text("abc", max_size=3), st.tuples(*[st.integers(-5, 5)] * 4), max_size=8)


@given(known=STATS, seen=STATS)
def test_a_sweep_finds_exactly_what_differs(known: dict[str, tuple[int, ...]], seen: dict[str, tuple[int, ...]]) -> None:
    rows = {
        key_of(path): (FileRow(path, i, s, m, c, b"", FileStatus.INDEXED, 0, is_racy=False), 0, 0, 0.0)
        for path, (i, s, m, c) in known.items()
    }
    catalog = Catalog.empty().replaced(rows, np.empty(0, np.int64))
    paths = list(seen)
    plan = catalog.plan(WalkTable.from_stats([(path, seen[path]) for path in paths]), started=1.0)  # pyright: ignore[reportArgumentType]
    masked = {path: (stat[0] & ((1 << 63) - 1), *stat[1:]) for path, stat in known.items()}
    wanted = {path: (stat[0] & ((1 << 63) - 1), *stat[1:]) for path, stat in seen.items()}
    assert {paths[at] for at in plan.stale.tolist()} == {p for p in paths if masked.get(p) != wanted[p]}
    assert set(plan.gone.tolist()) == {key_of(path) for path in known if path not in seen}
    assert not len(plan.racy)


def test_what_was_read_after_the_call_began_is_fresh_for_it() -> None:
    row = FileRow("a", 1, 1, 1, 1, b"", FileStatus.INDEXED, 0, is_racy=True)
    catalog = Catalog.empty().replaced({key_of("a"): (row, 0, 0, 5.0)}, np.empty(0, np.int64))
    same, other = WalkTable.from_stats([("a", (1, 1, 1, 1))]), WalkTable.from_stats([("a", (1, 2, 1, 1))])
    assert (len(catalog.plan(same, started=4.0).racy), len(catalog.plan(other, started=4.0).stale)) == (0, 0)
    assert (len(catalog.plan(same, started=6.0).racy), len(catalog.plan(other, started=6.0).stale)) == (1, 1)


def test_a_manifest_is_replaced_whole_and_old_segments_leave(tmp_path: Path) -> None:
    directory = IndexDirectory(tmp_path / "index", engine=engine_version("x:y"))
    assert directory.read().segments == ()
    directory.create()
    for name in ("1.seg", "2.seg"):
        (tmp_path / "index" / name).write_bytes(b"x")
    directory.write([SegmentEntry("2.seg", "hash", 1)], 7)
    assert not directory.has_news()
    other = IndexDirectory(tmp_path / "index", engine=engine_version("x:y"))
    assert other.has_news()
    assert other.read().generation == 7
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == ["2.seg", "manifest.json"]
    assert IndexDirectory(tmp_path / "index", engine=engine_version("x:z")).read().segments == ()
    assert ((tmp_path / "index").stat().st_mode & 0o777, (tmp_path / "index" / "manifest.json").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


def test_the_build_lock_has_one_holder(tmp_path: Path) -> None:
    one, other = (IndexDirectory(tmp_path, engine="x") for _ in range(2))
    held = one.try_lock()
    assert held is not None
    assert other.try_lock() is None
    held.release()
    again = other.try_lock()
    assert again is not None
    again.release()
