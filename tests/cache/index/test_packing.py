from hypothesis import given
from hypothesis import strategies as st

from penstock.cache.index.analyse import Analyser
from penstock.cache.index.chunk import Symbol
from penstock.cache.index.packing import imports_text, parse_imports, parse_symbols, symbols_text

NAMES = st.text(min_size=1, max_size=20).map(lambda text: " ".join(text.split())).filter(bool)
WORDS = st.from_regex(r"\A\w+\Z")
NUMBERS = st.integers(0, 10_000)


@given(st.lists(st.builds(Symbol, st.sampled_from(["class", "function"]), NAMES, NUMBERS, NUMBERS), max_size=8))
def test_symbols_come_back(symbols: list[Symbol]) -> None:
    assert parse_symbols(symbols_text(symbols)) == tuple(symbols)


@given(st.lists(st.tuples(NAMES, st.lists(WORDS, max_size=4).map(tuple)), max_size=8))
def test_imports_come_back(imports: list[tuple[str, tuple[str, ...]]]) -> None:
    assert parse_imports(imports_text(imports)) == tuple(imports)


def test_control_characters_in_names_do_not_reach_a_segment() -> None:
    analysis = Analyser("penstock.tools.languages:structure").analyse("a.md", b"# one\x1ftwo\x1ethree\n\ntext\n")
    symbols = [symbol for chunk in analysis.chunks for symbol in chunk.symbols]
    assert [symbol.name for symbol in symbols] == ["one two three"]
    assert parse_symbols(symbols_text(symbols)) == tuple(symbols)
