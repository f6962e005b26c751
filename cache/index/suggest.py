"""Near identifiers for words that nothing holds. Pure.

Candidates share a prefix with the word, or its first letter and about its length; they are ranked by similarity. Bounded by
the number of candidates looked at, not by the vocabulary.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

from .state import IndexState

_PER_TERM: Final = 3
_MAX_WORDS: Final = 3
_MAX_CANDIDATES: Final = 3_000
_LEAST_RATIO: Final = 0.72
_MIN_CHARS: Final = 3


def near_terms(state: IndexState, unknown: Iterable[str]) -> tuple[str, ...]:
    """Return indexed terms that look like the unknown ones, nearest first."""
    found: list[str] = []
    for word in [word for word in unknown if len(word) >= _MIN_CHARS][:_MAX_WORDS]:
        found.extend(near for near in nearest(word, _candidates(state, word)) if near not in found)
    return tuple(found)


def nearest(word: str, candidates: Iterable[str]) -> list[str]:
    """Return the few candidates most like `word`, best first, ties in order of spelling."""
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(word)
    scored: list[tuple[float, str]] = []
    for candidate in candidates:
        matcher.set_seq1(candidate)
        if matcher.real_quick_ratio() >= _LEAST_RATIO and matcher.quick_ratio() >= _LEAST_RATIO:
            ratio = matcher.ratio()
            if ratio >= _LEAST_RATIO:
                scored.append((-ratio, candidate))
    return [candidate for _, candidate in sorted(scored)[:_PER_TERM]]


def _candidates(state: IndexState, word: str) -> set[str]:
    found: set[str] = set()
    for live in state.segments:
        for length in (4, 3, 2, 1):
            for tid, term in live.segment.terms_with_prefix(word[:length], _MAX_CANDIDATES):
                if int(live.segment.post_ptr[tid]) < int(live.segment.post_ptr[tid + 1]):
                    found.add(term)
            if len(found) >= _MAX_CANDIDATES // 4:
                break
    for file in state.delta.files.values():
        found.update(term for term in file.terms() if term[0] == word[0])
    return found
