"""The index against rank-bm25, bm25s and SQLite FTS5 in one run: `python -m tests.benchmarks.index_bench [FOLDER]`.

Without a folder the corpus is text files of the standard library and the installed packages, copied (the source distribution of
Django 5.2.8 has 35,347 chunks, under the 40,000 that are wanted). Every engine gets the same chunks and tokens and the same
queries, of three kinds: first lines of docstrings (5 to 10 tokens; the figures without a prefix), two to four words of such
lines, and names of functions and classes. No query was asked before it is timed, but others were. The references give their ten
best chunks; "query" is the server's own ranking, which looks the terms up, scores the same chunks as far as they can matter,
sums them up by file and counts all that match; "in_numpy" is the same without the compiled form, asked again; "search" is the
whole answer with spans and hops. Memory is measured in a process of its own that only maps and searches.
"""

import gc
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar
from unittest.mock import patch

import numpy as np
import psutil
from rank_bm25 import BM25Okapi

from penstock.cache.deadline import Deadline
from penstock.cache.index import compiled
from penstock.cache.index.bm25 import query_terms
from penstock.cache.index.cache import IndexCache
from penstock.cache.index.catalog import key_of
from penstock.cache.index.delta import DeltaFile
from penstock.cache.index.query import Query, parse_query
from penstock.cache.index.ranking import rank
from penstock.cache.index.searching import search
from penstock.cache.index.sources import Sources
from penstock.cache.index.state import IndexState
from penstock.cache.index.tokenise import iterate_tokens
from penstock.cache.index.values import Coverage, IndexLimits, Prefer
from penstock.cache.ledger import Ledger
from penstock.cache.worker import Worker
from penstock.cache.workspace.files import Workspace
from tests.benchmarks._engines import REFERENCES, Documents

MIN_CHUNKS = 40_000
CORPUS_BYTES = 56_000_000
SUFFIXES = {".py", ".pyi", ".md", ".rst", ".txt", ".js", ".c", ".h", ".toml", ".html"}
QUERIES, WORDS, TOP, EDITS, UPDATES = 100, 5, 10, 500, 60
MB = 1e6
DOCSTRING = re.compile(r'(?m)^\s+"""(\S[^"\n]*[.\w])(?:"""|$)')
DEFINITION = re.compile(r"(?m)^\s*(?:def|class) ([A-Za-z]\w{3,})")
T = TypeVar("T")


class Question(NamedTuple):
    """A query as the server gets it, and as the references do."""

    text: str
    tokens: Sequence[str]


def report(metric: str, value: float, unit: str, reference: float | None = None) -> None:
    line = {"bench": "index", "metric": metric, "value": round(value, 4), "unit": unit, "reference": reference}
    sys.stdout.write(json.dumps({**line, "ratio": reference and round(value / reference, 4)}) + "\n")
    sys.stdout.flush()


def copy_corpus(target: Path) -> None:
    """Copy text files of this interpreter until there are enough."""
    paths = sysconfig.get_paths()
    size = 0
    for number, base in enumerate(dict.fromkeys([paths["stdlib"], paths["purelib"]])):
        for file in sorted(Path(base).rglob("*")):
            if (
                file.suffix in SUFFIXES
                and file.is_file()
                and size < CORPUS_BYTES
                and (number or "site-packages" not in file.parts)
            ):
                copy = target / str(number) / file.relative_to(base)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
                size += file.stat().st_size
    for number, file in enumerate(sorted(target.rglob("*.py"))):
        if size >= CORPUS_BYTES:
            return
        # Not enough installed: the same code again, as another module of a larger project.
        copy = target / "again" / f"module_{number}.py"
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, copy)
        size += file.stat().st_size


def open_index(root: Path, data: Path, worker: Worker) -> IndexCache:
    ledger = Ledger(256 * 1024 * 1024)
    limits = IndexLimits(build_wait_s=300, max_delta_chunks=100_000)
    definitions = "penstock.tools.languages:structure"
    workspace = Workspace([root], ledger=ledger)
    return IndexCache(workspace, ledger=ledger, data_dir=data, worker=worker, definitions=definitions, limits=limits)


def state_of(index: IndexCache) -> IndexState:
    return index.engine.holder.state or IndexState()


def settle(index: IndexCache) -> None:
    """Wait until the segments are merged, in the background and with nothing that tells of it: so it is asked for."""
    while index.statistics().is_building:
        time.sleep(0.05)


def times_ms(body: Callable[[T], object], queries: Sequence[T]) -> list[float]:
    times: list[float] = []
    for query in queries:
        start = time.perf_counter()
        body(query)
        times.append((time.perf_counter() - start) * 1e3)
    return times


def p50_ms(body: Callable[[T], object], queries: Sequence[T]) -> float:
    return statistics.median(times_ms(body, queries))


