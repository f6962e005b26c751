import hashlib
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.cache.index import compiled, ranking, shortlist
from penstock.cache.index.analyse import AnalysedChunk, FileAnalysis
from penstock.cache.index.assemble import Assembler
from penstock.cache.index.bm25 import Documents, TermPostings, query_terms, score
from penstock.cache.index.catalog import key_of
from penstock.cache.index.chunk import FileStatus, Symbol
from penstock.cache.index.delta import DeltaFile
from penstock.cache.index.formula import MAX_DOCS, SHARES
from penstock.cache.index.kinds import PRIORS, kind_of
from penstock.cache.index.named import path_terms
from penstock.cache.index.query import Query
from penstock.cache.index.ranking import DEFINITION, IDENTIFIER, Ranking, rank
from penstock.cache.index.segment import FileRow, Segment, open_segment, write_segment
from penstock.cache.index.shortlist import Ints, Slots
from penstock.cache.index.sources import Sources
from penstock.cache.index.state import IndexState, LiveSegment
from penstock.cache.index.tokenise import expand_word
from penstock.cache.index.values import Prefer

WORDS = [f"word{n}" for n in range(60)]
FORMS = pytest.mark.parametrize(
    "is_compiled",
    [False, pytest.param(True, marks=pytest.mark.skipif(not compiled.IS_COMPILED, reason="built without a compiler"))],
)


def file_of(rng: random.Random, path: str) -> tuple[FileRow, FileAnalysis]:
    """A file of some chunks whose words follow Zipf's law, as those of texts do; some define what has a word as its name."""
    chunks: list[AnalysedChunk] = []
    for number in range(rng.randrange(1, 9)):
        words = rng.choices(WORDS, [1 / (rank + 1) for rank in range(len(WORDS))], k=rng.randrange(1, 25))
        start = 1 + 10 * number
        symbols = tuple(Symbol("def", name, start) for name in rng.sample([*words, "Word3", "word_x"], rng.randrange(3)))
        chunks.append(AnalysedChunk(start, 9 + start, symbols, len(words), dict(Counter(words))))
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


