import pickle
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.index.analyse import AnalysedChunk, FileAnalysis
from penstock.cache.index.chunk import FileStatus, Symbol
from penstock.cache.index.named import symbol_terms
from penstock.cache.index.packed import analyse_packed, pack
from penstock.cache.index.packed_file import PackedFile
from penstock.cache.index.tokenise import number_of

NAMES = st.text("abXY_é\udc80", min_size=1, max_size=5)
SYMBOLS = st.builds(Symbol, st.sampled_from(["def", ""]), NAMES, st.integers(1, 1 << 31), st.integers(0, 1 << 31))


@st.composite
def analyses(draw: st.DrawFn) -> FileAnalysis:
    chunks: list[AnalysedChunk] = []
    for _ in range(draw(st.integers(0, 5))):
        terms = draw(st.dictionaries(NAMES, st.integers(1, 1 << 31), max_size=6))
        symbols = tuple(draw(st.lists(SYMBOLS, max_size=3)))
        start, length = draw(st.tuples(st.integers(1, 1 << 31), st.integers(0, 1 << 31)))
        calls = tuple(sorted(draw(st.sets(NAMES, max_size=2))))
        chunks.append(AnalysedChunk(start, start + 9, symbols, length, terms, calls))
    imports = tuple(draw(st.lists(st.tuples(NAMES, st.tuples(NAMES)), max_size=2)))
    return FileAnalysis(draw(st.sampled_from(FileStatus)), draw(st.integers(0, 1 << 40)), tuple(chunks), imports)


def hash_of(term: str) -> int:
    return number_of(term.encode("utf-8", "surrogatepass"))


@given(analysis=analyses(), others=st.sets(NAMES, max_size=5))
def test_everything_that_was_packed_is_read_back(analysis: FileAnalysis, others: set[str]) -> None:
    packed = pickle.loads(pickle.dumps(pack(analysis)))
    file = PackedFile(packed)
    chunks = analysis.chunks
    assert (packed.status, packed.lines, file.imports) == (analysis.status, analysis.lines, analysis.imports)
    assert (file.n_chunks, file.length, list(file.lengths())) == (
        len(chunks),
        sum(c.length for c in chunks),
        [c.length for c in chunks],
    )
    for place, chunk in enumerate(chunks):
        assert (file.span(place), file.length_of(place), file.symbols(place)) == (
            (chunk.start, chunk.end),
            chunk.length,
            chunk.symbols,
        )
        assert file.counts(place) == chunk.terms
    held = {term for chunk in chunks for term in chunk.terms}
    assert sorted(file.terms()) == sorted(held)
    for term in held | others:
        row = file.find(hash_of(term))
        places = [(place, chunk.terms[term]) for place, chunk in enumerate(chunks) if term in chunk.terms]
        assert (row >= 0) == bool(places)
        assert not places or (file.terms()[row], file.postings(row), file.frequency(row)) == (term, places, len(places))
        defined = [place for place, chunk in enumerate(chunks) if term in symbol_terms(chunk.symbols)]
        assert list(file.definers(hash_of(term))) == defined
        assert list(file.callers(hash_of(term))) == [place for place, chunk in enumerate(chunks) if term in chunk.calls]


def test_a_packed_file_takes_about_the_heap_that_it_says() -> None:
    source = "\n".join(
        f"def name_{n}(value_{n % 50}):\n    return helper_{n % 9}(value_{n % 50} + other_{n})\n" for n in range(600)
    )
    sent = pickle.dumps(analyse_packed("penstock.tools.languages:structure", "a.py", source.encode(), True))
    tracemalloc.start()
    try:
        files = [PackedFile(pickle.loads(sent)) for _ in range(20)]
        taken = tracemalloc.get_traced_memory()[0] / len(files)
    finally:
        tracemalloc.stop()
    assert taken / 1.3 < files[0].nbytes < taken * 1.3