def middle_and_mean(times: list[float]) -> tuple[float, float]:
    """bm25s takes .1 or 1.3 ms, as its partition of mostly equal scores goes: its middle may be either, its mean says more."""
    return statistics.median(times), statistics.fmean(times)


def make_questions(root: Path, rng: random.Random) -> dict[str, list[Question]]:
    """Return questions by what their figures begin with: first lines of docstrings, a few words of them, and names."""
    lines, names = set[str](), set[str]()
    for file in sorted(root.rglob("*.py")):
        text = file.read_text("utf-8", "replace")
        for line in DOCSTRING.findall(text):
            if WORDS <= len(tokens := list(iterate_tokens(line))) <= 2 * WORDS:
                lines.add(" ".join(tokens))
        names.update(DEFINITION.findall(text))
    docstrings = rng.sample(sorted(lines), 2 * QUERIES)
    words = [" ".join(line.split()[: 2 + n % 3]) for n, line in enumerate(rng.sample(sorted(lines), 2 * QUERIES))]
    return {
        "": [Question(line, line.split()) for line in docstrings],
        "words_": [Question(line, line.split()) for line in words],
        "name_": [Question(name, list(iterate_tokens(name))) for name in rng.sample(sorted(names), 2 * QUERIES)],
    }


def ranked_files(state: IndexState, query: Query) -> object:
    """Return the ten best files as a search ranks them, the server's own function: chunks scored, files summed up and counted."""
    terms = query_terms(state, query.weights)
    return rank(Sources.of(state), terms, query, k=TOP, prefer=Prefer.SOURCE, accepts=None)


def whole_answer(state: IndexState, text: str) -> object:
    return search(state, parse_query(text), Coverage(1, 1), k=TOP, accepts=None, prefer=Prefer.SOURCE)


def documents_of(index: IndexCache) -> Documents:
    return [[token for token, n in terms.items() for _ in range(n)] for *_, terms in index.live_documents()]


def compare_queries(index: IndexCache, documents: Documents, questions: dict[str, list[Question]]) -> None:
    """Ask every engine the first half of the questions; the second half warms the server: every page is mapped."""
    state = state_of(index)
    documents_of(index)
    own: dict[str, tuple[float, float]] = {}
    for kind, asked in questions.items():
        texts = [question.text for question in asked]
        p50_ms(lambda text: whole_answer(state, text), texts[QUERIES:])
        parsed = [parse_query(text) for text in texts[:QUERIES]]  # the references get tokens, too
        own[kind] = middle_and_mean(times_ms(lambda query: ranked_files(state, query), parsed))
        report(f"{kind}query_p50", own[kind][0], "ms")
        report(f"{kind}query_mean", own[kind][1], "ms")
        report(f"{kind}query_again_p50", p50_ms(lambda query: ranked_files(state, query), parsed), "ms")
        with patch.object(compiled, "IS_COMPILED", False):
            report(f"{kind}query_in_numpy_p50", p50_ms(lambda query: ranked_files(state, query), parsed), "ms")
        report(f"{kind}search_p50", p50_ms(lambda text: whole_answer(state, text), texts[:QUERIES]), "ms")
    for name, make, count, wanted in REFERENCES:
        try:
            engine = make(documents)
        except ImportError:
            sys.stderr.write(f"no {name}: left out\n")
            continue
        for kind, asked in questions.items():
            middle, mean = middle_and_mean(times_ms(engine, [question.tokens for question in asked[:count]]))
            report(f"{kind}{name}_p50", middle, "ms")
            report(f"{kind}{name}_mean", mean, "ms")
            report(f"{kind}times_faster_than_{name}", middle / own[kind][0], "x", wanted)
            report(f"{kind}times_faster_than_{name}_in_the_mean", mean / own[kind][1], "x", wanted)
        del engine
        gc.collect()


def time_updates(index: IndexCache, root: Path, rng: random.Random) -> None:
    """Re-index one changed file at a time, as a call does: read, parse and chunk in the worker, swap the state."""
    engine = index.engine
    walk = index.workspace.walk()
    chosen = rng.sample([file for file in walk.files if 2_000 < file.stat.size < 40_000], UPDATES)
    times: list[float] = []
    for file in chosen:
        with (root / file.rel).open("a", encoding="utf-8", errors="surrogateescape") as out:
            out.write("\n# edited\n")
        # A file that is younger than 50 ms is read twice, 5 ms apart: its writer may still be at work.
        time.sleep(0.06)
        start = time.perf_counter()
        made = engine.indexer.index(file, b"", Deadline(30))
        if isinstance(made, DeltaFile):
            files, now = {key_of(file.rel): made}, time.monotonic()
            engine.holder.commit(lambda base, f=files, t=now: base.updated(f, {}, np.empty(0, np.int64), t))
        times.append((time.perf_counter() - start) * 1e3)
    report("update_one_file_p50", statistics.median(times), "ms", 5)


