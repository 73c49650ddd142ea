"""What dataset cards name as their ``table``: functions that make a `Series` of states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from science import paths
from science.core.allow import configurable
from science.core.datasets import fetch
from science.core.errors import UserError
from science.weather.boundary import Boundary
from science.weather.derive import onto
from science.weather.grid import Grid
from science.weather.read import Missing, files_of, loaded, only, read, together
from science.weather.series import Series
from science.weather.states import channel, has
from science.weather.turbulence import spun

if TYPE_CHECKING:
    import xarray as xr

_BUCKET = "gs://weatherbench2/datasets"
STORES = {
    "weather/era5-weatherbench2": (
        f"{_BUCKET}/era5/1959-2023_01_10-6h-64x32_equiangular_conservative.zarr"
    ),
}


@configurable
def barotropic(card: str, runs: int = 16, days: int = 60, seed: int = 0) -> Series:
    """One layer of air, made on the spot; each run is a year of its own, which splits go by.

    Args:
        card: its name.
        runs: independent of one another, from 2001 on.
        days: of each.
        seed: of the disturbances they start from.
    """
    if runs < 1 or days < 1:
        raise UserError(f"{card}: {runs} runs of {days} days", "give at least one of each")
    states = spun(runs, days, seed)
    hours = np.arange(4 * days) * np.timedelta64(6, "h")
    starts = np.array([f"{2001 + run}-01-01" for run in range(runs)], "datetime64[s]")
    time = np.add.outer(starts, hours).ravel().astype("datetime64[s]")
    run = np.repeat(np.arange(runs), 4 * days)
    boundary = Boundary(Grid.gaussian(32, 64), sun=())
    return Series(states.reshape(-1, *states.shape[2:]), time, run, ("vo", "u", "v"), boundary)


@configurable
def simulated(
    card: str, folder: str | None = None, channels: Sequence[str] | None = None
) -> Series:
    """Years that `fifth weather simulate` wrote.

    Args:
        card: its name.
        folder: that was given as ``--out``; ``weather/t31`` in the cache unless given.
        channels: to read; all unless given.

    Raises:
        UserError: there are none yet.
    """
    import xarray as xr

    place = Path(folder) if folder else paths.cache() / "weather" / "t31"
    stores = sorted(place.glob("**/truth.zarr"))
    if not stores:
        cure = f"fifth weather simulate --years 7 --out {place}"
        raise UserError(f"{card}: no simulated years in {place}", cure)
    return Series.of([xr.open_zarr(s, consolidated=False) for s in stores], channels)


@configurable
def fields(
    card: str,
    channels: Sequence[str] | None = None,
    grid: Sequence[int] | None = None,
    missing: Missing = "refuse",
    sun: Sequence[str] = ("insolation", "zenith"),
) -> Series:
    """Files of fields as anybody has them: NetCDF, zarr, GRIB, or folders of such.

    Args:
        card: its name; files of the same times are merged, others follow one another.
        channels: to read; all unless given.
        grid: rows and columns of the Gaussian grid to bring the fields to, if not as they are.
        missing: ``refuse`` or ``drop`` times with missing values.
        sun: what a network is told of the sun: ``insolation``, the mean of the day, ``zenith`` at
            the time; or neither.

    Raises:
        UserError: a file cannot be understood, or lacks a channel.
    """
    files = [file for path in fetch(card).values() for file in files_of(path)]
    return series([read(file) for file in files], channels, grid, missing, sun)


@configurable
def store(
    card: str,
    store: str | None = None,
    years: Sequence[int] = (),
    channels: Sequence[str] = ("z500", "t850"),
    every: int = 6,
    grid: Sequence[int] | None = None,
    sun: Sequence[str] = ("insolation", "zenith"),
) -> Series:
    """Years of a zarr store at an address, or of a copy of it in a folder.

    Args:
        card: its name; its homepage is not where the data are, `STORES` is.
        store: address or folder; that of the card unless given.
        years: to read; all unless given, which for ERA5 is a lot.
        channels: to read.
        every: hours between states.
        grid: rows and columns of the Gaussian grid to bring the fields to.
        sun: what a network is told of the sun.

    Raises:
        UserError: the store cannot be read, or lacks a channel or year.
    """
    where = store or STORES.get(card)
    if where is None:
        raise UserError(f"{card}: no store is known for this card", "give data.options.store=PATH")
    dataset = only(read(where), channels)
    if years:
        dataset = dataset.isel(time=np.isin(dataset["time"].dt.year, list(years)))
        if not dataset.sizes["time"]:
            raise UserError(f"{where}: no time in {list(years)}", "choose other years")
    whole = dataset["time"].dt.hour % every == 0
    return series([dataset.isel(time=whole.values)], channels, grid, "refuse", sun)


@configurable
def ready(card: str, in_memory: bool = True, sun: Sequence[str] = ("insolation",)) -> Series:
    """What `fifth weather prepare` wrote: the one file of a card, which is a folder.

    Args:
        card: its name.
        in_memory: read all states now; else every batch reads its own.
        sun: what a network is told of the sun.

    Raises:
        UserError: it is no such store, or was not finished.
    """
    from science.weather.prepared import prepared

    return prepared(next(iter(fetch(card).values())), in_memory, sun)


def series(
    sets: Sequence[xr.Dataset],
    channels: Sequence[str] | None,
    grid: Sequence[int] | None,
    missing: Missing,
    sun: Sequence[str],
) -> Series:
    """Datasets that `read` gave as one series."""
    file = str(sets[0].attrs.get("source_file", ""))
    for name in channels or ():
        if not any(has(one, name) for one in sets):
            channel(sets[0], name, file if len(sets) == 1 else f"{file} and {len(sets) - 1} more")
    chosen = [only(one, channels) if channels else one for one in sets]
    whole = together([loaded(one, missing) for one in chosen])
    if grid is not None:
        whole = onto(whole, Grid.gaussian(*grid))[0]
    return Series.of([whole], channels, tuple(sun))
