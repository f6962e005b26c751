"""The token counter over the vendored vocabulary."""

import functools
from importlib import resources

from ..cache.tokens import O200kCounter


@functools.cache
def vocabulary() -> O200kCounter:
    """Return the process's counter; the vocabulary is loaded when first used."""
    return O200kCounter(lambda: resources.files("penstock.configs").joinpath("vocab/o200k_base.bin.gz").read_bytes())
