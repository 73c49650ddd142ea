"""What dataset cards name as their ``table``: functions that make a `Series` of states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from science import paths
from science.core.allow import configurable
from science.core.errors import UserError
from science.weather.boundary import Boundary
from science.weather.grid import Grid
from science.weather.series import Series
from science.weather.turbulence import spun


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
