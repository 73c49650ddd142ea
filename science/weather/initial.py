"""The state that a forecast begins from, out of anybody's file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from science.core.errors import UserError
from science.weather.boundary import Boundary
from science.weather.derive import derived, onto
from science.weather.grid import Grid
from science.weather.read import loaded, read
from science.weather.states import channel, has
from science.weather.variables import split

if TYPE_CHECKING:
    import xarray as xr


def initial(
    source: str | Path,
    channels: Sequence[str],
    boundary: Boundary,
    time: str | None = None,
) -> tuple[xr.Dataset, list[str]]:
    """One state with every channel, on the grid of ``boundary``.

    A file on another grid is brought there; surface pressure, the lowest layer and precipitation
    are derived where the file lacks them (`derived`).

    Args:
        source: anything that `read` takes.
        channels: wanted.
        boundary: whose grid and orography the state shall lie on.
        time: of the state, as ISO; the last in the file unless given.

    Returns:
        A dataset of one time, and in words what was done to the file.

    Raises:
        UserError: a channel is missing and cannot be derived, or there is no such time.
    """
    file = str(source)
    dataset = read(source)
    if "member" in dataset.dims:
        raise UserError(f"{file}: holds an ensemble", "give one member: .isel(number=0)")
    dataset = _at(dataset, time, file)
    variables = {split(name)[0] for name in channels} | {"z", "sst", "ci"}
    low = {name[0] for name in variables if name.endswith("_low")}
    wanted = [n for n in dataset.data_vars if n in variables | low]
    dataset = loaded(dataset[wanted])
    changed = str(dataset.attrs.get("history", "")).splitlines()
    notes = [line.removeprefix("fifth: ") for line in changed if line.startswith("fifth: ")]
    dataset, how = onto(dataset, boundary.grid)
    notes += [f"regridded by {how}"] if how else []
    ground = boundary.statics.get("orog", np.zeros(boundary.grid.shape, np.float32))
    missing = [name for name in channels if not has(dataset, name)]
    if missing:
        dataset, made = derived(dataset, missing, ground)
        notes += made
    for name in channels:
        channel(dataset, name, file)
    return dataset, notes


def _at(dataset: xr.Dataset, time: str | None, file: str) -> xr.Dataset:
    if "time" not in dataset.dims:
        raise UserError(f"{file}: has no time", "give its fields a date: a coordinate `time`")
    times = dataset["time"].values
    if time is None:
        return dataset.isel(time=[-1])
    try:
        found = np.flatnonzero(times == np.datetime64(time, "ns"))
    except ValueError:
        raise UserError(f"{time!r} is no time", "write 2001-07-01T12") from None
    if not len(found):
        raise UserError(f"{file}: no state at {time}", f"it reaches from {times[0]} to {times[-1]}")
    return dataset.isel(time=found[:1])


def same_grid(dataset: xr.Dataset, grid: Grid, file: str) -> None:
    """Refuse a dataset on another grid than a network was trained on."""
    grid.check(Grid.of(dataset), file)
