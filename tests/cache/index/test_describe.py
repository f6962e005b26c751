"""The small pure parts: confidence, snippets, phrases, suggestions, build plans."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.index.buildplan import MERGE_BYTES, BatchQueue, LiveSegmentEntry, WantedFiles, plan_merge
from penstock.cache.index.confidence import confidence_of, entropy_of
from penstock.cache.index.manifest import SegmentEntry
from penstock.cache.index.phrases import line_of, phrases_first
from penstock.cache.index.snippet import MAX_LINE_CHARS, snippet_of
from penstock.cache.index.suggest import nearest
from penstock.cache.index.values import Confidence, Coverage, Hit, IndexLimits


@given(st.lists(st.floats(-5, 500), max_size=30))
def test_entropy_is_between_none_and_all(scores: list[float]) -> None:
    assert -1e-9 <= entropy_of(scores) <= 1 + 1e-9


def test_entropy_tells_a_peak_from_a_plain() -> None:
    assert entropy_of([50.0, 5.0, 4.0, 3.0]) < 0.6 < entropy_of([5.0, 5.0, 5.0, 5.0])
    assert math.isclose(entropy_of([2.0] * 10), 1.0)
    assert entropy_of([]) == entropy_of([3.0]) == 0.0


def test_confidence_needs_the_words_and_a_peak() -> None:
    assert confidence_of(0.4, None, 1.0) is Confidence.HIGH
    assert confidence_of(0.99, None, 1.0) is Confidence.MEDIUM
    assert confidence_of(0.4, None, 0.5) is Confidence.MEDIUM
    assert confidence_of(0.99, None, 0.5) is Confidence.LOW
    assert confidence_of(0.4, None, 0.2) is Confidence.LOW


def test_a_snippet_shows_the_rarest_terms_first_in_the_order_of_the_file() -> None:
    lines = ["def parse(header):", "    x = 1", "    header = header", "    return rare_word(header)", ""]
    shown = snippet_of(lines, 1, 5, terms=["rare_word", "header", "parse"], symbol_lines={1}, limit=2)
    assert [line.number for line in shown] == [1, 4]


@given(st.lists(st.text(max_size=300), max_size=40), st.integers(-3, 50), st.integers(-3, 50))
def test_snippets_are_bounded_and_within_the_span(lines: list[str], start: int, end: int) -> None:
    shown = snippet_of(lines, start, end, terms=["a"], symbol_lines=set(), limit=4)
    assert len(shown) <= 4
    assert all(start <= line.number <= end for line in shown)
    assert all(len(line.text) <= MAX_LINE_CHARS + 1 for line in shown)


def hit(path: str, start: int = 1, end: int = 10, also: tuple[tuple[int, int], ...] = ()) -> Hit:
    return Hit(path, start, end, 1.0, 1.0, also=also)


def test_a_phrase_is_found_in_any_case_and_spacing() -> None:
    assert line_of("x\nThe  Connection\ttimed out", ["connection timed out"]) == 2
    assert line_of("one\ntwo", ["two", "one"]) == 2
    assert line_of("one", ["one", "two"]) is None


def test_hits_that_hold_the_phrase_come_first_at_its_chunk() -> None:
    texts = {"a": "no", "b": "\n" * 14 + "the phrase", "c": "\n" * 99 + "the phrase"}
    found = phrases_first([hit("a"), hit("b", also=((11, 20),)), hit("c")], ["the phrase"], texts.__getitem__)
    assert [(one.path, one.start, one.end) for one in found] == [("b", 11, 20), ("c", 97, 108), ("a", 1, 10)]


def test_near_identifiers_are_ranked_by_likeness() -> None:
    assert nearest("chekcsum", ["checksum", "checksums", "cheese", "zzz"]) == ["checksum", "checksums"]
    assert nearest("zzz", ["checksum"]) == []


SIZES = st.lists(st.integers(0, 2_000_000), min_size=1, max_size=50)


@given(SIZES, st.booleans())
def test_batches_take_every_file_once_and_stay_small(sizes: list[int], is_halved: bool) -> None:
    files = [(str(n), (0, size, 0, 0)) for n, size in enumerate(sizes)]
    queue = BatchQueue(WantedFiles.of(files), IndexLimits(batch_files=8, batch_bytes=3_000_000))
    taken: list[str] = []
    returned = False
    while queue:
        batch = queue.take(is_halved=is_halved)
        assert 0 < len(batch) <= 8 // (1 + is_halved)
        if len(batch) > 1 and not returned:
            returned = True
            queue.give_back(batch[1:])
            batch = batch[:1]
        taken += [file.path for file in batch]
    assert taken == [path for path, _ in files]


ENTRIES = st.lists(st.tuples(st.integers(1, 2 * MERGE_BYTES), st.floats(0, 1)), max_size=12)


@given(ENTRIES)
def test_a_merge_is_bounded_in_size_and_never_of_one_good_segment(entries: list[tuple[int, float]]) -> None:
    live = [LiveSegmentEntry(SegmentEntry(str(n), "", size), b"", dead) for n, (size, dead) in enumerate(entries)]
    chosen = plan_merge(live, 6)
    assert sum(one.entry.size for one in chosen) <= MERGE_BYTES
    assert [one for one in live if one in chosen] == chosen
    assert len(chosen) != 1 or chosen[0].dead_ratio > 0.25


@pytest.mark.parametrize(
    "field", ["inline_files", "build_wait_s", "parse_s", "max_delta_chunks", "max_segments", "max_text_bytes"]
)
def test_limits_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        IndexLimits(**{field: 0})


def test_only_a_whole_search_is_complete() -> None:
    assert Coverage(3, 3).is_complete
    assert not Coverage(2, 3).is_complete
    assert not Coverage(3, 3, is_walk_complete=False).is_complete
