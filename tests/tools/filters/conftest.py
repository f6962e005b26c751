"""Counters and checks shared by the tests of filters."""

from collections.abc import Callable
from importlib import resources

import pytest

from penstock.cache.tokens import O200kCounter
from penstock.tools.filters.filter import Filtered

Count = Callable[[str], int]


def rough(text: str) -> int:
    """Count like a tokenizer, cheaply: about three characters a token, every newline one."""
    return len(text) // 3 + text.count("\n") + (1 if text else 0)


def check_whole(result: Filtered) -> None:
    """Every line is kept or in a gap, in order; what is kept is the original's; nothing else is written."""
    lines = result.document.lines
    at = 0
    expected: list[str] = []
    for piece in result.pieces:
        assert piece.start == at
        assert piece.end >= piece.start
        if piece.spans:
            assert piece.is_kept
            assert piece.end == piece.start + 1
            edges = [edge for span in piece.spans for edge in span]
            assert edges == sorted(edges)
            assert edges[-1] <= len(lines[at])
            shown = next(iter(result.body_lines()), "") if len(result.pieces) == 1 else None
            assert shown is None or any(lines[at][a:b] in shown for a, b in piece.spans)
        expected += lines[piece.start : piece.end] if piece.is_kept else [""]
        at = piece.end
    assert at == len(lines)
    assert result.kept_lines + sum(p.end - p.start for p in result.pieces if not p.is_kept) == len(lines)


@pytest.fixture(scope="session")
def count() -> Count:
    counter = O200kCounter(lambda: resources.files("penstock.configs").joinpath("vocab/o200k_base.bin.gz").read_bytes())
    return lambda text: counter.count(text).tokens
