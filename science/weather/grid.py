"""The grid of a field: latitudes from north to south, longitudes eastward from 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grid:
    """Rows of latitude and columns of longitude, each cell with its area.

    Attributes:
        lat: (rows,) [degrees north], decreasing.
        lon: (columns,) [degrees east], increasing, from 0 to below 360 on a global grid. A region
            may cross the meridian of Greenwich: its longitudes then go on beyond 360.
    """

    lat: Array
    lon: Array

    @classmethod
    def gaussian(cls, lats: int = 32, lons: int = 64) -> Grid:
        """The grid that spherical harmonics are exact on."""
        sine, _ = np.polynomial.legendre.leggauss(lats)
        north: Array = np.rad2deg(np.arcsin(sine[::-1]))
        east: Array = np.arange(lons, dtype=np.float64) * (360 / lons)
        return cls(north, east)

    @classmethod
    def of(cls, dataset: xr.Dataset) -> Grid:
        """The grid of a dataset with the coordinates ``lat`` and ``lon``."""
        return cls(*(np.asarray(dataset[n].values, dtype=np.float64) for n in ("lat", "lon")))

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return len(self.lat), len(self.lon)

    @property
    def circular(self) -> bool:
        """Whether the last column is the first one's neighbour."""
        step = np.diff(self.lon).mean() if len(self.lon) > 1 else 0.0
        return bool(np.isclose(len(self.lon) * step, 360, rtol=1e-3))

    @property
    def weight(self) -> Array:
        """(rows,) area of the cells, of mean 1: Gauss weights on a Gaussian grid.

        On any other grid it is the difference of the sine between the middles of neighbouring
        rows, as WeatherBench 2 has it.
        """
        gauss = Grid.gaussian(len(self.lat), 1).lat
        if self.circular and np.allclose(gauss, self.lat, atol=1e-3):
            weight = np.polynomial.legendre.leggauss(len(self.lat))[1]
        else:
            weight = -np.diff(np.sin(np.deg2rad(self.edges)))
        return np.asarray(weight / weight.mean(), dtype=np.float64)

    @property
    def edges(self) -> Array:
        """(rows + 1,) latitudes between the rows, decreasing; the poles where they are near."""
        middle = (self.lat[1:] + self.lat[:-1]) / 2
        if len(self.lat) < 2:
            return np.array([90.0, -90.0])
        first = min(90.0, 2 * self.lat[0] - middle[0])
        last = max(-90.0, 2 * self.lat[-1] - middle[-1])
        if self.circular:
            # A global grid covers the sphere, whatever its last rows say.
            first, last = 90.0, -90.0
        return np.concatenate([[first], middle, [last]])

    def same(self, other: Grid) -> bool:
        """Whether both have the same rows and columns, to a thousandth of a degree."""
        if self.shape != other.shape:
            return False
        lons = np.allclose((self.lon - other.lon + 180) % 360, 180, atol=1e-3)
        return lons and np.allclose(self.lat, other.lat, atol=1e-3)

    def told(self) -> str:
        """In words, for messages."""
        north, south = self.lat[0], self.lat[-1]
        return (
            f"{len(self.lat)} x {len(self.lon)} from {north:.1f} to {south:.1f} north, "
            f"{self.lon[0]:.1f} to {self.lon[-1]:.1f} east"
        )

    def check(self, other: Grid, file: str) -> None:
        """Refuse a file on another grid."""
        if not self.same(other):
            problem = f"{file} lies on another grid ({other.told()}) than {self.told()}"
            raise UserError(problem, "regrid it first: fifth weather prepare FILE --grid LATSxLONS")
