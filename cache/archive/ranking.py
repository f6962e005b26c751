"""BM25 inside one tier, as a similarity between 0 and 1. Pure.

The scorer is rank-bm25's BM25Okapi over the candidates, with two statistics replaced, because candidates are chosen for holding
the query's words: document frequencies and the number of documents are those of the whole tier, and the inverse document
frequency is ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative (rank-bm25's own turns negative in tiny tiers).

A score is divided by the sum of the query's frequencies' weights: what a text of average length gets that holds each term once.
So 1 means every term is there, one half that half of the query's information is; the thresholds of seed 004 (.3, .4, .5), made
for a share of matched keywords, keep their meaning.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..index.tokenise import Tokeniser


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate's place, its similarity, and the query terms that it really holds."""

    index: int
    similarity: float
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TierStatistics:
    """What the ranking must know of the whole tier."""

    documents: int
    frequencies: Mapping[str, int]
    """In how many documents each query term occurs."""


def rank(texts: Sequence[Sequence[str]], query: Sequence[str], tier: TierStatistics) -> list[Ranked]:
    """Rank texts, given as terms, for a query's terms. Only texts that hold a term are returned, best first, ties by index."""
    import numpy as np  # heavy: lazy by design
    from rank_bm25 import BM25Okapi

    holding = [at for at, terms in enumerate(texts) if terms and not set(query).isdisjoint(terms)]
    if not holding:
        return []
    model = BM25Okapi([list(texts[at]) for at in holding])
    weights = {term: idf_of(tier.documents, tier.frequencies.get(term, 0)) for term in query}
    model.idf = weights
    scores = np.asarray(model.get_scores(list(query)), dtype=float)
    best = sum(weights.values())
    ranked: list[Ranked] = []
    for at, score in zip(holding, scores.tolist(), strict=True):
        held = set(texts[at])
        ranked.append(Ranked(at, min(1.0, score / best), tuple(term for term in query if term in held)))
    return sorted(ranked, key=lambda one: (-one.similarity, one.index))


def tier_statistics(texts: Sequence[Sequence[str]], query: Sequence[str]) -> TierStatistics:
    """Return the statistics of a tier that is at hand as a whole."""
    frequencies = dict.fromkeys(query, 0)
    for terms in texts:
        for term in set(terms) & frequencies.keys():
            frequencies[term] += 1
    return TierStatistics(len(texts), frequencies)


def idf_of(documents: int, frequency: int) -> float:
    """Return the weight of a term; positive for every frequency between 0 and the number of documents."""
    frequency = min(frequency, documents)
    return math.log1p((documents - frequency + 0.5) / (frequency + 0.5))


def terms_with(tokeniser: Tokeniser, text: str) -> list[str]:
    """Return the terms of `text`, expanded through a memo that the caller owns."""
    return tokeniser.tokens(text)
