"""From datasets with CF names to tensors of channels, and back.

A channel is one variable on one level, named ``z500``, ``t850``, ``t_low``, ``sp``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.weather.grid import Grid
from science.weather.variables import FORCINGS, STATICS, VARIABLES, split

if TYPE_CHECKING:
    import xarray as xr

AXES = {
    "lat": {"standard_name": "latitude", "units": "degrees_north"},
    "lon": {"standard_name": "longitude", "units": "degrees_east"},
    "level": {"standard_name": "air_pressure", "units": "hPa", "positive": "down"},
    "time": {"standard_name": "time"},
}


def channels(dataset: xr.Dataset) -> tuple[str, ...]:
    """Every channel of the state that a dataset holds, levels in its own order."""
    named: list[str] = []
    for name in map(str, dataset.data_vars):
        field = dataset[name]
        if name in STATICS or name in FORCINGS or not {"lat", "lon"} <= set(field.dims):
            continue
        if "level" in field.dims:
            named += [f"{name}{level:g}" for level in dataset["level"].values]
        else:
            named.append(name)
    return tuple(named)


def to_array(dataset: xr.Dataset, names: Sequence[str], file: str = "") -> NDArray[np.float32]:
    """Channels of a dataset as one array (..., channel, lat, lon).

    Args:
        dataset: fields of (..., lat, lon) or (..., level, lat, lon).
        names: of the channels, in the order wanted.
        file: for messages.

    Raises:
        UserError: a variable or a level is missing.
    """
    fields = [channel(dataset, name, file) for name in names]
    shape = np.broadcast_shapes(*(f.shape for f in fields))
    made = np.empty((*shape[:-2], len(fields), *shape[-2:]), np.float32)
    for place, field in enumerate(fields):
        made[..., place, :, :] = field.values
    return made


def has(dataset: xr.Dataset, name: str) -> bool:
    """Whether a dataset holds a channel."""
    variable, level = split(name)
    if variable not in dataset or level is None:
        return variable in dataset
    return "level" in dataset[variable].dims and level in dataset["level"].values


def channel(dataset: xr.Dataset, name: str, file: str = "") -> xr.DataArray:
    """One channel of a dataset, (..., lat, lon).

    Raises:
        UserError: its variable or level is missing.
    """
    variable, level = split(name)
    told = f"{file}: " if file else ""
    there = "it has " + (", ".join(channels(dataset)) or "no field of (lat, lon)")
    if variable not in dataset:
        raise UserError(f"{told}the variable {variable!r} of channel {name!r} is missing", there)
    field = dataset[variable]
    if level is not None:
        if "level" not in field.dims or level not in dataset["level"].values:
            raise UserError(f"{told}{variable!r} is not given at {level} hPa", there)
        field = field.sel(level=level, drop=True)
    return field.transpose(..., "lat", "lon")


def to_dataset(
    array: NDArray[Any],
    names: Sequence[str],
    grid: Grid,
    leading: dict[str, NDArray[Any]] | None = None,
) -> xr.Dataset:
    """Channels (..., channel, lat, lon) as a CF dataset; the inverse of `to_array`.

    Args:
        array: of the channels ``names``.
        names: of the channels.
        grid: of the last two axes.
        leading: name -> coordinate of each axis before the channels, in order: ``time``, say, or
            ``member``.
    """
    import xarray as xr

    leading = dict(leading or {})
    levels = sorted({level for _, level in map(split, names) if level is not None})
    made: dict[str, Any] = {}
    for variable in dict.fromkeys(split(name)[0] for name in names):
        made[variable] = _gathered(array, names, variable, levels, list(leading))
    coords: dict[str, Any] = {**leading, "lat": grid.lat, "lon": grid.lon % 360}
    if levels:
        coords["level"] = np.array(levels, np.float64)
    dataset = xr.Dataset(made, coords)
    return described(dataset)


def _gathered(
    array: NDArray[Any], names: Sequence[str], variable: str, levels: list[int], axes: list[str]
) -> tuple[Any, ...]:
    about = VARIABLES[variable].attributes if variable in VARIABLES else {}
    places = {split(name)[1]: i for i, name in enumerate(names) if split(name)[0] == variable}
    if None in places:
        return [*axes, "lat", "lon"], array[..., places[None], :, :], about
    empty = np.full((*array.shape[:-3], *array.shape[-2:]), np.nan, array.dtype)
    fields = [array[..., places[p], :, :] if p in places else empty for p in levels]
    return [*axes, "level", "lat", "lon"], np.stack(fields, axis=-3), about


def described(dataset: xr.Dataset) -> xr.Dataset:
    """The same with CF attributes on its coordinates and on the whole."""
    for name, attributes in AXES.items():
        if name in dataset.coords:
            dataset[name].attrs = dict(attributes)
    return dataset.assign_attrs(Conventions="CF-1.11")
