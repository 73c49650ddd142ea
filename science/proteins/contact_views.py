"""Which sub-samples of each alignment a contact network learns from."""

from __future__ import annotations

import numpy as np

from science.core.seeds import rng
from science.proteins.feature_cache import View

MOST = 1000
LEAST = 20
RICH = (60, 200)  # from these depths on, one more view each


def views(depth: int, seed: int, name: str) -> list[View]:
    """All sequences, and the richer an alignment, the more random parts of it.

    A network that has only seen deep alignments trusts weak couplings too much where the user's
    alignment is shallow; the parts teach it what is left of a coupling then.

    Args:
        depth: N of the alignment.
        seed: master seed of the draws.
        name: of the family, so that each has draws of its own.
    """
    found = [View(MOST)]
    for number, least in enumerate(RICH):
        if depth >= least:
            draw = rng(seed, "views", name, number)
            low, high = np.log(LEAST), np.log(min(depth, MOST) / 1.5)
            found.append(View(round(float(np.exp(draw.uniform(low, high)))), number + 1))
    return found
