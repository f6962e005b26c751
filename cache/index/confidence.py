"""How sharply a list of scores points at its top. Pure."""

import math
from collections.abc import Sequence
from typing import Final

from .values import Confidence

_TOP: Final = 10
_SHARPNESS: Final = 4.0


def entropy_of(scores: Sequence[float]) -> float:
    """Return the normalised entropy of the best scores: 0 if one stands out, 1 if all are alike.

    The weights are a softmax over score / best, so that it does not depend on the length of the query.
    """
    top = sorted((score for score in scores if score > 0), reverse=True)[:_TOP]
    if len(top) < 2:
        return 0.0
    weights = [math.exp(_SHARPNESS * (score / top[0] - 1)) for score in top]
    total = sum(weights)
    shares = [weight / total for weight in weights]
    return -sum(share * math.log(share) for share in shares) / math.log(len(shares))


def confidence_of(entropy: float, median: float | None, coverage: float) -> Confidence:
    """Judge one answer.

    `median` is the session's usual entropy (None until it is calibrated), `coverage` the share of the query's idf that the
    best hit holds.
    """
    if coverage < 0.34:
        return Confidence.LOW
    usual = 0.95 if median is None else max(0.7, median)
    if entropy > usual and coverage < 0.67:
        return Confidence.LOW
    return Confidence.HIGH if coverage >= 0.67 and entropy <= usual else Confidence.MEDIUM
