"""Chances that a threshold is passed, and whether they can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.weather import metrics
from science.weather.metrics import resampled

Fields = NDArray[np.floating]
Array = NDArray[np.float64]
BINS = 10


def chance(members: Fields, threshold: Fields | float) -> Array:
    """Share of the members above the threshold: (members, ...) -> (...)."""
    made: Array = (members > threshold).mean(0, dtype=np.float64)
    return made


@dataclass(frozen=True)
class Calibration:
    """What was said beside what happened.

    Attributes:
        table: a row for each bin of said chances: ``said`` and ``happened`` (means), ``share`` of
            the area.
        brier: mean squared error of the chances.
        skill: 1 - brier / that of the climatological chance; ``low`` and ``high`` its interval, or
            ``nan`` where all forecasts start within ten days.
        reliability, resolution, uncertainty: parts of the Brier score (Murphy 1973, J. Appl.
            Meteorol. 12, 595): brier = reliability - resolution + uncertainty, but for what chances
            vary within a bin.
    """

    table: pd.DataFrame
    brier: float
    skill: float
    low: float
    high: float
    reliability: float
    resolution: float
    uncertainty: float


def calibration(
    said: Array,
    happened: NDArray[np.bool_],
    usual: float,
    weight: Array,
    groups: NDArray[np.int64],
    draw: np.random.Generator,
    resamples: int = 500,
) -> Calibration:
    """Judge chances (starts, lat, lon) by what happened.

    Args:
        said: chances.
        happened: of the same shape.
        usual: the chance in the climatology, that of the percentile.
        weight: (lat,) area of a row, of mean 1.
        groups: (starts,) starts of one group share their weather.
        draw: resamples groups.
        resamples: of the interval.
    """
    area = np.broadcast_to(weight[:, None], said.shape) / said.size
    place = np.minimum((said * BINS + 1e-9).astype(np.int64), BINS - 1)

    def summed(values: Array) -> Array:
        total = np.bincount(place.ravel(), (values * area).ravel(), minlength=BINS)
        return total.astype(np.float64)

    share, base = summed(np.ones_like(said)), float((happened * area).sum())
    safe = np.maximum(share, 1e-300)
    mean, found = summed(said) / safe, summed(happened.astype(np.float64)) / safe
    full = share > 0
    errors = np.stack(
        [
            metrics.area_mean(np.square(said - happened), weight),
            metrics.area_mean(np.square(usual - happened), weight),
        ],
        1,
    )
    brier, ordinary = errors.mean(0)
    low = high = np.nan
    if len(set(groups.tolist())) > 1:
        drawn = resampled(errors, groups, draw, resamples)
        low, high = np.percentile(1 - drawn[:, 0] / np.maximum(drawn[:, 1], 1e-300), [2.5, 97.5])
    table = pd.DataFrame({"said": mean[full], "happened": found[full], "share": share[full]})
    return Calibration(
        table,
        float(brier),
        float(1 - brier / max(ordinary, 1e-300)),
        float(low),
        float(high),
        float((share * np.square(mean - found))[full].sum()),
        float((share * np.square(found - base))[full].sum()),
        base * (1 - base),
    )
