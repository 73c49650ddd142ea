"""Scores of forecasts, defined as WeatherBench 2 does (Rasp et al. 2024, arXiv 2308.15560).

Fields are (..., lat, lon); ``weight`` (lat,) is the area of a row, of mean 1. Scores keep every
leading axis, so that whoever averages decides over what: an RMSE is the root of the mean over
forecasts, taken once and at the end. An ensemble's members are its first axis.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Fields = NDArray[np.floating]


def area_mean(field: Fields, weight: Array) -> Array:
    """(..., lat, lon) -> (...), by area."""
    rows = field.mean(-1, dtype=np.float64)
    mean: Array = (rows * weight).mean(-1)
    return mean


def squared_error(forecast: Fields, truth: Fields, weight: Array) -> Array:
    """Mean square of the error over the map (...)."""
    return area_mean(np.square(np.subtract(forecast, truth, dtype=np.float64)), weight)


def acc(forecast: Fields, truth: Fields, climate: Fields, weight: Array) -> Array:
    """Anomaly correlation (...): the cosine between both departures from the climatology."""
    ours, theirs = forecast - climate, truth - climate
    together = area_mean(ours * theirs, weight)
    size = area_mean(np.square(ours), weight) * area_mean(np.square(theirs), weight)
    cosine: Array = together / np.sqrt(np.maximum(size, 1e-30))
    return cosine


def crps(members: Fields, truth: Fields, fair: bool = True) -> Array:
    """Continuous ranked probability score at each point: (members, ...) -> (...).

    Args:
        members: two or more, unless ``fair`` is off.
        truth: what happened.
        fair: divide the pairs by M (M - 1), as if the ensemble were infinite; else by M**2.
    """
    count = len(members)
    skill: NDArray[np.float64] = np.abs(members - truth).mean(0, dtype=np.float64)
    if count == 1:
        return skill
    ordered = np.sort(members, axis=0)
    rank = 2 * np.arange(count) - count + 1.0
    pairs = np.tensordot(rank, ordered, axes=1)
    score: Array = skill - pairs / (count * (count - 1) if fair else count**2)
    return score


def spread(members: Fields, weight: Array) -> Array:
    """Mean variance of the members over the map: (members, ..., lat, lon) -> (...)."""
    return area_mean(members.var(0, ddof=1, dtype=np.float64), weight)


def spread_skill(variance: Array, square: Array, count: int) -> float:
    """``sqrt((M + 1) / M)`` times spread over error: 1 for an ensemble the truth belongs to.

    Args:
        variance: `spread` of each forecast.
        square: squared error of each ensemble's mean.
        count: members.
    """
    return float(np.sqrt((count + 1) / count * variance.mean() / square.mean()))


def ranks(members: Fields, truth: Fields, weight: Array, draw: np.random.Generator) -> Array:
    """Share of the area where the truth has each rank among the members: (members + 1,).

    Equal values, dry days above all, are ordered by lot.

    Args:
        members: (members, ..., lat, lon).
        truth: (..., lat, lon).
        weight: (lat,).
        draw: decides ties.
    """
    below = (members < truth).sum(0)
    equal = (members == truth).sum(0)
    place = below + np.floor(draw.random(below.shape) * (equal + 1)).astype(np.int64)
    each = np.broadcast_to(weight[:, None], place.shape).ravel()
    counted = np.bincount(place.ravel(), each, minlength=len(members) + 1)
    share: Array = counted / counted.sum()
    return share


def brier(members: Fields, truth: Fields, threshold: Fields, weight: Array) -> Array:
    """Squared error of the probability of exceeding a threshold: (members, ..., lat, lon) -> (...).

    The small ensemble is not excused: this is not the fair version.
    """
    chance = (members > threshold).mean(0)
    return area_mean(np.square(chance - (truth > threshold)), weight)


def brier_skill(score: Array, base: Array) -> float:
    """1 - ours / theirs, of mean scores; ``base`` is that of the climatological chance."""
    return float(1 - score.mean() / base.mean())


def zonal_spectrum(field: Fields, latitude: Array, radius: float = 6.371e6) -> Array:
    """Energy of each zonal wavenumber: (..., lat, lon) -> (..., lat, wavenumber).

    ``C |F_0|^2`` and ``2 C |F_k|^2``, with C the length of the circle of latitude [m].
    """
    waves = np.abs(np.fft.rfft(field, norm="forward")) ** 2
    waves[..., 1:] *= 2
    if field.shape[-1] % 2 == 0:
        waves[..., -1] /= 2
    circle = 2 * np.pi * radius * np.cos(np.deg2rad(latitude))
    energy: Array = waves * circle[:, None]
    return energy


def midlatitude_spectrum(field: Fields, latitude: Array) -> Array:
    """Mean `zonal_spectrum` between 30 and 60 degrees of either hemisphere: (..., wavenumber)."""
    inside = (np.abs(latitude) >= 30) & (np.abs(latitude) <= 60)
    mean: Array = zonal_spectrum(field, latitude)[..., inside, :].mean(-2)
    return mean


def spherical_spectrum(field: Fields) -> Array:
    """Share of each total wavenumber in the mean square, on a Gaussian grid: (..., wavenumber)."""
    import torch

    from science.weather.sphere import Sphere

    lats, lons = field.shape[-2:]
    ball = Sphere(lats, lons, truncation=min(lats - 1, (lons - 1) // 2))
    power: Array = ball.power(ball.spectral(torch.from_numpy(field.astype(np.float64)))).numpy()
    return power


def resampled(
    values: Array, groups: NDArray[np.int64], draw: np.random.Generator, count: int = 1000
) -> Array:
    """Means of ``values`` (forecasts, ...) over ``count`` resamples of whole groups: (count, ...).

    Forecasts that start within days of each other share their weather, so they are drawn together.
    """
    _, member = np.unique(groups, return_inverse=True)
    size = member.max() + 1
    chosen = draw.integers(0, size, (count, size))
    times = np.stack([np.bincount(row, minlength=size) for row in chosen])[:, member]
    means: Array = np.tensordot(times / times.sum(1, keepdims=True), values, axes=1)
    return means
