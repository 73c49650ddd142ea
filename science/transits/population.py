"""Stars, planets and binaries drawn from what the Kepler catalogue holds, with physical orbits.

The distributions are smooth fits by eye to the quantiles of the DR24 table's classes; they are a
training set's prior, not an occurrence rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from science.transits.lightcurve import Floats, Star
from science.transits.transit_model import (
    EARTH_PER_SOLAR_RADIUS,
    Orbit,
    eclipse,
    limb_darkening,
    scaled_axis,
    transit,
)

EARTHS = 1 / EARTH_PER_SOLAR_RADIUS
ALBEDO = 0.3
"""Bond albedo that the mission's own equilibrium temperatures assume."""


@dataclass(frozen=True)
class Planet:
    """A transiting planet; ``ratio`` is its radius over the star's."""

    orbit: Orbit
    ratio: float
    limb: tuple[float, float]
    dilution: float = 1.0

    def flux(self, time: Floats, exposure: float, supersample: int = 7) -> Floats:
        """Relative flux; ``dilution`` is the star's share of the light in the aperture."""
        light = transit(time, self.orbit, self.ratio, self.limb, exposure, supersample=supersample)
        return 1 - self.dilution * (1 - light)


@dataclass(frozen=True)
class Binary:
    """An eclipsing binary; ``brightness`` is the companion's share of the pair's light.

    ``tide`` is the amplitude of the ellipsoidal variation, ``dilution`` the pair's share of the
    light in the aperture (below 1 for a blend with an uninvolved star).
    """

    orbit: Orbit
    ratio: float
    limb: tuple[float, float]
    brightness: float
    tide: float = 0.0
    dilution: float = 1.0

    def flux(self, time: Floats, exposure: float, supersample: int = 7) -> Floats:
        """Relative flux with both eclipses."""
        how = (self.orbit, self.ratio, self.limb, exposure)
        first = eclipse(time, *how, supersample=supersample)
        second = np.zeros(len(time))
        if self.brightness > 0:
            second = eclipse(time, *how, supersample=supersample, behind=True)
        turns = 2 * np.pi * (time - self.orbit.epoch) / self.orbit.period
        wave = self.tide * (1 - np.cos(2 * turns))
        lost = (1 - self.brightness) * first + self.brightness * second - wave
        return 1 - self.dilution * lost


def density(star: Star) -> float:
    """Mean density [solar] of a star with known mass and radius."""
    return star.mass / star.radius**3


def equilibrium(star: Star, axis: float) -> float:
    """Equilibrium temperature [K] at ``axis`` stellar radii, heat spread over the whole planet."""
    return float(star.teff * np.sqrt(0.5 / axis) * (1 - ALBEDO) ** 0.25)


def draw_star(rng: np.random.Generator, hot: float = 0.0) -> Star:
    """A dwarf or subgiant; with probability ``hot`` one of the A and F stars that pulsate."""
    teff = rng.uniform(6300, 8500) if rng.random() < hot else rng.normal(5600, 650)
    teff = float(np.clip(teff, 3500, 9500))
    mass = (teff / 5772) ** 1.75
    # Evolution at fixed temperature only enlarges a star; half of them by less than 15 %.
    radius = mass**0.85 * (1 + rng.exponential(0.2))
    logg = 4.438 + np.log10(mass) - 2 * np.log10(radius)
    magnitude = float(np.clip(16 - rng.gamma(1.6, 0.9), 9.5, 16.2))
    return Star(teff, float(logg), float(radius), float(mass), magnitude)


def draw_planet(
    rng: np.random.Generator,
    star: Star,
    *,
    period: float | None = None,
    radius: float | None = None,
    epoch: float = 0.0,
    mission: str = "Kepler",
) -> Planet:
    """A planet on an orbit that transits; ``radius`` [Earth]; what is not given is drawn."""
    if period is None:
        period = float(np.clip(np.exp(rng.normal(np.log(11), 1.25)), 0.5, 500))
    if radius is None:
        typical, spread = (10.5, 0.3) if rng.random() < 0.1 else (2.2, 0.6)
        radius = float(np.clip(np.exp(rng.normal(np.log(typical), spread)), 0.4, 22))
    ratio = radius * EARTH_PER_SOLAR_RADIUS / star.radius
    axis = max(scaled_axis(period, density(star)), 1.5 + ratio)
    eccentricity = float(min(rng.rayleigh(0.06), 0.6)) if period > 4 else 0.0
    impact = rng.uniform(0, 1 - 0.5 * ratio)
    orbit = Orbit(period, epoch, axis, impact, eccentricity, rng.uniform(0, 2 * np.pi))
    return Planet(orbit, ratio, limb_darkening(star.teff, mission))


def draw_binary(
    rng: np.random.Generator,
    star: Star,
    *,
    period: float | None = None,
    epoch: float = 0.0,
    mission: str = "Kepler",
) -> Binary:
    """A companion star of the main sequence, no heavier than ``star``, that eclipses it."""
    if period is None:
        period = float(np.clip(np.exp(rng.normal(np.log(3.0), 1.1)), 0.4, 300))
    share = rng.uniform(0.15, 1.0)
    mass, teff = star.mass * share, star.teff * share**0.57
    ratio = float(np.clip((mass**0.85) / star.radius, 0.08, 1.0))
    axis = max(scaled_axis(period, density(star) * (1 + share)), 1.15 * (1 + ratio))
    circular = period < 8 or rng.random() < 0.3
    eccentricity = 0.0 if circular else float(rng.beta(1.2, 3.0) * 0.7)
    impact = rng.uniform(0, 0.97 * (1 + ratio))
    orbit = Orbit(period, epoch, axis, impact, eccentricity, rng.uniform(0, 2 * np.pi))
    light = (teff / star.teff) ** 4 * ratio**2
    tide = 1.3 * share / axis**3
    limb = limb_darkening(star.teff, mission)
    return Binary(orbit, ratio, limb, light / (1 + light), tide if eccentricity == 0 else 0.0)
