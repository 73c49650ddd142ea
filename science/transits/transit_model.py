"""The light of a limb-darkened star while another body crosses it, and the orbit that leads there.

Own numerical integration, so that no copyleft package is needed; batman (Kreidberg 2015, PASP 127,
1161), where installed, is the reference of the tests and stands behind ``engine="batman"``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from science.core.errors import UserError
from science.transits.lightcurve import Floats

Engine = Literal["own", "batman"]
DAYS_PER_YEAR = 365.25
AU_PER_SOLAR_RADIUS = 0.00465047
EARTH_PER_SOLAR_RADIUS = 1 / 109.076
NODES = 16

# Quadratic coefficients at log g 4.5 and solar metallicity: (Teff, Kepler u1, u2, TESS u1, u2).
# Kepler: Claret, Hauschildt & Witte 2012-2013 (VizieR J/A+A/546/A14, J/A+A/552/A16); TESS: Claret
# 2017 (J/A+A/600/A30). Straight lines between the nodes stay within 0.13 of the full tables (0.07
# in u1 + u2); gravity is left out: from log g 4 to 5 they move by up to 0.17 below 4500 K.
_LIMB = np.array(
    [
        (3500, 0.4154, 0.3159, 0.1959, 0.4178),
        (4000, 0.5068, 0.2043, 0.3390, 0.2994),
        (4800, 0.6557, 0.0772, 0.4642, 0.1807),
        (5500, 0.5226, 0.1650, 0.3862, 0.2061),
        (6000, 0.4703, 0.1893, 0.3345, 0.2282),
        (6500, 0.3814, 0.2385, 0.3079, 0.2295),
        (7000, 0.3765, 0.2538, 0.2847, 0.2310),
        (8000, 0.2475, 0.3559, 0.2331, 0.2353),
        (10000, 0.2481, 0.2739, 0.1602, 0.2331),
    ]
)


def limb_darkening(teff: float, mission: str = "Kepler") -> tuple[float, float]:
    """Quadratic coefficients (u1, u2) of a dwarf of ``teff`` [K]; those of 5772 K where unknown."""
    teff = teff if np.isfinite(teff) else 5772.0
    first = 3 if mission == "TESS" else 1
    return (
        float(np.interp(teff, _LIMB[:, 0], _LIMB[:, first])),
        float(np.interp(teff, _LIMB[:, 0], _LIMB[:, first + 1])),
    )


def scaled_axis(period: float, density: float) -> float:
    """Semi-major axis over stellar radius from Kepler's third law; density in solar units."""
    au = (period / DAYS_PER_YEAR) ** (2 / 3)
    return float(au * density ** (1 / 3) / AU_PER_SOLAR_RADIUS)


