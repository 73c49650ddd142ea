"""Choose few structures such that whatever comes is near one of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MISS = 0.5  # what counts as far where structures do not match: the evaluator's tolerance


def cover(far: Floats, weight: Floats, count: int, miss: float = MISS) -> Ints:
    """Which ``count`` of C candidates leave J points least far from their nearest one, best first.

    Facility location, solved greedily: within 1 - 1/e of the best choice (Nemhauser et al. 1978,
    Math. Program. 14, 265), and each beginning of the list is as good a choice of so many.

    Args:
        far: (C, J) distances, at most ``miss``.
        weight: (J,) of each point.
        count: how many to choose; some are chosen twice if there are fewer.
        miss: how far a point is from no candidate at all.
    """
    left = np.full(far.shape[1], miss)
    chosen = np.empty(count, np.int64)
    for place in range(count):
        gain = np.maximum(left - far, 0) @ weight
        chosen[place] = gain.argmax()
        left = np.minimum(left, far[chosen[place]])
    return chosen
