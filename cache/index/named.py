"""The tokens under which names are found, and which definition of a chunk a query speaks of. Pure.

A chunk may hold several short definitions, and a long one may begin in its middle. The one whose name says most of the query
stands for the chunk; when the query is nothing but that name, its lines are the hit.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from .chunk import Symbol
from .tokenise import expand_word, words_of


def best_first(symbols: Sequence[Symbol], weights: Mapping[str, float], name: str) -> tuple[Symbol, ...]:
    """Order the symbols of a chunk by how much of the query their names say, equal ones as they stand.

    `weights` are those of the query's terms; `name` is the query if it is one identifier, else empty.
    """
    return tuple(sorted(symbols, key=lambda symbol: -_told(symbol, weights, name)))


def _told(symbol: Symbol, weights: Mapping[str, float], name: str) -> float:
    last = last_name(symbol)
    if name and last.lower() == name.lower():
        return float("inf") if last == name else 1e9
    return sum(weights.get(token, 0.0) for token in symbol_terms([symbol]))


def last_name(symbol: Symbol) -> str:
    """Return a symbol's name without what encloses it."""
    return symbol.name.rpartition(".")[2].rpartition(":")[2]


def own_name(name: str) -> str:
    """Return the token of a definition's name without what encloses it."""
    return name.rpartition(".")[2].rpartition(":")[2].lower().strip("_")


def around(symbols: Sequence[Symbol], lines: Sequence[int]) -> Symbol | None:
    """Return the symbol that holds most of some lines, the innermost of several; None if none holds any."""
    held = [(sum(symbol.line <= line <= symbol.end for line in lines), symbol.line, symbol) for symbol in symbols]
    count, _, best = max(held, key=lambda one: one[:2], default=(0, 0, None))
    return best if count else None


def is_told(symbol: Symbol, terms: Collection[str]) -> bool:
    """Whether a symbol's name holds one of the terms."""
    return any(token in terms for word in words_of(symbol.name) for token in expand_word(word))


def span_of(symbols: Sequence[Symbol], name: str, start: int, end: int) -> tuple[int, int]:
    """Return the lines of the first symbol within `start` to `end` if the query is its name, else all of them."""
    if not name or not symbols or last_name(symbols[0]).lower() != name.lower():
        return start, end
    first = symbols[0]
    last = min(first.end, end) if first.end else end
    return (first.line, last) if start <= first.line <= last else (start, end)


def symbol_terms(symbols: Iterable[Symbol]) -> set[str]:
    """Return the tokens under which definitions are found."""
    return {token for symbol in symbols for word in words_of(symbol.name) for token in expand_word(word)}


def path_terms(path: str) -> set[str]:
    """Return the tokens under which a path is found."""
    return {token for word in words_of(path) for token in expand_word(word)}
