"""The compiled form of a segment's shortlist (`native/shortlist.c`), where there is one; `shortlist.py` does the same in numpy.

It is built when the package is installed, if there is a C compiler, and left out if there is none. Its answers are the same
files, totals, chunks and counts. Two cases are numpy's alone: files that may not appear, which Python code decides, and terms
that add 0 or less, as they do in tiny corpora.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from .bounds import STEP
from .formula import K1, MAX_DOCS, SHARES, B
from .segment import Segment

if TYPE_CHECKING:
    from .bm25 import Held, LengthNorms

try:
    from . import _shortlist as extension
except ImportError:  # no compiler where it was installed
    extension = None

IS_COMPILED: Final = extension is not None
_KEY: Final = "_compiled"
Boost = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
FileGain = tuple[npt.NDArray[np.int64], float]
Found = tuple[list[int], list[float], list[tuple[int, ...]], int, int]
"""Files, their totals, their best chunks, and how many chunks and files match."""


def shortlist(
    segment: Segment,
    norms: "LengthNorms",
    stretch: float,
    held: "list[Held]",
    boosts: list[Boost],
    gains: list[FileGain],
    start: int,
    prior: npt.NDArray[np.float64],
    live: npt.NDArray[np.bool_] | None,
    k: int,
) -> Found:
    """Return the files of a segment that may be among the first k; every term has to add more than 0.

    Raises:
        ValueError: The segment contradicts itself.
    """
    assert extension is not None
    opened = segment.__dict__.get(_KEY) or _opened(segment)
    return extension.shortlist(opened, norms.slope, stretch, held, boosts, gains, start, prior, live, k)


def find(segment: Segment, key: bytes, number: int) -> tuple[int, int, int, int, int, int] | None:
    """Look an encoded term up by its hash; return its id and where the segment keeps it, as in `Span`.

    Raises:
        ValueError: The segment contradicts itself.
    """
    assert extension is not None
    return extension.find_term(segment.__dict__.get(_KEY) or _opened(segment), key, number)


def _opened(segment: Segment) -> object:
    assert extension is not None
    opened = segment.__dict__[_KEY] = extension.open_segment(segment.columns, K1 * (1 - B), STEP, SHARES, MAX_DOCS)
    return opened
