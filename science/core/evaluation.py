"""Scores of a two-class decision, each with the interval that resampling gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from science.core.errors import UserError
from science.core.seeds import rng

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]
Metric = Callable[[Truth, Floats, Floats], float]

BINS = 15


@dataclass(frozen=True)
class Measured:
    """A number, its 95 % bootstrap interval, and how many samples it rests on."""

    value: float
    low: float | None
    high: float | None
    n: int

    def as_dict(self) -> dict[str, float | int | None]:
        """Plain values for ``metrics.json``."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


def calibration_error(truth: Truth, score: Floats, weight: Floats) -> float:
    """Expected calibration error in ``BINS`` equal-width bins (Naeini et al. 2015, AAAI)."""
    place = np.minimum((score * BINS).astype(np.int64), BINS - 1)
    gap = np.bincount(place, weight * (score - truth), minlength=BINS)
    return float(np.abs(gap).sum() / weight.sum())


def recall_at_precision(truth: Truth, score: Floats, weight: Floats, precision: float) -> float:
    """Largest share of positives found by a threshold whose precision is at least ``precision``."""
    found, recall, _ = precision_recall_curve(truth, score, sample_weight=weight)
    return float(recall[found >= precision].max(initial=0.0))


class Binary:
    """Judge scores of the positive class, ours and the baselines', on the same samples.

    AUC, average precision and recall at 99 % precision judge the order; accuracy the decision at a
    calibrated probability of one half; Brier score and ECE whether a score is a probability.
    Intervals come from a bootstrap over groups, since samples of one group are not independent.

    Args:
        resamples: bootstrap resamples; 0 for no intervals.
        goals: metric -> ``{goal, published, source}``, printed beside the results.
        published: rows of others' results: name -> metric -> value.
    """

    def __init__(
        self,
        resamples: int = 1000,
        goals: Mapping[str, Mapping[str, Any]] | None = None,
        published: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.resamples, self.goals, self.published = resamples, goals or {}, published or {}

    def metrics(self, calibrated: bool = True) -> dict[str, Metric]:
        """The metrics by name; without calibrated scores only those that judge the order."""
        order: dict[str, Metric] = {
            "auc": lambda t, s, w: float(roc_auc_score(t, s, sample_weight=w)),
            "ap": lambda t, s, w: float(average_precision_score(t, s, sample_weight=w)),
            "recall_at_p99": lambda t, s, w: recall_at_precision(t, s, w, 0.99),
        }
        if not calibrated:
            return order
        decided: dict[str, Metric] = {
            "accuracy": lambda t, s, w: float(np.average((s > 0.5) == t, weights=w)),
            "brier": lambda t, s, w: float(np.average((s - t) ** 2, weights=w)),
            "ece": calibration_error,
        }
        return order | decided

    def measure(
        self,
        truth: Truth,
        score: Floats,
        group: NDArray[Any],
        *,
        calibrated: bool = True,
        seed: int = 0,
    ) -> dict[str, Measured]:
        """Every metric of these scores, with its interval.

        Raises:
            UserError: a class is absent, or a score is not a number.
        """
        if truth.all() or not truth.any():
            raise UserError("only one class is present, so nothing can be told apart")
        if not np.isfinite(score).all():
            raise UserError(f"{(~np.isfinite(score)).sum()} scores are not numbers")
        chosen = self.metrics(calibrated)
        drawn = [self._drawn(truth, score, group, chosen, seed, i) for i in range(self.resamples)]
        ones, found = np.ones(len(score)), {}
        for name, metric in chosen.items():
            sample = [d[name] for d in drawn if d]
            low, high = map(float, np.percentile(sample, [2.5, 97.5])) if sample else (None, None)
            found[name] = Measured(metric(truth, score, ones), low, high, len(score))
        return found

    def _drawn(
        self,
        truth: Truth,
        score: Floats,
        group: NDArray[Any],
        chosen: Mapping[str, Metric],
        seed: int,
        number: int,
    ) -> dict[str, float]:
        _, member = np.unique(group, return_inverse=True)
        count = int(member.max()) + 1
        drawn = rng(seed, "bootstrap", number).integers(0, count, count)
        weight = np.bincount(drawn, minlength=count)[member].astype(np.float64)
        kept = weight > 0
        if truth[kept].all() or not truth[kept].any():
            return {}
        return {n: m(truth[kept], score[kept], weight[kept]) for n, m in chosen.items()}
