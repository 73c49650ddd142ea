"""Are a repetition's numbers those of the same experiment? An equivalence test says so, or not.

A difference that is not significant is no evidence of sameness: with few runs nothing is
significant. So the burden is turned round, as in bioequivalence: two one-sided t-tests (Schuirmann
1987, doi:10.1007/BF01068419) must both refuse the idea that the means differ by ``margin`` standard
deviations of the seed-to-seed spread.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

ALPHA = 0.05
MARGIN = 4.0
FALSE_ALARM = 0.04  # largest chance of "not reproduced" when nothing has changed, with a reserve
_MOST = 50


@dataclass(frozen=True)
class Equivalence:
    """The outcome of the test.

    Attributes:
        equivalent: both one-sided tests are passed.
        p: the larger of their p-values.
        shift: difference of the means in standard deviations of the ensemble.
        n: runs in the declared ensemble.
        m: runs of the repetition.
        margin: difference that matters, in standard deviations.
    """

    equivalent: bool
    p: float
    shift: float
    n: int
    m: int
    margin: float

    def __str__(self) -> str:
        word = "equivalent" if self.equivalent else "not shown to be equivalent"
        return (
            f"{word}: {self.m} run{'s' * (self.m > 1)} against {self.n} of the declared ensemble, "
            f"means {self.shift:+.2f} standard deviations apart, margin {self.margin:g}, "
            f"p = {self.p:.3g}"
        )


def equivalent(
    reference: Sequence[float], again: Sequence[float], margin: float = MARGIN
) -> Equivalence:
    """Test whether two sets of runs, which differ in their seeds alone, have the same mean.

    The spread is taken from the reference: the repetition may be one run only.

    Raises:
        ValueError: fewer than three reference runs, or none of the repetition.
    """
    n, m = len(reference), len(again)
    if n < 3 or m < 1:
        raise ValueError(f"needs three runs of the ensemble and one more, not {n} and {m}")
    spread = float(np.std(reference, ddof=1))
    apart = float(np.mean(again) - np.mean(reference))
    if spread == 0:
        same = apart == 0
        return Equivalence(same, float(not same), 0.0 if same else np.inf, n, m, margin)
    shift, error = apart / spread, np.sqrt(1 / n + 1 / m)
    p = float(stats.t.sf((margin - abs(shift)) / error, n - 1))
    return Equivalence(p <= ALPHA, p, shift, n, m, margin)


def false_alarm(n: int, m: int, margin: float = MARGIN) -> float:
    """Chance that the test is not passed although nothing has changed."""
    error = np.sqrt(1 / n + 1 / m)
    room = margin / error - stats.t.isf(ALPHA, n - 1)
    return 1.0 if room <= 0 else float(2 * stats.t.sf(room, n - 1))


@functools.cache
def needed(n: int, margin: float = MARGIN) -> int | None:
    """Runs that a repetition needs so that false alarms stay rare; None if no number does."""
    enough = (m for m in range(1, _MOST) if false_alarm(n, m, margin) <= FALSE_ALARM)
    return next(enough, None) if n >= 3 else None