@dataclass(frozen=True)
class Orbit:
    """A Keplerian orbit; ``epoch`` is a mid-transit, ``axis`` and ``impact`` in stellar radii.

    ``omega`` is the argument of periastron of the eclipsing body's orbit [radians].
    """

    period: float
    epoch: float
    axis: float
    impact: float = 0.0
    eccentricity: float = 0.0
    omega: float = 0.5 * np.pi

    @property
    def inclination(self) -> float:
        """Angle between orbit and sky [radians], from the impact parameter at transit."""
        e = self.eccentricity
        distance = self.axis * (1 - e**2) / (1 + e * np.sin(self.omega))
        return float(np.arccos(np.clip(self.impact / distance, -1, 1)))

    def position(self, time: Floats) -> tuple[Floats, Floats]:
        """Sky distance between the centres [stellar radii], and depth: > 0 in front of the star."""
        e = self.eccentricity
        anomaly = _true_anomaly(self._mean_anomaly(time), e)
        distance = self.axis * (1 - e**2) / (1 + e * np.cos(anomaly))
        angle = anomaly + self.omega
        sin_i = np.sin(self.inclination)
        sky = distance * np.sqrt(np.maximum(1 - (np.sin(angle) * sin_i) ** 2, 0))
        return sky, distance * np.sin(angle) * sin_i

    def duration(self, ratio: float) -> float:
        """First to fourth contact [days] (Winn 2010, eqs. 14-16); 0 if the body misses the star."""
        chord = (1 + ratio) ** 2 - self.impact**2
        if chord <= 0:
            return 0.0
        e = self.eccentricity
        sine = np.sqrt(chord) / self.axis / np.sin(self.inclination)
        slow = np.sqrt(1 - e**2) / (1 + e * np.sin(self.omega))
        return float(self.period / np.pi * np.arcsin(min(sine, 1.0)) * slow)

    @property
    def secondary_phase(self) -> float:
        """Mid-eclipse behind the star [periods after transit]; 0.5 on a circle."""
        behind = self._mean_of_true(-0.5 * np.pi - self.omega)
        front = self._mean_of_true(0.5 * np.pi - self.omega)
        return float(((behind - front) / (2 * np.pi)) % 1.0)

    def _mean_anomaly(self, time: Floats) -> Floats:
        at_transit = self._mean_of_true(0.5 * np.pi - self.omega)
        return 2 * np.pi * ((time - self.epoch) / self.period) + at_transit

    def _mean_of_true(self, anomaly: float) -> float:
        e = self.eccentricity
        eccentric = 2 * np.arctan2(
            np.sqrt(1 - e) * np.sin(anomaly / 2), np.sqrt(1 + e) * np.cos(anomaly / 2)
        )
        return float(eccentric - e * np.sin(eccentric))


def occult(
    distance: Floats, ratio: float, limb: tuple[float, float] = (0.0, 0.0), nodes: int = NODES
) -> Floats:
    """Flux of a star of radius 1 behind a dark disk of radius ``ratio`` at each centre distance.

    Quadratic limb darkening, I(mu) = 1 - u1 (1 - mu) - u2 (1 - mu)^2; total flux 1. The covered arc
    of each ring is integrated over the ring's radius by Gauss-Legendre quadrature after a change of
    variable that smooths the square roots at the contact points (same quantity as Mandel & Agol
    2002, ApJ 580, L171, eq. 2); within 1e-7 of batman at 16 nodes.
    """
    shape, z = np.shape(distance), np.ravel(np.abs(distance)).astype(np.float64)
    flux = np.ones(len(z))
    touch = z < 1 + ratio
    if ratio <= 0 or not touch.any():
        return flux.reshape(shape)
    z = np.maximum(z[touch], 1e-12)
    total = _disk_light(1.0, limb)
    covered = _disk_light(np.clip(ratio - z, 0, 1), limb) + _arc_light(z, ratio, limb, nodes)
    flux[touch] = np.clip(1 - covered / total, 0.0, 1.0)
    return flux.reshape(shape)


def transit(
    time: Floats,
    orbit: Orbit,
    ratio: float,
    limb: tuple[float, float],
    exposure: float = 0.0,
    *,
    supersample: int = 7,
    engine: Engine = "own",
) -> Floats:
    """Relative flux of a star crossed by a dark body, averaged over each exposure [days].

    Only points near a transit are computed. Raises ``UserError`` if batman is asked for and absent.
    """
    if engine == "batman":
        return _batman(time, orbit, ratio, limb, exposure, supersample)
    return 1 - eclipse(time, orbit, ratio, limb, exposure, supersample=supersample)


def eclipse(
    time: Floats,
    orbit: Orbit,
    ratio: float,
    limb: tuple[float, float],
    exposure: float = 0.0,
    *,
    supersample: int = 7,
    behind: bool = False,
) -> Floats:
    """Fraction of light lost while the body passes in front (or, seen from it, ``behind``)."""
    lost = np.zeros(len(time))
    e, mid = orbit.eccentricity, orbit.epoch + orbit.secondary_phase * orbit.period * behind
    # An eclipse near apastron lasts up to (1+e)/(1-e) times the one near periastron.
    reach = orbit.duration(ratio) if not behind else orbit.duration(ratio) * (1 + e) / (1 - e)
    reach = max(reach, 0.05 * orbit.period if e > 0 else 0.0) + exposure
    phase = (time - mid + 0.5 * orbit.period) % orbit.period - 0.5 * orbit.period
    near = np.flatnonzero(np.abs(phase) <= reach) if reach > exposure else np.array([], int)
    if not len(near):
        return lost
    offsets = exposure * ((np.arange(supersample) + 0.5) / supersample - 0.5)
    if exposure == 0:
        offsets = np.zeros(1)
    sky, front = orbit.position(time[near, None] + offsets)
    seen = front < 0 if behind else front > 0
    # Behind the primary the companion is the disk that is covered: lengths in its own radius.
    light = occult(sky / ratio, 1 / ratio, limb) if behind else occult(sky, ratio, limb)
    lost[near] = np.where(seen, 1 - light, 0.0).mean(axis=1)
    return lost


