from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

def open_segment(
    columns: tuple[Array, ...],
    base: float,
    step: float,
    shares: tuple[float, ...],
    max_docs: int,
    /,
) -> object: ...
def shortlist(
    segment: object,
    slope: float,
    stretch: float,
    held: list[tuple[float, Any]],
    boosts: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]],
    gains: list[tuple[npt.NDArray[np.int64], float]],
    start: int,
    prior: npt.NDArray[np.float64],
    live: npt.NDArray[np.bool_] | None,
    k: int,
    /,
) -> tuple[list[int], list[float], list[tuple[int, ...]], int, int]: ...
def find_term(segment: object, key: bytes, number: int, /) -> tuple[int, int, int, int, int, int] | None: ...
