"""How good a contact map is: precision of its top pairs, and whether its probabilities hold.

Precision at L/k of one range (CASP's rule): of the L/k best-scored pairs of that range, rounded
down but at least one, the share in contact. L is the length of the sequence, whatever part of it
has coordinates; pairs of unknown distance take no part. A range with fewer known pairs than L/k is
judged by all it has; with none, the answer is ``nan`` and means leave the protein out. Pairs of
equal score at the cut count with the share of contacts among them, which is what a random order
gives on average; so neither the order of the pairs nor a constant map earns anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.evaluation import Measured, calibration_error
from science.core.seeds import rng
from science.proteins.contacts import RANGES, Floats32, Range, in_contact, pairs, separated

Floats = NDArray[np.float64]
DIVISORS = (1, 2, 5)


def precision(
    score: NDArray[np.floating], distance: Floats32, which: Range = "long", divisor: int = 1
) -> float:
    """Precision of the top L/``divisor`` pairs.

    Args:
        score: (L, L), larger for likelier contacts; the upper triangle counts.
        distance: (L, L) C-beta distances [Angstrom], ``nan`` where unknown.
        which: range of sequence separations.
        divisor: 1, 2, 5 for L, L/2, L/5.

    Raises:
        UserError: shapes differ, or a score is not a number.
    """
    length = _agree(score, distance)
    i, j = pairs(length, which)
    known = np.isfinite(distance[i, j])
    i, j = i[known], j[known]
    values, truth = score[i, j], in_contact(distance)[i, j]
    if not len(values):
        return float("nan")
    return _top(values.astype(np.float64), truth, max(1, length // divisor))


def precisions(score: NDArray[np.floating], distance: Floats32) -> dict[str, float]:
    """All nine: ``long_L``, ``long_L2``, ``long_L5`` and the same of medium and short."""
    return {
        f"{which}_{spelled(divisor)}": precision(score, distance, which, divisor)
        for which in reversed(RANGES)
        for divisor in DIVISORS
    }


def spelled(divisor: int) -> str:
    """``L``, ``L2`` or ``L5``."""
    return "L" if divisor == 1 else f"L{divisor}"


def curve(score: NDArray[np.floating], distance: Floats32, which: Range = "long") -> Floats:
    """(K,) precision of the top 1, 2, ... K pairs, K = L or what there is."""
    length = _agree(score, distance)
    i, j = pairs(length, which)
    known = np.isfinite(distance[i, j])
    values, truth = score[i, j][known].astype(np.float64), in_contact(distance)[i, j][known]
    count = min(length, len(values))
    return np.array([_top(values, truth, k) for k in range(1, count + 1)])


def ece(maps: Iterable[tuple[NDArray[np.floating], Floats32]], least: int = 6) -> float:
    """Expected calibration error of (probability, distance) maps, pairs of all proteins pooled.

    Args:
        maps: (L, L) probabilities with (L, L) distances [Angstrom].
        least: smallest separation in sequence; 6 for all ranges, 24 for long range alone.
    """
    said, true = [], []
    for probability, distance in maps:
        i, j = separated(_agree(probability, distance), least)
        known = np.isfinite(distance[i, j])
        said.append(probability[i, j][known].astype(np.float64))
        true.append(in_contact(distance)[i, j][known])
    score, truth = np.concatenate(said), np.concatenate(true)
    if not len(score):
        raise UserError("no pair of known distance", "give structures with coordinates")
    if score.min() < 0 or score.max() > 1:
        raise UserError(f"{score.min():.3g} to {score.max():.3g} are no probabilities")
    return calibration_error(truth, score, np.ones(len(score)))


def averaged(values: Sequence[float], resamples: int = 1000, seed: int = 0) -> Measured:
    """Mean over proteins with the 95 % interval of a bootstrap over proteins; ``nan`` left out."""
    each = np.asarray([v for v in values if np.isfinite(v)], np.float64)
    if not len(each):
        raise UserError("no protein has a pair to be judged by", "give longer or fuller structures")
    if len(each) == 1 or not resamples:
        return Measured(float(each.mean()), None, None, len(each))
    drawn = rng(seed, "proteins", "bootstrap").integers(0, len(each), (resamples, len(each)))
    low, high = np.percentile(each[drawn].mean(1), [2.5, 97.5])
    return Measured(float(each.mean()), float(low), float(high), len(each))


def _top(values: Floats, truth: NDArray[np.bool_], count: int) -> float:
    count = min(count, len(values))
    cut = np.partition(values, len(values) - count)[len(values) - count]
    above, tied = values > cut, values == cut
    hits = truth[above].sum() + (count - above.sum()) * truth[tied].mean()
    return float(hits / count)


def _agree(score: NDArray[np.floating], distance: Floats32) -> int:
    if score.shape != distance.shape or score.ndim != 2 or len(score) != score.shape[1]:
        raise UserError(
            f"a map of {score.shape} cannot be judged by distances of {distance.shape}",
            "predict from the sequence that the structure is of",
        )
    if not np.isfinite(score).all():
        raise UserError(f"{(~np.isfinite(score)).sum()} scores are not numbers")
    return len(score)
