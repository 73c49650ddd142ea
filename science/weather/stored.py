"""Forecasts that were made before, from stores in the convention of WeatherBench 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.weather.grid import Grid
from science.weather.states import to_array

if TYPE_CHECKING:
    import xarray as xr

LEAD = "prediction_timedelta"
Times = NDArray[np.datetime64]


@dataclass(frozen=True)
class Stored:
    """A zarr store of forecasts (time, [member,] prediction_timedelta, [level,] lat, lon).

    Args:
        store: folder, as `fifth weather numerical` or `fifth weather forecast` writes it; an
            experiment's baseline without one is left out.
    """

    store: str | None = None

    @property
    def time(self) -> Times:
        """(starts,) that there are forecasts from, in order."""
        with self._opened() as dataset:
            begun: Times = dataset["time"].values.astype("datetime64[s]")
            return np.sort(begun)

    def __call__(
        self, channels: Sequence[str], time: Times, leads: Sequence[float], grid: Grid
    ) -> NDArray[np.float32]:
        """Forecasts of these starts and leads.

        Args:
            channels: wanted.
            time: (starts,).
            leads: hours.
            grid: that the forecasts must lie on.

        Returns:
            (members, starts, leads, channels, lat, lon), one member if it is no ensemble.

        Raises:
            UserError: the store lacks a start, a lead or a channel, or lies on another grid.
        """
        with self._opened() as dataset:
            grid.check(Grid.of(dataset), str(self.store))
            begun = self._places(dataset["time"].values.astype("datetime64[s]"), time, "start")
            hours = dataset[LEAD].values / np.timedelta64(1, "h")
            later = self._places(hours, np.asarray(leads, np.float64), "lead of hours")
            chosen = dataset.isel({"time": begun, LEAD: later})
            dims = [d for d in ("member", "time", LEAD, "level", "lat", "lon") if d in chosen.dims]
            made = to_array(chosen.transpose(*dims), channels, str(self.store))
        return made if "member" in dims else made[None]

    def _places(self, known: NDArray[Any], wanted: NDArray[Any], what: str) -> NDArray[np.int64]:
        place = {value: k for k, value in enumerate(known.tolist())}
        missing = [value for value in wanted if value.tolist() not in place]
        if missing:
            problem = f"{self.store}: no {what} {missing[0]} ({len(missing)} are missing)"
            raise UserError(problem, "make them: fifth weather numerical STATES --out STORE")
        return np.array([place[value] for value in wanted.tolist()], np.int64)

    def _opened(self) -> xr.Dataset:
        import xarray as xr

        try:
            dataset: xr.Dataset = xr.open_zarr(
                Path(str(self.store)), consolidated=False, decode_timedelta=True
            )
        except (OSError, ValueError, KeyError) as problem:
            cure = "fifth weather numerical STATES --out STORE"
            raise UserError(f"{self.store}: no store of forecasts: {problem}", cure) from None
        if LEAD not in dataset.dims or "time" not in dataset.dims:
            raise UserError(f"{self.store}: has no time or {LEAD}", "give a store of forecasts")
        return dataset