def _disk_light(radius: float | Floats, limb: tuple[float, float]) -> Floats:
    u1, u2 = limb
    square = np.asarray(radius, np.float64) ** 2
    mu = np.sqrt(1 - square)
    # Integral of I(mu) 2 pi r dr from 0 to the radius, with mu dmu = -r dr.
    terms = (1 - u1 - u2) * square / 2 + (u1 + 2 * u2) * (1 - mu**3) / 3 - u2 * (1 - mu**4) / 4
    light: Floats = 2 * np.pi * terms
    return light


def _arc_light(z: Floats, ratio: float, limb: tuple[float, float], nodes: int) -> Floats:
    low, high = np.abs(z - ratio), np.minimum(1.0, z + ratio)
    half = np.maximum(0.5 * (high - low), 0.0)
    angle, weight = _nodes(nodes)
    radius = 0.5 * (high + low)[:, None] - half[:, None] * np.cos(angle)
    cosine = (z[:, None] ** 2 + radius**2 - ratio**2) / (2 * z[:, None] * np.maximum(radius, 1e-12))
    arc = 2 * np.arccos(np.clip(cosine, -1, 1))
    dark = 1 - np.sqrt(np.maximum(1 - radius**2, 0))
    shine = 1 - limb[0] * dark - limb[1] * dark**2
    light: Floats = half * 0.5 * np.pi * ((arc * shine * radius * np.sin(angle)) @ weight)
    return light


@lru_cache(maxsize=8)
def _nodes(count: int) -> tuple[Floats, Floats]:
    place, weight = np.polynomial.legendre.leggauss(count)
    return 0.5 * np.pi * (place + 1), weight


def _true_anomaly(mean: Floats, e: float) -> Floats:
    if e == 0:
        return mean
    mean = (mean + np.pi) % (2 * np.pi) - np.pi
    eccentric = mean + e * np.sin(mean) / (1 - e * np.cos(mean) * 0.5)
    for _ in range(12):
        step = (eccentric - e * np.sin(eccentric) - mean) / (1 - e * np.cos(eccentric))
        eccentric = eccentric - step
        if np.abs(step).max(initial=0.0) < 1e-12:
            break
    true: Floats = 2 * np.arctan2(
        np.sqrt(1 + e) * np.sin(eccentric / 2), np.sqrt(1 - e) * np.cos(eccentric / 2)
    )
    return true


def _batman(
    time: Floats,
    orbit: Orbit,
    ratio: float,
    limb: tuple[float, float],
    exposure: float,
    supersample: int,
) -> Floats:
    try:
        import batman
    except ImportError as error:
        raise UserError(
            "engine 'batman' needs the package batman",
            "pip install 'fifth-paradigm[batman]', or use engine 'own'",
        ) from error
    known = batman.TransitParams()
    known.t0, known.per, known.rp, known.a = orbit.epoch, orbit.period, ratio, orbit.axis
    known.inc, known.ecc = np.degrees(orbit.inclination), orbit.eccentricity
    known.w, known.u, known.limb_dark = np.degrees(orbit.omega), list(limb), "quadratic"
    averaged = {"supersample_factor": supersample, "exp_time": exposure} if exposure else {}
    flux: Floats = batman.TransitModel(known, np.ascontiguousarray(time), **averaged).light_curve(
        known
    )
    return flux
