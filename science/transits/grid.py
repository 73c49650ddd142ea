"""Trial periods and durations: as fine as a transit needs over the whole baseline, and no finer."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.transits.lightcurve import Floats, LightCurve, Star

GRAVITY = 6.67430e-11  # m^3 / kg / s^2
SUN_RADIUS = 6.957e8  # m
SUN_MASS = 1.98841e30  # kg
DAY = 86400.0  # s
MARGIN = 1.001  # so that a period the user names as a limit lies inside the grid


def solar(star: Star) -> tuple[float, float]:
    """Radius and mass of a star [solar], the Sun's where unknown or impossible.

    A missing mass follows from log g and the radius where both are known, else from the
    main-sequence rule M ~ R (good to 20 % near the Sun, and a duration needs only M^(1/3)).
    """
    radius = star.radius if 0.05 < star.radius < 100 else 1.0
    mass = star.mass
    if not 0.05 < mass < 20 and math.isfinite(star.logg) and 0.05 < star.radius < 100:
        mass = 10 ** (star.logg - 2) * (radius * SUN_RADIUS) ** 2 / GRAVITY / SUN_MASS
    if not 0.05 < mass < 20:
        mass = min(max(radius, 0.1), 1.5)
    return radius, mass


def transit_duration(period: Floats | float, star: Star) -> Floats:
    """Length of a central transit of a small planet on a circular orbit [days].

    T = R (4 P / pi G M)^(1/3), Ofir 2014 (A&A 561, A138), equation 2 without the planet's radius.
    """
    radius, mass = solar(star)
    seconds = np.asarray(period, dtype=float) * DAY
    length = radius * SUN_RADIUS * np.cbrt(4 * seconds / (np.pi * GRAVITY * mass * SUN_MASS))
    return np.asarray(length / DAY, dtype=float)


def trial_periods(
    baseline: float, low: float, high: float, star: Star | None = None, oversampling: float = 3.0
) -> Floats:
    """Trial periods from ``low`` to ``high`` [days], ascending, spaced evenly in frequency^(1/3).

    The step keeps the last transit of ``baseline`` [days] within a fraction 1 / ``oversampling``
    of a transit duration at every period (Ofir 2014, equations 5 to 7), which is what makes a
    four-year search possible: a grid even in frequency is eight times as long.
    """
    radius, mass = solar(star or Star())
    step = (2 * np.pi) ** (2 / 3) / np.pi * radius * SUN_RADIUS
    step /= math.cbrt(GRAVITY * mass * SUN_MASS) * baseline * DAY * oversampling
    slow, fast = (math.cbrt(1 / (period * DAY)) for period in (high * MARGIN, low / MARGIN))
    count = max(math.ceil(3 * (fast - slow) / step), 2) + 1
    periods: Floats = 1 / np.linspace(fast, slow, count) ** 3 / DAY
    return periods


def period_range(
    lc: LightCurve, periods: tuple[float, float] | None = None, min_transits: int = 2
) -> tuple[float, float]:
    """The shortest and longest period to try on a light curve [days].

    Unless ``periods`` says otherwise: from 0.6 d to the baseline over ``min_transits - 1``, where
    ``min_transits`` events still fit between the first point and the last.

    Raises:
        UserError: the limits are not two ascending positive numbers, or no period between them
            can show two transits within the baseline.
    """
    longest = lc.baseline / max(min_transits - 1, 1)
    low, high = periods or (min(0.6, 0.2 * longest), longest)
    if not (math.isfinite(low) and math.isfinite(high) and 0 < low < high):
        raise UserError(
            f"{lc.target}: {low:g} to {high:g} days is no range of periods",
            "give the shorter period first, both above zero",
        )
    if low >= lc.baseline:
        raise UserError(
            f"{lc.target}: periods from {low:g} days cannot repeat in {lc.baseline:.4g} days of"
            " data",
            f"ask for periods below {lc.baseline:.4g} days or add light curves",
        )
    return low, min(high, lc.baseline)


WIDTHS: NDArray[np.int64] = np.array([3, 4, 5, 7, 9, 12, 16], dtype=np.int64)
"""Trial durations of the sweep, in bins of a tenth of the central-transit duration.

0.3 to 1.6 of it: grazing or fast orbits up to stars twice as large as the catalogue says.
"""


def bin_widths(periods: Floats, star: Star, exposure: float) -> Floats:
    """Width of one phase bin at each trial period [days]: a tenth of a central transit.

    Never under a tenth of two exposures (nothing shorter is resolved) nor over 1/60 of the period,
    so that even the widest box leaves most of the orbit as its baseline.
    """
    tenth = 0.1 * np.maximum(transit_duration(periods, star), 2 * exposure)
    widths: Floats = np.minimum(tenth, periods / 60)
    return widths
