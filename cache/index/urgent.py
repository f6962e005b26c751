"""Which files are indexed at once while a build is under way that will take long. Pure.

A first answer is worth something if the few files that it could look at are the likely ones: those that have changed since
they were indexed, those whose path says what the query asks for, and, while nothing else is there, the youngest.
"""

import math
import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ..workspace.table import FIELDS, FileTable
from .catalog import Catalog, Ints
from .chunk import MAX_FILE_BYTES

_LEAST_CHARS: Final = 3
_MAX_TERMS: Final = 16
"""Each is looked for in all paths: 5 ms in 200,000 of them."""
_COMMON: Final = 0.2
"""A part of a word that more paths hold tells none from the others."""
_TELLING: Final = 0.6
"""Of the query's weight; a path that says less of it, one word of two, waits its turn once there is something to search."""

Floats = npt.NDArray[np.float64]


def beyond(files: FileTable, walked: int, catalog: Catalog) -> Ints:
    """Return the positions of files after the first `walked`, which are more than an index takes, that are not in it."""
    positions = np.arange(walked, len(files))
    _, is_known = catalog.positions(np.frombuffer(files.keys, np.int64)[_rows(files, positions)])
    return positions[~is_known]


def urgent_files(files: FileTable, new: Ints, changed: Ints, weights: Mapping[str, float], *, limit: int, is_first: bool) -> Ints:
    """Return positions in `files`, most urgent first, at most `limit`.

    `new` are those of files that are not indexed, `changed` of files whose indexed version is not theirs any more; `weights`
    are those of the query's terms; `is_first` says that nothing is indexed yet.
    """
    if len(changed) > limit:
        changed = changed[:0]  # A branch switch: too many to be indexed now, and each hit is looked at before it is shown.
    scores = path_scores(files, weights)[new]
    rows = np.frombuffer(files.rows, np.int64).reshape(-1, FIELDS)[_rows(files, new)]
    is_likely = (rows[:, 1] > 0) & (rows[:, 1] <= MAX_FILE_BYTES)
    if not is_first:
        is_likely &= scores > _TELLING
    likely = np.flatnonzero(is_likely)
    order = np.lexsort((-rows[likely, 2], -scores[likely]))
    return np.concatenate([changed, new[likely[order]]])[:limit]


def path_scores(files: FileTable, weights: Mapping[str, float]) -> Floats:
    """Return, by position, what share of the query each path says: terms count by weight and rarity among the paths."""
    names, ends = files.lowered, np.frombuffer(files.ends, np.uint64)
    scores, whole, count = np.zeros(len(files)), 0.0, max(1, len(files))
    told = sorted((term for term in weights if len(term) >= _LEAST_CHARS), key=lambda term: -weights[term])
    for term in told[:_MAX_TERMS]:
        held = _rows_with(names, ends, term.encode("utf-8", "surrogatepass"))
        gain = weights[term] * math.log(1 + count / max(1, len(held)))
        whole += gain
        if len(held) <= max(1, _COMMON * count):
            scores[held] += gain
    if whole:
        scores /= whole
    return scores[_rows(files, np.arange(len(files)))]


def _rows_with(names: bytearray, ends: npt.NDArray[np.uint64], part: bytes) -> Ints:
    """Return the rows whose name holds `part`; one that begins in a name and ends in the next is none."""
    found = np.asarray([match.start() for match in re.finditer(re.escape(part), names)], np.uint64)
    first = np.searchsorted(ends, found, side="right")
    last = np.searchsorted(ends, found + np.uint64(len(part) - 1), side="right")
    return np.unique(first[first == last]).astype(np.int64)


def _rows(files: FileTable, positions: Ints) -> Ints:
    """Return the row of each position."""
    return positions if files.order is None else np.frombuffer(files.order, np.uint64).astype(np.int64)[positions]
