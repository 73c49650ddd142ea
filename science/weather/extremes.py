"""How high the rarest values rise: levels that are passed once in so many years, or members.

Distributions of extremes are fitted by L-moments, which few values serve better than likelihood
(Hosking 1990, J. R. Stat. Soc. B 52, 105), at every point of a map apart. Intervals resample what
was fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d
from scipy.special import gamma
from scipy.stats import genextreme, genpareto

from science.core.errors import UserError
from science.core.seeds import rng

Array = NDArray[np.float64]
Fields = NDArray[np.floating]
FEWEST = 10  # values below which a distribution of extremes is a guess
_CALM = 1e-12  # spread below which a point has no weather


@dataclass(frozen=True)
class Levels:
    """Return levels on a map, with 95 % intervals.

    Attributes:
        periods: (p,) years, or members, once in which a level is passed.
        level, low, high: (p, lat, lon), ``nan`` where there are too few values.
        count: (lat, lon) values that each point was fitted to.
    """

    periods: tuple[float, ...]
    level: Array
    low: Array
    high: Array
    count: NDArray[np.int64]


def of_years(
    series: Fields,
    per_year: float,
    periods: Sequence[float],
    percentile: float = 95.0,
    apart: int = 12,
    resamples: int = 200,
    seed: int = 0,
) -> Levels:
    """Levels from the peaks above a high local percentile: a generalised Pareto distribution.

    Peaks less than ``apart`` steps from a higher one belong to the same weather and are left out.
    What is resampled is peaks, their number included.

    Args:
        series: (times, lat, lon), in order and without gaps that matter.
        per_year: times in a year.
        periods: in years.
        percentile: of the threshold.
        apart: steps.
        resamples: of the intervals.
        seed: of the resamples.

    Raises:
        UserError: nowhere are there enough peaks.
    """
    threshold = np.percentile(series, percentile, axis=0)
    highest = maximum_filter1d(series, 2 * apart + 1, axis=0, mode="nearest") == series
    years = len(series) / per_year
    count = (highest & (series > threshold)).sum(0)
    made = _blank(periods, series.shape[1:], count)
    draw = rng(seed, "peaks")
    for i, j in _worth(count, series):
        # What rounding made equal within one storm is one peak.
        peaks = np.unique(series[highest[:, i, j], i, j])
        over = peaks[peaks > threshold[i, j]] - threshold[i, j]
        times = _with_itself(draw.poisson(1.0, (resamples, len(over))))
        rate = times.sum(1) / years
        levels = threshold[i, j] + pareto(over, times, rate, periods)
        _put(made, i, j, levels)
    return made


def of_members(
    maxima: Fields, periods: Sequence[float], resamples: int = 200, seed: int = 0
) -> Levels:
    """Levels from each member's maximum: a generalised extreme value distribution.

    Args:
        maxima: (members, lat, lon), or of blocks of time such as years.
        periods: members, once in which a level is passed.
        resamples: of the intervals.
        seed: of the resamples.

    Raises:
        UserError: there are too few members.
    """
    size = len(maxima)
    count = np.full(maxima.shape[1:], size, np.int64)
    made = _blank(periods, maxima.shape[1:], count)
    draw = rng(seed, "members")
    chosen = draw.integers(0, size, (resamples, size))
    times = _with_itself(np.stack([np.bincount(row, minlength=size) for row in chosen]))
    for i, j in _worth(count, maxima):
        _put(made, i, j, extreme(np.sort(maxima[:, i, j]), times, periods))
    return made


def lmoments(ordered: Array, times: NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """First three L-moments of samples in which the k-th of ``ordered`` occurs ``times`` times.

    Unbiased, from probability-weighted moments.

    Args:
        ordered: (n,) ascending.
        times: (samples, n).

    Returns:
        Three arrays (samples,).
    """
    upto = times.cumsum(1).astype(np.float64)
    before = upto - times
    size = upto[:, -1]
    # Sums over ranks j = 0, 1, ... of 1, j and j (j - 1), between the first copy and the last.
    first = upto - before
    second = (upto * (upto - 1) - before * (before - 1)) / 2
    third = (upto * (upto - 1) * (upto - 2) - before * (before - 1) * (before - 2)) / 3
    b0 = first @ ordered / size
    b1 = second @ ordered / (size * (size - 1))
    b2 = third @ ordered / (size * (size - 1) * (size - 2))
    return b0, 2 * b1 - b0, 6 * b2 - 6 * b1 + b0


def extreme(ordered: Array, times: NDArray[np.int64], periods: Sequence[float]) -> Array:
    """Levels of the generalised extreme value distribution: (samples, periods).

    The shape is Hosking, Wallis and Wood's approximation (1985, Technometrics 27, 251).

    Args:
        ordered: (n,) maxima, ascending.
        times: (samples, n) each of them occurs.
        periods: blocks, once in which a level is passed; above 1.
    """
    ordered = ordered.astype(np.float64)
    one, two, three = lmoments(ordered, times)
    two = np.maximum(two, _CALM)
    bend = 2 / (3 + three / two) - np.log(2) / np.log(3)
    shape = 7.8590 * bend + 2.9554 * bend**2
    shape = np.where(np.abs(shape) < 1e-6, 1e-6, shape)
    scale = two * shape / ((1 - 2.0**-shape) * gamma(1 + shape))
    place = one - scale * (1 - gamma(1 + shape)) / shape
    rare = 1 - 1 / np.asarray(periods, np.float64)
    made: Array = genextreme.ppf(rare[None], shape[:, None], place[:, None], scale[:, None])
    return made


def pareto(over: Array, times: NDArray[np.int64], rate: Array, periods: Sequence[float]) -> Array:
    """Levels above the threshold of a generalised Pareto distribution: (samples, periods).

    Args:
        over: (n,) excesses over the threshold, ascending.
        times: (samples, n) each of them occurs.
        rate: (samples,) peaks a year.
        periods: years, once in which a level is passed; the threshold itself where peaks are rarer.
    """
    one, two, _ = lmoments(over.astype(np.float64), times)
    shape = one / np.maximum(two, _CALM) - 2
    scale = np.maximum((1 + shape) * one, _CALM)
    chance = np.minimum(1, 1 / (rate[:, None] * np.asarray(periods, np.float64)))
    made: Array = genpareto.isf(chance, -shape[:, None], scale=scale[:, None])
    return made


def _with_itself(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sample before its resamples; one of fewer than three values is the sample again."""
    times = np.where(times.sum(1, keepdims=True) < 3, 1, times)
    return np.concatenate([np.ones((1, times.shape[1]), np.int64), times])


def _worth(count: NDArray[np.int64], fields: Fields) -> list[tuple[int, int]]:
    enough = count >= FEWEST
    if not enough.any():
        problem = f"{int(count.max(initial=0))} extremes at most at any point"
        raise UserError(problem, f"give a longer series or more members: {FEWEST} at least")
    moves = np.ptp(fields, axis=0) > _CALM
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(enough & moves), strict=True)]


def _blank(periods: Sequence[float], shape: tuple[int, ...], count: NDArray[np.int64]) -> Levels:
    if not periods or min(periods) <= 1:
        raise UserError(f"return periods {list(periods)}", "give numbers above 1: 2,10,50")
    empty = np.full((3, len(periods), *shape), np.nan)
    return Levels(tuple(map(float, periods)), empty[0], empty[1], empty[2], count)


def _put(made: Levels, i: int, j: int, levels: Array) -> None:
    made.level[:, i, j] = levels[0]
    if len(levels) > 1:
        made.low[:, i, j], made.high[:, i, j] = np.percentile(levels[1:], [2.5, 97.5], axis=0)
