"""The statistical verdict: other seeds must pass, a model that got worse must not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from science.core.rerun.equivalence import equivalent, needed
from science.core.rerun.proof.count import Trial
from science.core.seeds import rng

ENSEMBLE = 8  # seeds of the reference
WORSE = 4.0  # standard deviations of a model that got worse
SAME, DEGRADED = "unchanged model is found equivalent", "model worse by 4 sigma is refused"


def statistics(seed: int, count: int, known: Sequence[float] = ()) -> Iterator[Trial]:
    """``count`` verdicts on other seeds and as many on a model that is worse by 4 sigma.

    Args:
        seed: of the draws.
        count: of each.
        known: a measure of many seeds of one experiment, of which ensembles and repetitions are
            drawn apart; normal numbers if not given.
    """
    draw, m = rng(seed, "statistics", len(known)), needed(ENSEMBLE) or 1
    kind = f", {len(known)} real seeds" if len(known) else ""
    pool = np.asarray(known, np.float64)
    sigma = float(pool.std(ddof=1)) if len(known) else 1.0
    for _ in range(count):
        drawn = draw.normal(size=2 * m + ENSEMBLE)
        if len(known):
            drawn = draw.permutation(pool)[: 2 * m + ENSEMBLE]
        reference = drawn[:ENSEMBLE].tolist()
        again, other = drawn[ENSEMBLE:][:m], drawn[ENSEMBLE:][m:]
        same = equivalent(reference, again.tolist()).equivalent
        yield Trial(SAME + kind, same, "false alarm")
        worse = equivalent(reference, (other - WORSE * sigma).tolist()).equivalent
        yield Trial(DEGRADED + kind, not worse, "missed")
