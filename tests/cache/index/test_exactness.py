"""BM25Okapi's own scores, whatever was edited: rank-bm25 is the oracle."""

import random
import shutil
import sysconfig
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from penstock.cache.deadline import Deadline
from penstock.cache.index.bm25 import frequency_histogram
from penstock.cache.index.buildplan import MERGE_AT
from penstock.cache.index.cache import IndexCache
from penstock.cache.index.query import Query, parse_query
from penstock.cache.index.searching import search
from penstock.cache.index.state import IndexState
from penstock.cache.index.values import Coverage, IndexLimits, Prefer

MakeIndex = Callable[..., IndexCache]
Edits = list[list[tuple[str, str | list[str] | None]]]
"""Steps of (path, new lines), (path, None) for a deletion, (path, another path) for a renaming."""
QUERIES = (
    ["socket", "timeout"],
    ["self"],
    ["parse", "header", "parse"],
    ["json", "decoder", "nothing_has_this"],
    ["import", "return", "none"],
)


def oracle_of(index: IndexCache) -> BM25Okapi:
    return BM25Okapi([[token for token, n in terms.items() for _ in range(n)] for _, _, _, terms in index.live_documents()])


def assert_exact(index: IndexCache, queries: tuple[list[str], ...]) -> None:
    oracle = oracle_of(index)
    for tokens in queries:
        expected = oracle.get_scores(tokens).tolist()
        actual = index.bm25(tokens)
        assert len(actual) == len(expected)
        assert max(abs(a - b) for a, b in zip(actual, expected, strict=True)) < 1e-9
        query = parse_query(" ".join(tokens))
        assert_told(index, query, oracle.get_scores(list(query.tokens)).tolist())


def assert_told(index: IndexCache, query: Query, expected: list[float]) -> None:
    """Every hit is told with its chunk's score in a fresh index, and the files come best first."""
    places = {(path, start, end): place for place, (path, start, end, _) in enumerate(index.live_documents())}
    state = index.engine.holder.state or IndexState()
    result = search(state, query, Coverage(1, 1), k=10, accepts=None, prefer=Prefer.ANY)
    for hit in result.hits:
        place = places.get((hit.path, hit.start, hit.end))
        if place is not None and hit.bm25:
            assert abs(hit.bm25 - expected[place]) < 1e-9
    assert list(result.top_scores) == sorted(result.top_scores, reverse=True)


def test_scores_stay_exact_over_updates_and_deletions_of_a_real_corpus(make_index: MakeIndex, root: Path) -> None:
    stdlib = Path(sysconfig.get_paths()["stdlib"])
    rng = random.Random(4)
    files: list[Path] = []
    size = 0
    for source in sorted(stdlib.rglob("*.py")):
        if "site-packages" not in source.parts and size < 13_000_000:
            copy = root / source.relative_to(stdlib)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            files.append(copy)
            size += copy.stat().st_size
    index = make_index(IndexLimits(max_delta_chunks=100_000, build_wait_s=200))
    index.refresh(Deadline(200))
    assert index.statistics().chunks >= 10_000
    assert_exact(index, QUERIES)
    rng.shuffle(files)
    for batch in range(6):
        for file in files[batch * 50 : batch * 50 + 50]:
            lines = file.read_text("utf-8", "replace").split("\n")
            at = rng.randrange(len(lines))
            file.write_text("\n".join([*lines[:at], f"def edited_{at}(socket, parse): return header", *lines[at + 3 :]]), "utf-8")
        if batch == 3:
            for file in files[300:350]:
                file.unlink()
            for file in files[350:380]:
                file.rename(file.with_name(f"renamed_{file.name}"))
        index.refresh(Deadline(100))
    statistics = index.statistics()
    assert statistics.updates == 250, "one batch with renamings was too large for the call, and went to the builder"
    assert_exact(index, (*QUERIES, ["edited", "header"]))


CONTENT = st.lists(
    st.sampled_from(["alpha beta", "beta gamma_delta", "def alpha(x): pass", "", "gammaDelta alpha", "only here"]), max_size=30
)
NAMES = st.sampled_from(["a.py", "b.txt", "c/d.md", "c/e.js"])
EDITS = st.lists(
    st.lists(st.tuples(NAMES, st.none() | NAMES | CONTENT), min_size=1, max_size=4),
    min_size=1,
    max_size=4,
)
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(edits=EDITS)
def test_any_sequence_of_edits_gives_the_scores_of_a_fresh_index(edits: Edits, make_index: MakeIndex, root: Path) -> None:
    index = make_index()
    try:
        check_edits(edits, index, root)
    finally:
        index.close()


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(edits=EDITS)
def test_scores_stay_exact_over_segments_flushes_and_merges(
    edits: Edits, make_index: MakeIndex, root: Path, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "index", ignore_errors=True)
    index = make_index(IndexLimits(inline_files=1, max_delta_chunks=1, max_segments=2))
    try:
        check_edits(edits, index, root)
    finally:
        index.close()


def test_segments_that_are_merged_while_the_build_goes_on_change_no_score(make_index: MakeIndex, root: Path) -> None:
    for number in range(MERGE_AT + 8):
        (root / f"{number:03}.py").write_text(f"alpha only_{number} beta\n" + "gamma delta\n" * (number % 7), "utf-8")
    seen = list[int]()

    def pressure() -> int:
        state = index.engine.holder.state  # the builder asks before each batch
        seen.append(0 if state is None else len(state.segments))
        return 0

    index = make_index(IndexLimits(inline_files=1, batch_files=1), pressure)
    deadline = Deadline(60)
    while not index.refresh(deadline).is_complete:
        deadline.check()
    assert MERGE_AT <= max(seen) <= MERGE_AT + 2
    assert len(index.live_documents()) == MERGE_AT + 8
    assert_exact(index, (["alpha"], ["beta", "gamma", "delta"], ["only_7", "alpha", "alpha"]))
    state = index.engine.holder.state
    assert state is not None
    whole = frequency_histogram(state)
    for part_terms in (1, 7, 50):
        np.testing.assert_array_equal(frequency_histogram(state, part_terms=part_terms), whole)


def check_edits(edits: Edits, index: IndexCache, root: Path) -> None:
    for old in root.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    held: set[str] = set()
    for step in edits:
        for name, content in step:
            path = root / name
            if content is None:
                path.unlink(missing_ok=True)
                held.discard(name)
            elif isinstance(content, str):
                if name in held:
                    (root / content).parent.mkdir(exist_ok=True)
                    path.rename(root / content)
                    held = held - {name} | {content}
            else:
                path.parent.mkdir(exist_ok=True)
                path.write_text("\n".join(content), "utf-8")
                held.add(name)
        coverage = index.refresh(Deadline(30))
        assert coverage.is_complete
        assert coverage.total_files == len(held)
        if any(terms for _, _, _, terms in index.live_documents()):
            assert_exact(index, (["alpha"], ["beta", "gamma", "delta"], ["only", "alpha", "alpha"]))