def check_exact(index: IndexCache, root: Path, queries: list[list[str]], rng: random.Random) -> None:
    """Edit 500 files, rename and delete some, refresh, and compare scores and order with a fresh rank-bm25."""
    files = [root / file.rel for file in index.workspace.walk().files]
    for batch in range(EDITS // 50):
        for path in files[-3:]:
            files.remove(path)
            if batch % 2:
                path.unlink()
            else:
                files.insert(0, path.rename(path.with_name(f"renamed_{path.name}")))
        for path in rng.sample(files, 50):
            lines = path.read_bytes().split(b"\n")
            at = rng.randrange(len(lines))
            path.write_bytes(b"\n".join([*lines[:at], b"def edited(state, queue): return answer", *lines[at + 2 :]]))
        start = time.perf_counter()
        index.refresh(Deadline(120))
        if not batch:
            report("refresh_after_50_edits", (time.perf_counter() - start) * 1e3, "ms")
    oracle = BM25Okapi(documents_of(index))
    difference = max(
        float(np.abs(np.asarray(index.bm25(query)) - oracle.get_scores(query)).max())
        for query in [*queries[:8], ["edited", "self"]]
    )
    report("largest_score_difference_after_500_edits", difference, "score", 1e-9)
    report(
        "largest_hit_difference_after_500_edits",
        max(hit_difference(index, oracle, query) for query in queries[:8]),
        "score",
        1e-9,
    )


def hit_difference(index: IndexCache, oracle: BM25Okapi, query: Sequence[str]) -> float:
    """Return how far the scores that a search tells of its hits are from those of a fresh index."""
    places = {(path, start, end): place for place, (path, start, end, _) in enumerate(index.live_documents())}
    expected = oracle.get_scores(list(parse_query(" ".join(query)).tokens))
    result = index.search(" ".join(query), k=50, prefer=Prefer.ANY, deadline=Deadline(60))
    told = [(hit.bm25, places.get((hit.path, hit.start, hit.end))) for hit in result.hits if hit.bm25]
    return max(abs(score - float(expected[place])) for score, place in told if place is not None)


MEMORY = """
import ctypes, gc, json, sys
import numpy, psutil
from pathlib import Path
from tests.benchmarks.index_bench import map_and_search
map_and_search(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
"""


def rss_bytes() -> int:
    gc.collect()
    try:
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        pass
    return psutil.Process().memory_info().rss


def map_and_search(root: Path, data: Path, texts: list[str]) -> None:
    """In a process of its own: map, search, unload, and print the resident bytes of each step."""
    worker = Worker()
    index = open_index(root, data, worker)
    index.workspace.walk()
    index.engine.holder.unload()
    whole_answer(IndexState(), "warm")
    base = rss_bytes()
    state = index.engine.holder.adopt()
    for text in texts:
        whole_answer(state, text)
    mapped = rss_bytes()
    del state
    index.unload()
    sys.stdout.write(json.dumps([base, mapped, rss_bytes()]))
    worker.close()


def measure_memory(root: Path, data: Path, texts: list[str]) -> None:
    command = [sys.executable, "-c", MEMORY, str(root), str(data), json.dumps(texts)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    base, mapped, unloaded = json.loads(done.stdout)
    report("mapped_rss", (mapped - base) / MB, "MB", 35)
    report("unloaded_share", (mapped - unloaded) / (mapped - base), "ratio", 0.9)


def run(root: Path, data: Path) -> None:
    rng = random.Random(7)
    worker = Worker()
    index = open_index(root, data, worker)
    start = time.perf_counter()
    index.search("build everything first", deadline=Deadline(600))
    report("cold_build", time.perf_counter() - start, "s", 15)
    settle(index)
    report("chunks", index.statistics().chunks, "chunks", MIN_CHUNKS)
    report("files", index.statistics().files, "files")
    report("is_compiled", compiled.IS_COMPILED, "flag")
    start = time.perf_counter()
    index.refresh(Deadline(60))
    report("sweep", (time.perf_counter() - start) * 1e3, "ms")
    documents = documents_of(index)
    questions = make_questions(root, rng)
    compare_queries(index, documents, questions)
    asked = questions[""][:QUERIES]
    del documents
    gc.collect()
    measure_memory(root, data, [question.text for question in asked])
    time_updates(index, root, rng)
    check_exact(index, root, [list(question.tokens) for question in asked], rng)
    index.close()
    worker.close()


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "corpus"
        if len(sys.argv) > 1:
            # A copy: the benchmark edits files.
            shutil.copytree(sys.argv[1], root, symlinks=True)
        else:
            root.mkdir()
            copy_corpus(root)
        run(root, Path(folder) / "index")
    return 0


if __name__ == "__main__":
    sys.exit(main())
