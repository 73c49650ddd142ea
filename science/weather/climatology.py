"""What is usual for the day of the year and the hour: the forecast of those who have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from science.weather.sun import year_fraction

Times = NDArray[np.datetime64]
_BLOCK = 256  # states summed at once


@dataclass(frozen=True)
class Climatology:
    """Waves of the year, for each hour of the day apart, fitted to every point.

    A few harmonics replace WeatherBench 2's running window over the day of the year: both smooth
    what few years leave ragged, and these do with two years.

    Attributes:
        coefficients: (hours * waves, channels, lat, lon).
        harmonics: waves of the year besides the mean; 0 where there are no seasons.
        hours: of the day that are told apart.
    """

    coefficients: NDArray[np.float32]
    harmonics: int
    hours: tuple[int, ...]

    @classmethod
    def fit(cls, states: NDArray[np.floating], time: Times, harmonics: int = 3) -> Self:
        """Least squares over states (times, channels, lat, lon)."""
        hours = tuple(sorted(set(_hour(time).tolist())))
        basis = _basis(time, harmonics, hours)
        total = np.zeros((basis.shape[1], states[0].size))
        for begin in range(0, len(time), _BLOCK):
            rows = slice(begin, begin + _BLOCK)
            total += basis[rows].T @ states[rows].reshape(len(basis[rows]), -1)
        found = np.linalg.pinv(basis.T @ basis, rcond=1e-8) @ total
        return cls(found.reshape(-1, *states.shape[1:]).astype(np.float32), harmonics, hours)

    def at(self, time: Times) -> NDArray[np.float32]:
        """Usual states at times of any shape: (..., channels, lat, lon)."""
        basis = _basis(np.ravel(time), self.harmonics, self.hours).astype(np.float32)
        usual = np.tensordot(basis, self.coefficients, axes=1)
        made: NDArray[np.float32] = usual.reshape(*np.shape(time), *self.coefficients.shape[1:])
        return made


def _hour(time: Times) -> NDArray[np.int64]:
    since: NDArray[np.float64] = (time - time.astype("datetime64[D]")) / np.timedelta64(1, "h")
    return since.astype(np.int64)


def _basis(time: Times, harmonics: int, hours: tuple[int, ...]) -> NDArray[np.float64]:
    angle = 2 * np.pi * year_fraction(time.astype("datetime64[s]"))
    waves = [np.ones_like(angle)]
    for k in range(1, harmonics + 1):
        waves += [np.cos(k * angle), np.sin(k * angle)]
    year = np.stack(waves, 1)
    # A forecast may end at an hour that the data never showed: the nearest one stands for it.
    nearest = np.abs(_hour(time)[:, None] - np.array(hours)).argmin(1)
    mine = np.eye(len(hours))[nearest]
    basis: NDArray[np.float64] = (mine[:, :, None] * year[:, None, :]).reshape(len(time), -1)
    return basis
