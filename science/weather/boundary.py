"""What surrounds the air: ground, sea and sun, known beforehand for any time.

Longitude and the hour are left out on purpose: turning the planet under everything changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from science.weather.grid import Grid
from science.weather.sun import insolation, zenith
from science.weather.variables import STATICS

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float32]
SEASONAL = ("sst", "ci")
# (mean, size) that bring a field to order one; constants, so that all data are told alike.
SCALES = {
    "sst": (285.0, 12.0),
    "ci": (0.0, 1.0),
    "orog": (0.0, 1500.0),
    "lsm": (0.0, 1.0),
    "insolation": (240.0, 150.0),
    "zenith": (0.25, 0.35),
}
_NEAR = np.timedelta64(2, "D")


class Surroundings(Protocol):
    """What is known of any time beforehand: a `Boundary`, or a view of one."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names, in order."""

    def at(self, time: NDArray[np.datetime64]) -> NDArray[np.float32]:
        """(..., fields, lat, lon) of order one."""


@dataclass(frozen=True, eq=False)
class Boundary:
    """Fields that a forecast may be told for any time.

    Attributes:
        grid: of the fields.
        statics: name -> (lat, lon) in its own unit: ``orog`` [m], ``lsm``.
        seasonal: name -> (12, lat, lon) at the start of each month, in its own unit: ``sst`` [K],
            ``ci``; between them it is interpolated.
        sun: ``insolation`` (mean of the day) and ``zenith`` (cosine, at the time), whichever
            matters.
    """

    grid: Grid
    statics: Mapping[str, Array] = field(default_factory=dict)
    seasonal: Mapping[str, Array] = field(default_factory=dict)
    sun: tuple[str, ...] = ("insolation",)

    @classmethod
    def of(cls, datasets: Iterable[xr.Dataset], sun: tuple[str, ...] = ("insolation",)) -> Boundary:
        """From datasets of one grid that hold some of ``orog``, ``lsm``, ``sst`` and ``ci``."""
        sets = list(datasets)
        statics = {n: sets[0][n].values.astype(np.float32) for n in STATICS if n in sets[0]}
        seasonal = {n: _knots(sets, n) for n in SEASONAL if all(n in s for s in sets)}
        return cls(Grid.of(sets[0]), statics, seasonal, sun)

    def arrays(self) -> dict[str, NDArray[np.floating]]:
        """All of it but the sun as arrays, for what has to carry it along.

        ``lat`` and ``lon`` [degrees], ``ground`` (statics, lat, lon) and ``sea`` (seasonal, 12,
        lat, lon), in the order of `fields`.
        """
        ground: list[NDArray[np.floating]] = [np.zeros((0, *self.grid.shape))]
        ground += [v[None] for v in self.statics.values()]
        sea: list[NDArray[np.floating]] = [np.zeros((0, 12, *self.grid.shape))]
        sea += [v[None] for v in self.seasonal.values()]
        ends = {"lat": self.grid.lat, "lon": self.grid.lon}
        return {**ends, "ground": np.concatenate(ground), "sea": np.concatenate(sea)}

    @classmethod
    def from_arrays(cls, fields: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> Boundary:
        """The inverse of `arrays`, for a boundary that has these `fields`."""
        grid = Grid(*(np.asarray(arrays[n], np.float64) for n in ("lat", "lon")))
        statics = [n for n in fields if n in STATICS]
        seasonal = [n for n in fields if n in SEASONAL]
        sun = tuple(n for n in fields if n in ("insolation", "zenith"))
        return cls(
            grid,
            dict(zip(statics, arrays["ground"], strict=True)),
            dict(zip(seasonal, arrays["sea"], strict=True)),
            sun,
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of what `at` gives."""
        return (*self.sun, *self.seasonal, *self.statics, "sine_latitude", "cosine_latitude")

    def at(self, time: NDArray[np.datetime64]) -> Array:
        """Fields of order one at times of any shape: (..., fields, lat, lon)."""
        when = np.asarray(time, "datetime64[s]").ravel()
        made = np.empty((len(when), len(self.fields), *self.grid.shape), np.float32)
        for place, name in enumerate(self.fields):
            made[:, place] = self._one(name, when)
        return made.reshape(*np.shape(time), *made.shape[1:])

    def _one(self, name: str, when: NDArray[np.datetime64]) -> NDArray[np.floating]:
        lat = self.grid.lat
        if name in ("sine_latitude", "cosine_latitude"):
            turn = np.sin if name == "sine_latitude" else np.cos
            return np.asarray(turn(np.deg2rad(lat)))[:, None]
        if name == "insolation":
            raw: NDArray[np.floating] = insolation(when, lat)[..., None]
        elif name == "zenith":
            raw = zenith(when, lat, self.grid.lon)
        elif name in self.seasonal:
            raw = between_months(self.seasonal[name], when)
        else:
            raw = self.statics[name]
        mean, size = SCALES[name]
        return (raw - mean) / size


def between_months(knots: Array, when: NDArray[np.datetime64]) -> Array:
    """Linear between the starts of months: (12, lat, lon) at (times,) -> (times, lat, lon)."""
    month = when.astype("datetime64[M]")
    start, end = month.astype("datetime64[s]"), (month + 1).astype("datetime64[s]")
    share = ((when - start) / (end - start)).astype(np.float32)[:, None, None]
    first = month.astype(np.int64) % 12
    made: Array = knots[first] * (1 - share) + knots[(first + 1) % 12] * share
    return made


def _knots(datasets: list[xr.Dataset], name: str) -> Array:
    """Means over the days around the start of each month, or over the nearest there are."""
    time = [s.time.values.astype("datetime64[s]") for s in datasets]
    knots = []
    for month in range(12):
        distance = [_to_start(t, month) for t in time]
        reach = max(_NEAR, min(d.min() for d in distance))
        near = [
            one[name].isel(time=np.flatnonzero(away <= reach)).values
            for one, away in zip(datasets, distance, strict=True)
        ]
        knots.append(np.concatenate(near).mean(0))
    return np.stack(knots).astype(np.float32)


def _to_start(time: NDArray[np.datetime64], month: int) -> NDArray[np.timedelta64]:
    """Time between each date and the nearest start of a month of the year."""
    year = time.astype("datetime64[Y]")
    starts = [(year + shift).astype("datetime64[M]") + month for shift in (-1, 0, 1)]
    away = np.stack([np.abs(time - s.astype("datetime64[s]")) for s in starts])
    nearest: NDArray[np.timedelta64] = away.min(axis=0)
    return nearest
