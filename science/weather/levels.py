"""From the layers of a model to surfaces of pressure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from science.weather.variables import GAS, GRAVITY

Array = NDArray[np.floating]
LAPSE = 0.0065  # K/m, of the standard atmosphere, for what lies below the lowest layer


def to_pressure(
    layers: dict[str, Array], sigma: Array, surface: Array, pressures: tuple[float, ...]
) -> dict[str, Array]:
    """Fields on surfaces of pressure, from fields on layers of sigma = pressure / surface pressure.

    Linear in the logarithm of pressure; geopotential with the curvature that hydrostatic balance
    gives it. Below the lowest layer wind and humidity stay, temperature follows the standard lapse
    rate and geopotential goes with it (the usual rule, Trenberth et al. 1993, NCAR/TN-396).

    Args:
        layers: ``z``, ``t`` and others -> (..., layers, lat, lon), from the top down.
        sigma: (layers,) pressure over surface pressure, increasing.
        surface: (..., lat, lon) pressure at the ground [Pa].
        pressures: wanted [Pa].

    Returns:
        The same names -> (..., pressures, lat, lon).
    """
    made = {name: [] for name in layers}  # type: dict[str, list[Array]]
    for pressure in pressures:
        for name, field in _one(layers, np.log(sigma), np.log(pressure / surface)).items():
            made[name].append(field)
    kind = surface.dtype
    return {name: np.stack(fields, axis=-3).astype(kind) for name, fields in made.items()}


def _one(layers: dict[str, Array], heights: Array, wanted: Array) -> dict[str, Array]:
    upper = np.clip(np.searchsorted(heights, wanted) - 1, 0, len(heights) - 2)
    start, end = heights[upper], heights[upper + 1]
    share = np.clip((wanted - start) / (end - start), 0, 1)
    at = {name: _between(field, upper) for name, field in layers.items()}
    made = {name: a + share * (b - a) for name, (a, b) in at.items()}
    colder, warmer = at["t"]
    # z'' = -R dT/dlnp, so that the chord between two layers lies beside the curve.
    made["z"] = made["z"] + GAS / 2 * (warmer - colder) * (end - start) * share * (1 - share)
    return _below(made, wanted - heights[-1], wanted > heights[-1])


def _below(made: Mapping[str, Array], depth: Array, where: NDArray[np.bool_]) -> dict[str, Array]:
    """The rule for what lies ``depth`` (a logarithm) under the lowest layer."""
    exponent = GAS * LAPSE / GRAVITY
    warmth = np.exp(exponent * np.where(where, depth, 0))
    lowest = made["t"]
    fall = GRAVITY / LAPSE * lowest * (warmth - 1)
    return {**made, "t": lowest * warmth, "z": made["z"] - fall}


def _between(field: Array, upper: NDArray[np.integer]) -> tuple[Array, Array]:
    index = np.expand_dims(upper, -3)
    pair = (np.take_along_axis(field, i, axis=-3).squeeze(-3) for i in (index, index + 1))
    first, second = pair
    return first, second
