"""BM25 inside one tier, as a similarity between 0 and 1. Pure.

The scorer is rank-bm25's BM25Okapi over the candidates, with two statistics replaced, because candidates are chosen for holding
the query's words: document frequencies and the number of documents are those of the whole transcript, and the inverse document
frequency is ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative (rank-bm25's own turns negative in tiny collections).
Lengths are counted in words; only words that can hold a term of the query are split further.

A score is divided by the sum of the query's weights: what a text of average length gets that holds each term once.
So 1 means every term is there, one half that half of the query's information is; the thresholds of seed 004 (.3, .4, .5), made
for a share of matched keywords, keep their meaning.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..index.tokenise import expand_word, words_of


@dataclass(frozen=True, slots=True)
class Document:
    """A text as the ranking sees it."""

    held: tuple[str, ...]
    """The query's terms that it holds, each as often as it does."""
    length: int
    """Words."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate's place, its similarity, and the query terms that it really holds."""

    index: int
    similarity: float
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TierStatistics:
    """What the ranking must know beyond the candidates."""

    documents: int
    frequencies: Mapping[str, int]
    """In how many documents each query term occurs."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query's distinct terms, their weights, and a pattern that finds any of them inside a word."""

    terms: tuple[str, ...]
    weights: Mapping[str, float]
    pattern: re.Pattern[str]

    @property
    def weight(self) -> float:
        """The sum of the weights: what a text of average length gets that holds each term once."""
        return sum(self.weights.values())


def query_of(terms: Sequence[str], statistics: TierStatistics) -> Query:
    """Return a query of these terms, of which there is at least one."""
    weights = {term: idf_of(statistics.documents, statistics.frequencies.get(term, 0)) for term in terms}
    return Query(tuple(weights), weights, re.compile("|".join(map(re.escape, weights))))


def document_of(text: str, query: Query) -> Document:
    """Return `text` as a document for a query."""
    words = words_of(text)
    search = query.pattern.search
    held: list[str] = []
    for word, times in Counter(words).items():
        low = word.lower()
        if search(low) or not low.isascii():
            held.extend(term for term in expand_word(word) if term in query.weights for _ in range(times))
    return Document(tuple(held), len(words))


def rank(documents: Iterable[Document], query: Query) -> list[Ranked]:
    """Rank documents for a query. Only those that hold a term are returned, best first, ties by index."""
    import numpy as np  # heavy: lazy by design
    from rank_bm25 import BM25Okapi

    holding = [(at, document) for at, document in enumerate(documents) if document.held]
    if not holding:
        return []
    model = BM25Okapi([list(document.held) for _, document in holding])
    lengths = [document.length for _, document in holding]
    model.doc_len = lengths
    model.avgdl = sum(lengths) / len(lengths)
    model.idf = dict(query.weights)
    scores = np.asarray(model.get_scores(list(query.terms)), dtype=float)
    ranked = [
        Ranked(at, min(1.0, score / query.weight), tuple(term for term in query.terms if term in document.held))
        for (at, document), score in zip(holding, scores.tolist(), strict=True)
    ]
    return sorted(ranked, key=lambda one: (-one.similarity, one.index))


def idf_of(documents: int, frequency: int) -> float:
    """Return the weight of a term: positive, and for one that occurs nowhere that of one that occurs once."""
    frequency = max(1, min(frequency, documents))
    documents = max(1, documents)
    return math.log1p((documents - frequency + 0.5) / (frequency + 0.5))
