"""The compiled shortlist beside the one in numpy, and on segments that contradict themselves."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cache.index import compiled
from penstock.cache.index.analyse import AnalysedChunk, FileAnalysis
from penstock.cache.index.assemble import Assembler
from penstock.cache.index.bm25 import Held, LengthNorms, held_terms, length_norms, query_terms
from penstock.cache.index.chunk import FileStatus
from penstock.cache.index.segment import FileRow, Segment
from penstock.cache.index.shortlist import Boost, FileGain, FileTerms, Shortlist, shortlist_segment
from penstock.cache.index.state import IndexState, LiveSegment
from penstock.cache.index.tokenise import number_of

pytestmark = pytest.mark.skipif(not compiled.IS_COMPILED, reason="built without a compiler")
WORDS = [f"w{n}" for n in range(400)]
SLOTS, NAMES = 10, 12
OFTEN = [1 / (rank + 1) for rank in range(len(WORDS))]


def arrays_of(rng: random.Random, n_files: int) -> dict[str, Any]:
    """A segment whose words follow Zipf's law, with files of none to forty chunks."""
    assembler = Assembler()
    for number in range(n_files):
        chunks: list[AnalysedChunk] = []
        for start in range(1, 1 + rng.choice([0, 1, 2, 8, 40])):
            words = rng.choices(WORDS, OFTEN, k=rng.randrange(1, 40))
            chunks.append(AnalysedChunk(start, start, (), len(words), {word: words.count(word) for word in words}))
        row = FileRow(f"f{number}", number, 1, 5, 6, b"%016d" % number, FileStatus.INDEXED, 9, is_racy=False)
        assembler.add(row, FileAnalysis(FileStatus.INDEXED, 9, tuple(chunks)))
    return assembler.arrays()


@pytest.fixture(scope="module")
def whole() -> Segment:
    return Segment("a", arrays_of(random.Random(3), 40), 0)


class Asked(NamedTuple):
    """What a shortlist is asked for."""

    live: LiveSegment
    norms: LengthNorms
    held: list[Held]
    boosts: list[Boost]
    gains: list[FileGain]
    prior: Any
    k: int

    def answer(self, is_compiled: bool) -> Shortlist:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiled, "IS_COMPILED", is_compiled)
            terms = FileTerms(self.gains, 5, self.prior)
            return shortlist_segment(self.live, self.norms, 1.3, self.held, self.boosts, terms, self.k)


