"""Sunlight at the top of the atmosphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SOLAR_CONSTANT = 1368.0  # W/m2, as the circulation model has it

Array = NDArray[np.float64]


def insolation(time: NDArray[np.datetime64], latitude: Array) -> Array:
    """Mean over the day of the sunlight that reaches the top of the air.

    Series for the sun's declination and distance: Spencer 1971, Search 2, 172.

    Args:
        time: (times,).
        latitude: (lat,) [degrees north].

    Returns:
        (times, lat) [W/m2].
    """
    declination, distance = _sun(year_fraction(time))
    sine = np.sin(np.deg2rad(latitude)) * np.sin(declination)[:, None]
    cosine = np.cos(np.deg2rad(latitude)) * np.cos(declination)[:, None]
    half_day = np.arccos(np.clip(-sine / np.maximum(cosine, 1e-12), -1, 1))
    light = half_day * sine + np.sin(half_day) * cosine
    mean: Array = SOLAR_CONSTANT / np.pi * distance[:, None] * light
    return mean.clip(min=0)


def zenith(time: NDArray[np.datetime64], latitude: Array, longitude: Array) -> Array:
    """Cosine of the angle between sun and zenith, 0 at night: (times, lat, lon)."""
    declination, _ = _sun(year_fraction(time))
    midnight = time.astype("datetime64[D]")
    hour = (time - midnight) / np.timedelta64(1, "h")
    angle = np.deg2rad(15 * (hour[:, None] - 12) + longitude)[:, None, :]
    north = np.deg2rad(latitude)
    sine = (np.sin(north) * np.sin(declination)[:, None])[..., None]
    cosine = (np.cos(north) * np.cos(declination)[:, None])[..., None]
    height: Array = sine + cosine * np.cos(angle)
    return height.clip(min=0)


def year_fraction(time: NDArray[np.datetime64]) -> Array:
    """Share of the calendar year that is over, 0 to 1."""
    start = time.astype("datetime64[Y]")
    length = (start + 1).astype("datetime64[s]") - start.astype("datetime64[s]")
    fraction: Array = (time.astype("datetime64[s]") - start.astype("datetime64[s]")) / length
    return fraction


def _sun(fraction: Array) -> tuple[Array, Array]:
    """Declination [rad] and (mean distance / distance)^2."""
    angle = 2 * np.pi * fraction
    declination = (
        0.006918
        - 0.399912 * np.cos(angle)
        + 0.070257 * np.sin(angle)
        - 0.006758 * np.cos(2 * angle)
        + 0.000907 * np.sin(2 * angle)
        - 0.002697 * np.cos(3 * angle)
        + 0.00148 * np.sin(3 * angle)
    )
    distance = (
        1.00011
        + 0.034221 * np.cos(angle)
        + 0.00128 * np.sin(angle)
        + 0.000719 * np.cos(2 * angle)
        + 0.000077 * np.sin(2 * angle)
    )
    return declination, distance