def state_of(rng: random.Random, folder: Path, size: int) -> IndexState:
    """Two segments, the second with newer copies of some files of the first, a delta, and files that are gone."""
    paths = [f"f{n}" for n in range(size)]
    segments = [segment_of(rng, paths[: size * 4 // 5], folder), segment_of(rng, paths[size * 2 // 3 :], folder)]
    state = IndexState().adopted(segments, 1)
    changed = rng.sample(paths, rng.randrange(min(6, size)))
    files = {key_of(path): DeltaFile.of(*file_of(rng, path)) for path in changed}
    gone = rng.sample(paths, rng.randrange(min(9, size)))
    return state.updated(files, {}, np.asarray([key_of(path) for path in gone if path not in changed], np.int64), 1.0)


def everything(state: IndexState, query: Query, prefer: Prefer) -> list[tuple[float, str, list[float]]]:
    """What the ranking says, written down without arrays: (total, path, scores of the matching chunks) of every match."""
    terms = query_terms(state, query.weights)
    places = [(number, file, live.segment.row(file)) for number, live in enumerate(state.segments) for file in live_of(live)]
    number = len(state.segments)
    rows = [*places, *((number, file, one.row) for file, one in enumerate(state.delta.files.values()))]
    in_path: Counter[str] = Counter()
    for *_, row in rows:
        in_path.update(term for term in query.weights if term in path_terms(row.path))
    found: list[tuple[float, str, list[float]]] = []
    for source, file, row in rows:
        own = sorted(scores_of(state, query, terms, source, file).values(), reverse=True)
        path = sum(
            weight * math.log(1 + (len(state.catalog) - in_path[term] + 0.5) / (in_path[term] + 0.5))
            for term, weight in query.weights.items()
            if term in path_terms(row.path)
        )
        if own or path:
            total = sum(share * value for share, value in zip(SHARES, own, strict=False)) + path
            prior = PRIORS[prefer][kind_of(row.path)]
            found.append((total * prior if total >= 0 else total / prior, row.path, own))
    return sorted(found, key=lambda one: (-round(one[0], 9), one[1]))


def scores_of(state: IndexState, query: Query, terms: tuple[TermPostings, ...], source: int, file: int) -> dict[int, float]:
    """The matching chunks of a file: BM25, and what they get for defining what the query names."""
    sources, scored = Sources.of(state), score(state, query.weights)
    own: dict[int, float] = {}
    for doc in chunks_of(state, source, file):
        if any(sources.frequencies(terms, [(source, doc)])[source, doc]):
            own[doc] = float(scored[source][doc])
            names = [symbol.name for symbol in sources.place(source, doc).symbols]
            for term in terms:
                is_name = term.term == query.name.lower()
                if (is_name or term.term in query.identifiers) and any(term.term in expand_word(name) for name in names):
                    own[doc] += IDENTIFIER * term.weight * max(term.idf, 0.0)
                    if is_name and query.name.lower() in [name.lower() for name in names]:
                        own[doc] += DEFINITION * (1.0 if query.name in names else 0.5)
    return own


def has_one(path: str) -> bool:
    return "1" in path


def live_of(live: LiveSegment) -> list[int]:
    return live.is_live_file.nonzero()[0].tolist()


def chunks_of(state: IndexState, source: int, file: int) -> range:
    if source < len(state.segments):
        segment = state.segments[source].segment
        return range(int(segment.file_doc[file]), int(segment.file_doc[file + 1]))
    before = [one.n_chunks for one in state.delta.files.values()]
    return range(sum(before[:file]), sum(before[: file + 1]))


def ranked(state: IndexState, query: Query, k: int, prefer: Prefer, accepts: Callable[[str], bool] | None = None) -> Ranking:
    return rank(Sources.of(state), query_terms(state, query.weights), query, k=k, prefer=prefer, accepts=accepts)


@FORMS
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    size=st.sampled_from([2, 5, 30, 140]),
    k=st.integers(1, 12),
    times=st.lists(st.sampled_from([0.6, 1.0, 2.0]), min_size=7, max_size=7),
    prefer=st.sampled_from(Prefer),
    is_filtered=st.booleans(),
    is_picky=st.booleans(),
)
def test_the_best_are_those_of_scoring_everything(
    is_compiled: bool,
    seed: int,
    size: int,
    k: int,
    times: list[float],
    prefer: Prefer,
    is_filtered: bool,
    is_picky: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The smallest have words in most of their chunks, whose idf is 0 or less. So small ones are scored whole, unless picky."""
    rng = random.Random(seed)
    state = state_of(rng, tmp_path_factory.mktemp("segments"), size)
    accepts = has_one if is_filtered else None
    for _ in range(4):
        words = rng.sample([*WORDS[:: 1 + 60 // size], "word3", "nowhere", "f7", "f1", "test"], rng.randrange(1, 7))
        name = rng.choice(["", "", "Word3", words[0]])
        weights = dict(zip(words, times, strict=False))
        query = Query(" ".join(words), tuple(words), weights, frozenset(words[: rng.randrange(3)]), name)
        expected = [one for one in everything(state, query, prefer) if accepts is None or accepts(one[1])]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiled, "IS_COMPILED", is_compiled)
            if is_picky:
                patch.setattr(ranking, "_TOLD_FILES", 1)
                for name in ("_FIRST", "_FIRST_PER_TERM", "_MOST"):
                    patch.setattr(shortlist, name, 1)
            found = ranked(state, query, k, prefer, accepts)
        assert found.matching_files == len(expected)
        assert found.matching_chunks == sum(len(own) for *_, own in expected)
        assert [file.path for file in found.files] == [path for _, path, _ in expected[:k]]
        terms = query_terms(state, query.weights)
        for file, (total, _, own) in zip(found.files, expected, strict=False):
            assert abs(file.score - total) < 1e-9
            told = scores_of(state, query, terms, file.source, file.file - Sources.of(state).starts[file.source])
            assert [told[doc] for doc in file.docs] == pytest.approx(own[:MAX_DOCS], abs=1e-9)


def test_most_files_are_never_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    state = IndexState().adopted([segment_of(rng, [f"f{n}.py" for n in range(400)], tmp_path)], 1)
    looked_at: list[int] = []
    init = Slots.__init__

    def counted(self: Slots, files: Documents, file_doc: Ints, rooms: Ints) -> None:
        looked_at.extend(files.tolist())
        init(self, files, file_doc, rooms)

    monkeypatch.setattr(compiled, "IS_COMPILED", False)  # the compiled form has no slots to count
    monkeypatch.setattr(Slots, "__init__", counted)
    weights = {"word0": 0.1, "word1": 0.1, **{f"word{n}": 2.0 for n in (50, 52, 54, 56, 58)}}
    found = ranked(state, Query("", (), weights, frozenset()), 3, Prefer.ANY)
    assert found.matching_files > 390
    assert len(looked_at) == len(set(looked_at)) < 200


@FORMS
def test_equal_files_come_in_the_order_of_their_paths(is_compiled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "IS_COMPILED", is_compiled)
    rng = random.Random(2)
    row, analysis = file_of(rng, "a")
    assembler = Assembler()
    numbers = list(range(30))
    rng.shuffle(numbers)
    for number in numbers:
        assembler.add(replace(row, path=f"f{number:02}"), analysis)
    sha256, size = write_segment(tmp_path / "a.seg", assembler.arrays())
    state = IndexState().adopted([open_segment(tmp_path / "a.seg", sha256=sha256, size=size)], 1)
    word = next(iter(analysis.chunks[0].terms))
    found = ranked(state, Query(word, (word,), {word: 1.0}, frozenset()), 7, Prefer.ANY)
    assert [file.path for file in found.files] == [f"f{number:02}" for number in range(7)]


@FORMS
def test_a_file_is_found_behind_many_that_promise_more_and_hold_less(
    is_compiled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its chunk holds both words; each of the others, which have shorter chunks and so higher bounds, has them in two."""
    monkeypatch.setattr(compiled, "IS_COMPILED", is_compiled)
    apart, together, filler = [["alpha"], ["beta"]], [["alpha", "beta"]], [["delta", "epsilon"]]
    assembler = Assembler()
    for number, texts in enumerate([*[apart] * 60, together, *[filler] * 120]):
        chunks = tuple(AnalysedChunk(1, 10, (), len(words), dict(Counter(words))) for words in texts)
        digest = hashlib.sha256(b"%d" % number).digest()[:16]
        row = FileRow(f"f{number:03}", number, 1, 5, 6, digest, FileStatus.INDEXED, 10, is_racy=False)
        assembler.add(row, FileAnalysis(FileStatus.INDEXED, 10, chunks))
    sha256, size = write_segment(tmp_path / "a.seg", assembler.arrays())
    state = IndexState().adopted([open_segment(tmp_path / "a.seg", sha256=sha256, size=size)], 1)
    query = Query("alpha beta", ("alpha", "beta"), {"alpha": 1.0, "beta": 1.0}, frozenset())
    assert ranked(state, query, 1, Prefer.ANY).files[0].path == "f060"
