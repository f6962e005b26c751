"""The token counter over the vendored vocabulary."""

import functools
from importlib import resources

from ..cache.tokens import O200kCounter


@functools.cache
def vocabulary() -> O200kCounter:
    """Return the process's counter; the vocabulary is loaded when first used."""
    return new_vocabulary()


def new_vocabulary() -> O200kCounter:
    """Return a counter of its own, to measure what loading costs."""
    return O200kCounter(lambda: resources.files("penstock.configs").joinpath("vocab/o200k_base.bin.gz").read_bytes())
