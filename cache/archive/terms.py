"""Whole-word terms and passages. Pure.

Terms are the search index's tokens: a whole identifier and its camel/snake parts, lower case, stop words left out. "a" never
matches a part of another word (the fault of seed 004). Passages are what is ranked: short enough to tokenise dozens of them
within a query's time.
"""

from collections.abc import Iterator
from typing import Final

from ..index.tokenise import expand_word, words_of

PASSAGE_CHARS: Final = 1_500
MAX_PASSAGES: Final = 10
MAX_QUERY_TERMS: Final = 32


def terms_of(text: str) -> list[str]:
    """Return the terms of `text` in order, repeats included."""
    return [term for word in words_of(text) for term in expand_word(word)]


def query_terms_of(query: str) -> tuple[str, ...]:
    """Return the distinct terms of a query in order; its bare words when it has nothing but stop words."""
    terms = dict.fromkeys(terms_of(query)) or dict.fromkeys(word.lower()[:64] for word in words_of(query))
    return tuple(terms)[:MAX_QUERY_TERMS]


def passages_of(text: str, *, passage_chars: int = PASSAGE_CHARS, limit: int = MAX_PASSAGES) -> Iterator[str]:
    """Cut `text` at line ends into passages of at most `passage_chars`; together they are a prefix of it."""
    at = 0
    for _ in range(limit):
        if at >= len(text):
            return
        end = at + passage_chars
        if end < len(text):
            newline = text.rfind("\n", at + passage_chars // 2, end)
            end = newline + 1 if newline >= 0 else end
        yield text[at:end]
        at = end
