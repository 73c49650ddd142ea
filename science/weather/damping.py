"""Forecasts drawn to the climatology by as much as past errors advise.

A network that learned to be sharp is too sure of itself days ahead: what differs from the usual is
right in direction and too large. Least squares on the states that watched its training says by how
much, one number a channel and lead: the simplest of model output statistics (Glahn and Lowry 1972).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Fields = NDArray[np.float32]
Kept = NDArray[np.float64]


def kept(forecast: Fields, truth: Fields, climate: Fields, weight: NDArray[np.floating]) -> Kept:
    """(leads, channels): the share of a forecast's anomaly that errs least, from 0 to 1.

    Args:
        forecast: (starts, leads, channels, lat, lon).
        truth: of the same shape.
        climate: of the same shape, what is usual.
        weight: (lat,) area of a row.
    """
    far = (forecast - climate).astype(np.float64)
    true = (truth - climate).astype(np.float64)
    count = weight[:, None]
    power = (far * far * count).sum((0, 3, 4))
    share: Kept = ((far * true * count).sum((0, 3, 4)) / np.maximum(power, 1e-30)).clip(0, 1)
    return share


def drawn(forecast: Fields, climate: Fields, share: Kept) -> Fields:
    """Forecasts (..., leads, channels, lat, lon) with ``share`` (leads, channels) of anomalies."""
    made: Fields = climate + share[..., None, None].astype(np.float32) * (forecast - climate)
    return made
