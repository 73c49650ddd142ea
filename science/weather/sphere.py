"""Spherical harmonics on a Gaussian grid: the mathematics that a spectral model stands on.

Fields are (..., lat, lon) with latitude from north to south and longitude eastward from 0. Their
coefficients are complex (..., n, m) for ``f = sum f_nm P_nm(sin lat) exp(i m lon)``, where P is
orthonormal on [-1, 1] and m <= n <= truncation; negative m follow from f being real. Definitions
as in Durran 2010, Numerical Methods for Fluid Dynamics, chapter 6.4.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

EARTH_RADIUS = 6.371e6  # m
EARTH_ROTATION = 7.292e-5  # 1/s


class Sphere(nn.Module):
    """Transforms between a Gaussian grid and triangularly truncated spherical harmonics.

    The default truncation lets products of two fields be analysed without aliasing, which is what
    makes a truncated model conserve quadratic quantities (Orszag's rule).

    Args:
        lats: Gaussian latitudes.
        lons: longitudes; ``2 * lats`` for a grid of even spacing.
        truncation: largest total wavenumber; ``(lons - 1) // 3`` if not given.
        radius: of the sphere [m].

    Raises:
        ValueError: the grid cannot hold the truncation.
    """

    def __init__(
        self,
        lats: int = 32,
        lons: int = 64,
        truncation: int | None = None,
        radius: float = EARTH_RADIUS,
    ) -> None:
        super().__init__()
        top = (lons - 1) // 3 if truncation is None else truncation
        if top < 1 or 2 * top >= lons or top >= lats:
            raise ValueError(f"a grid of {lats} x {lons} cannot hold truncation {top}")
        self.lats, self.lons, self.truncation, self.radius = lats, lons, top, radius
        sine, weight = (x[::-1].copy() for x in np.polynomial.legendre.leggauss(lats))
        value, slope = legendre(sine, top)
        n = np.arange(top + 1)[:, None]
        m = np.arange(top + 1)[None, :]
        constants = {
            "sine": sine,
            "weight": weight,
            "value": value,
            "slope": slope,
            "analyse": value * weight,
            "laplacian": np.broadcast_to(-n * (n + 1.0) / radius**2, value.shape[:2]).copy(),
            "inside": (m <= n).astype(float),
        }
        for name, array in constants.items():
            constant = torch.from_numpy(np.ascontiguousarray(array))
            self.register_buffer(name, constant, persistent=False)

    sine: Tensor  # (lat,) of the latitude
    weight: Tensor  # (lat,) Gauss weights, whose sum is 2
    value: Tensor  # (n, m, lat) P
    slope: Tensor  # (n, m, lat) (1 - sine^2) dP/dsine
    analyse: Tensor  # (n, m, lat) P times weight
    laplacian: Tensor  # (n, m) its eigenvalues [1/m2]
    inside: Tensor  # (n, m) 1 where m <= n

    @property
    def latitude(self) -> Tensor:
        """(lat,) [degrees north], from north to south."""
        return torch.rad2deg(torch.asin(self.sine))

    @property
    def longitude(self) -> Tensor:
        """(lon,) [degrees east] from 0."""
        step = 360.0 / self.lons
        return torch.arange(self.lons, dtype=self.sine.dtype, device=self.sine.device) * step

    @property
    def cosine(self) -> Tensor:
        """(lat, 1) of the latitude."""
        return (1 - self.sine**2).sqrt()[:, None]

    def spectral(self, field: Tensor) -> Tensor:
        """(..., lat, lon) -> (..., n, m)."""
        return self._project(self._waves(field), self.analyse)

    def grid(self, coefficients: Tensor) -> Tensor:
        """(..., n, m) -> (..., lat, lon)."""
        return self._synthesise(coefficients, self.value)

    def mean(self, field: Tensor) -> Tensor:
        """Area mean: (..., lat, lon) -> (...)."""
        return (field.mean(-1) * self.weight).sum(-1) / 2

    def wind(self, vorticity: Tensor, divergence: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(u cos lat, v cos lat) [m/s] on the grid, of coefficients [1/s].

        The mean of vorticity and of divergence vanishes on a sphere; what is given is ignored.
        """
        stream = self._invert(vorticity)
        eastward = -self._synthesise(stream, self.slope)
        northward = self._synthesise(self._east(stream), self.value)
        if divergence is not None:
            potential = self._invert(divergence)
            eastward = eastward + self._synthesise(self._east(potential), self.value)
            northward = northward + self._synthesise(potential, self.slope)
        return eastward / self.radius, northward / self.radius

    def divergence(self, eastward: Tensor, northward: Tensor) -> Tensor:
        """Coefficients [1/s] of the divergence of (U, V) / cos lat, from U and V on the grid."""
        return self._east(self._shared(eastward, self.value)) - self._shared(northward, self.slope)

    def curl(self, eastward: Tensor, northward: Tensor) -> Tensor:
        """Coefficients [1/s] of the vertical curl of (U, V) / cos lat, from U and V on the grid."""
        return self._east(self._shared(northward, self.value)) + self._shared(eastward, self.slope)

    def power(self, coefficients: Tensor) -> Tensor:
        """(..., n, m) -> (..., n): share of each total wavenumber in the mean square."""
        square = coefficients.abs() ** 2
        return (square.sum(-1) * 2 - square[..., 0]) / 2

    def _waves(self, field: Tensor) -> Tensor:
        waves: Tensor = torch.fft.rfft(field, norm="forward")
        return waves[..., : self.truncation + 1]

    def _project(self, waves: Tensor, onto: Tensor) -> Tensor:
        return torch.einsum("...jm,nmj->...nm", waves, onto.to(waves.dtype))

    def _synthesise(self, coefficients: Tensor, basis: Tensor) -> Tensor:
        waves = torch.einsum("...nm,nmj->...jm", coefficients, basis.to(coefficients.dtype))
        field: Tensor = torch.fft.irfft(waves, n=self.lons, norm="forward")
        return field

    def _shared(self, flux: Tensor, onto: Tensor) -> Tensor:
        scale = self.weight / (1 - self.sine**2) / self.radius
        return self._project(self._waves(flux), onto * scale)

    def _east(self, coefficients: Tensor) -> Tensor:
        order = torch.arange(self.truncation + 1, device=coefficients.device)
        return coefficients * (1j * order)

    def _invert(self, coefficients: Tensor) -> Tensor:
        eigenvalue = self.laplacian.clone()
        eigenvalue[0] = math.inf
        return coefficients / eigenvalue


def legendre(sine: np.ndarray, truncation: int) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal associated Legendre functions and their slopes, by the standard recurrence.

    Args:
        sine: (lat,) of the latitude.
        truncation: largest degree and order.

    Returns:
        P (n, m, lat), and (1 - sine^2) dP/dsine of the same shape; 0 where m > n.
    """
    top = truncation + 1  # the slope of degree n needs degree n + 1
    value = np.zeros((top + 1, top + 1, len(sine)))
    value[0, 0] = math.sqrt(0.5)
    for m in range(1, top + 1):
        value[m, m] = math.sqrt((2 * m + 1) / (2 * m)) * np.sqrt(1 - sine**2) * value[m - 1, m - 1]
    for m in range(top + 1):
        for n in range(m + 1, top + 1):
            lower = _coupling(n - 1, m) * value[n - 2, m] if n - 1 > m else 0.0
            value[n, m] = (sine * value[n - 1, m] - lower) / _coupling(n, m)
    slope = np.zeros_like(value)
    for m in range(top):
        for n in range(m, top):
            lower = (n + 1) * _coupling(n, m) * value[n - 1, m] if n > m else 0.0
            slope[n, m] = lower - n * _coupling(n + 1, m) * value[n + 1, m]
    return value[:top, :top], slope[:top, :top]


def _coupling(n: int, m: int) -> float:
    """By which multiplication with the sine couples degrees n and n - 1 of order m."""
    return math.sqrt((n * n - m * m) / (4 * n * n - 1))
