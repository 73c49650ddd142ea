"""Channels that a file does not give, from those it does; and fields on another grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.weather.grid import Grid
from science.weather.regrid import bilinear, conserve
from science.weather.states import described
from science.weather.variables import GRAVITY, LOW, VARIABLES

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.floating]


def derived(
    dataset: xr.Dataset, channels: Sequence[str], orography: Array
) -> tuple[xr.Dataset, list[str]]:
    """The dataset with ``sp``, the lowest layer and ``tp``, where they are wanted and not there.

    Surface pressure is where geopotential equals that of the ground, and the lowest layer lies at
    0.95 of it: both by interpolation in the logarithm of pressure between the file's levels. Rain
    of the past is taken to be none.

    Args:
        dataset: of known names, with levels.
        channels: that are wanted.
        orography: (lat, lon) height of the ground that the channels belong to [m].

    Returns:
        The dataset, and what was made how.

    Raises:
        UserError: there are too few levels.
    """
    missing = [n for n in ("sp", "t_low", "u_low", "v_low", "q_low", "tp") if n in channels]
    missing = [n for n in missing if n not in dataset]
    notes = []
    if any(n != "tp" for n in missing):
        if dataset.sizes.get("level", 0) < 3 or "z" not in dataset:
            cure = "give those variables, or geopotential on three levels or more"
            raise UserError(f"{', '.join(missing)} cannot be made of this file", cure)
        surface = dataset["sp"].values if "sp" in dataset else _surface(dataset, orography)
        if "sp" in missing:
            dataset = _with(dataset, "sp", surface)
            notes.append("sp: where geopotential is that of the ground")
        for name in (n for n in missing if n.endswith("_low")):
            dataset = _with(dataset, name, _at(dataset, name[0], np.log(LOW * surface)))
            notes.append(f"{name}: from the levels, at {LOW} of surface pressure")
    if "tp" in missing:
        flat = dataset["z" if "z" in dataset else "sp"]
        zero = flat.isel(level=0, drop=True) if "level" in flat.dims else flat
        dataset = _with(dataset, "tp", np.zeros_like(zero.values))
        notes.append("tp: none, since the file does not say")
    return dataset, notes


def onto(dataset: xr.Dataset, grid: Grid) -> tuple[xr.Dataset, str]:
    """Every field of (lat, lon) on another grid, and how.

    Means over cells where the grid is coarser than the file's, which keeps totals; else bilinear.

    Raises:
        UserError: the grid is not inside the file's.
    """
    import xarray as xr

    source = Grid.of(dataset)
    if source.same(grid):
        return dataset, ""
    coarser = grid.shape[0] <= source.shape[0] and source.circular
    how = conserve if coarser else bilinear
    made = xr.Dataset(attrs=dataset.attrs)
    for name in map(str, dataset.data_vars):
        field = dataset[name]
        if {"lat", "lon"} <= set(field.dims):
            field = field.transpose(..., "lat", "lon")
            made[name] = (field.dims, how(field.values, source, grid), field.attrs)
    others = {c: dataset[c] for c in dataset.coords if c not in ("lat", "lon")}
    made = made.assign_coords({**others, "lat": grid.lat, "lon": grid.lon})
    return described(made), f"{'means over cells' if coarser else 'bilinear'}: {source.told()}"


def _surface(dataset: xr.Dataset, orography: Array) -> Array:
    """Pressure [Pa] where the geopotential is that of the ground."""
    heights = _layers(dataset, "z")
    logs = np.log(dataset["level"].values * 100.0)
    ground = GRAVITY * orography
    # Heights fall with pressure; the last level above the ground begins the interval.
    above = (heights > ground).sum(-3).clip(1, len(logs) - 1)
    upper, lower = (_take(heights, above - k) for k in (1, 0))
    share = (upper - ground) / (upper - lower)
    made: Array = np.exp(logs[above - 1] + share * (logs[above] - logs[above - 1]))
    return made.astype(np.float32)


def _at(dataset: xr.Dataset, name: str, wanted: Array) -> Array:
    logs = np.log(dataset["level"].values * 100.0)
    fields = _layers(dataset, name)
    below = np.searchsorted(logs, wanted).clip(1, len(logs) - 1)
    share = ((wanted - logs[below - 1]) / (logs[below] - logs[below - 1])).clip(0, 1)
    upper, lower = (_take(fields, below - k) for k in (1, 0))
    made: Array = upper + share * (lower - upper)
    return made.astype(np.float32)


def _layers(dataset: xr.Dataset, name: str) -> Array:
    values: Array = dataset[name].transpose(..., "level", "lat", "lon").values
    return values


def _take(fields: Array, place: NDArray[np.int64]) -> Array:
    taken: Array = np.take_along_axis(fields, np.expand_dims(place, -3), axis=-3).squeeze(-3)
    return taken


def _with(dataset: xr.Dataset, name: str, values: Array) -> xr.Dataset:
    like = dataset["z" if "z" in dataset else "sp"]
    dims = [d for d in like.transpose(..., "lat", "lon").dims if d != "level"]
    return dataset.assign({name: (dims, values, VARIABLES[name].attributes)})
