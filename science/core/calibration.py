"""Make a score mean what it says: of the samples scored 0.8, eight in ten are positive."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

Floats = NDArray[np.float64]
_EDGE = 1e-7  # scores of exactly 0 or 1 have no finite log-odds


@dataclass(frozen=True)
class Temperature:
    """Divide the log-odds by ``temperature`` and move them by ``shift``.

    Temperature scaling of Guo et al. (2017, arXiv 1706.04599) with Platt's intercept, because the
    mean of an ensemble is not only too timid but may sit off centre. Order is kept, so that AUC and
    average precision do not change.
    """

    temperature: float = 1.0
    shift: float = 0.0

    def __call__(self, score: Floats) -> Floats:
        """The calibrated probability of each score."""
        calibrated: Floats = expit(_odds(score) / self.temperature + self.shift)
        return calibrated

    def as_dict(self) -> dict[str, float]:
        """Plain numbers, for a release's card."""
        return asdict(self)


def fit_temperature(truth: NDArray[np.bool_], score: Floats) -> Temperature:
    """The temperature and shift under which ``truth`` (rows,) is likeliest given ``score``."""
    odds, sign = _odds(score), np.where(truth, 1.0, -1.0)

    def loss(parameters: Floats) -> float:
        moved = odds * np.exp(-parameters[0]) + parameters[1]
        return float(np.logaddexp(0.0, -sign * moved).mean() + 1e-6 * (parameters**2).sum())

    found = minimize(loss, np.zeros(2), method="BFGS")
    return Temperature(float(np.exp(found.x[0])), float(found.x[1]))


def _odds(score: Floats) -> Floats:
    odds: Floats = logit(np.clip(score, _EDGE, 1 - _EDGE))
    return odds