def asked_of(rng: random.Random, segment: Segment, n_words: int, k: int, *, is_partly_dead: bool, n_boosts: int) -> Asked:
    live = LiveSegment.whole(segment)
    if is_partly_dead:
        live = live.without(np.asarray(rng.sample(range(segment.n_files), segment.n_files // 3), np.int64))
    state = IndexState((live,))
    terms = query_terms(state, {word: rng.uniform(0.5, 2) for word in rng.sample(WORDS, n_words)})
    held = [one for one in held_terms(0, terms) if one[0] > 0]
    boosts: list[Boost] = []
    for _ in range(n_boosts):
        docs = np.asarray(sorted(rng.sample(range(segment.n_docs), min(9, segment.n_docs))), np.int64)
        boosts.append((docs, np.asarray([rng.uniform(0, 9) for _ in docs])))
    # Numbers of files count over all sources: this one's begin with 5, and others come before and after.
    gains = [
        (np.asarray([0, 5, 5 + rng.randrange(segment.n_files), 9_999][::2], np.int64), rng.uniform(0.1, 5)) for _ in range(2)
    ]
    prior = np.asarray([rng.choice([0.35, 1.0, 1.0]) for _ in range(segment.n_files)])
    return Asked(live, length_norms(state)[0], held, boosts, gains, prior, k)


def by_file(found: Shortlist, k: int) -> list[tuple[float, int, tuple[int, ...]]]:
    """The first k; which equal ones beyond them are told, too, is free."""
    return sorted(zip((-round(total, 9) for total in found.totals), found.files, found.docs, strict=True))[:k]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    n_files=st.sampled_from([1, 7, 60, 300]),
    n_words=st.sampled_from([1, 3, 8, 120]),
    k=st.integers(1, 15),
    is_partly_dead=st.booleans(),
    n_boosts=st.integers(0, 3),
)
def test_both_forms_give_the_same(seed: int, n_files: int, n_words: int, k: int, is_partly_dead: bool, n_boosts: int) -> None:
    rng = random.Random(seed)
    segment = Segment("a", arrays_of(rng, n_files), 0)
    asked = asked_of(rng, segment, n_words, k, is_partly_dead=is_partly_dead, n_boosts=n_boosts)
    numpy, other = asked.answer(is_compiled=False), asked.answer(is_compiled=True)
    assert (other.matching_chunks, other.matching_files) == (numpy.matching_chunks, numpy.matching_files)
    assert by_file(other, k) == by_file(numpy, k)


def test_a_term_is_found_where_the_vocabulary_says(whole: Segment) -> None:
    for number in range(len(WORDS) + 50):
        key = f"w{number}".encode()
        tid, found = whole.find(key, number_of(key)), compiled.find(whole, key, number_of(key))
        if tid is None:
            assert found is None
        else:
            assert found == (tid, *whole.range_of(tid), *whole.bounds.range_of(tid), whole.bounds.row_of(tid))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    place=st.integers(0, 14),
    values=st.lists(st.tuples(st.integers(0, 1 << 30), st.integers(0, (1 << 64) - 1)), min_size=1, max_size=9),
)
def test_a_segment_that_contradicts_itself_is_refused_or_answered(
    seed: int, place: int, values: list[tuple[int, int]], whole: Segment
) -> None:
    """Whatever numbers it holds: nothing outside its arrays is read or written."""
    assert compiled.extension is not None
    rng = random.Random(seed)
    asked = asked_of(rng, whole, 20, 5, is_partly_dead=rng.random() < 0.5, n_boosts=rng.randrange(3))
    arrays = list(whole.columns)
    damaged = arrays[place] = arrays[place].copy()
    for at, value in values:
        unsigned = np.asarray(value & ((1 << 8 * damaged.itemsize) - 1), f"u{damaged.itemsize}")
        damaged[at % len(damaged)] = unsigned.view(damaged.dtype)
    live = asked.live.is_live_file if asked.live.is_live_doc is not None else None
    rest = (asked.held, asked.boosts, asked.gains, 5, asked.prior, live, asked.k)
    keys = [f"w{n}".encode() for n in range(0, 400, 9)]
    try:
        for key in keys:
            compiled.extension.find_term(opened(arrays), key, number_of(key))
        files, _, best, *_ = compiled.extension.shortlist(opened(arrays), asked.norms.slope, 1.3, *rest)
    except ValueError:
        return
    assert all(0 <= file < whole.n_files for file in files)
    assert all(0 <= doc < whole.n_docs for docs in best for doc in docs)


def opened(arrays: Sequence[Any]) -> object:
    assert compiled.extension is not None
    return compiled.extension.open_segment(tuple(arrays), 0.4, 0.1, (1.0, 0.3, 0.1), 4)


@pytest.mark.parametrize("place", range(15))
def test_arrays_of_another_width_or_length_are_refused(place: int, whole: Segment) -> None:
    good = list(whole.columns)
    opened(good)
    shorter = good[place][:-1]
    for bad in (good[place].astype(np.complex128), shorter):
        if bad is not shorter or place not in (SLOTS, NAMES):  # whose length nothing else says
            with pytest.raises(ValueError, match=r"another width|contradicts itself"):
                opened([*good[:place], bad, *good[place + 1 :]])


@pytest.mark.parametrize(
    "span",
    [(-1, 2, 0, 1, -1), (0, 1 << 40, 0, 1, -1), (2, 1, 0, 1, -1), (0, 1, -1, 1, -1), (0, 1, 0, 1 << 40, -1), (0, 1, 0, 1, 9_999)],
)
def test_a_term_of_another_segment_is_refused(span: tuple[int, ...], whole: Segment) -> None:
    assert compiled.extension is not None
    prior = np.ones(whole.n_files)
    with pytest.raises(ValueError, match="not in this segment"):
        compiled.extension.shortlist(opened(list(whole.columns)), 0.1, 1.0, [(1.0, span)], [], [], 0, prior, None, 3)
    with pytest.raises(ValueError, match="for each file"):
        compiled.extension.shortlist(opened(list(whole.columns)), 0.1, 1.0, [], [], [], 0, prior[:-1], None, 3)


def test_terms_that_add_next_to_nothing_do_no_harm(whole: Segment) -> None:
    """A gain may round to 0: then its chunk looks as if no term had been seen in it."""
    assert compiled.extension is not None
    terms = [whole.find(key, number_of(key)) for key in (b"w0", b"w1", b"w2", b"w3", b"w4", b"w5")]
    spans = [(*whole.range_of(tid), *whole.bounds.range_of(tid), -1) for tid in terms if tid is not None]
    held = [(5e-324, span) for span in spans] * 40
    prior = np.ones(whole.n_files)
    with pytest.raises(ValueError, match="contradicts itself"):
        compiled.extension.shortlist(opened(whole.columns), 1e300, 1e300, held, [], [], 0, prior, None, 40)
