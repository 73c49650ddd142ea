"""What a star does by itself: granulation, spots that rotate, pulsation; and the noise left over.

``stellar`` is a Gaussian process (celerite2: Foreman-Mackey et al. 2017, AJ 154, 220); ``residual``
is a cheap stand-in for what flattening leaves of it.
"""

from __future__ import annotations

import numpy as np

from science.core.errors import UserError
from science.transits.lightcurve import Floats


def stellar(
    rng: np.random.Generator,
    time: Floats,
    *,
    granulation: float,
    spots: float,
    rotation: float,
    turnover: float = 0.3,
) -> Floats:
    """Relative flux minus 1 of a variable star, a draw of two Gaussian processes.

    Args:
        rng: source of the draw.
        time: sorted [days].
        granulation: standard deviation of a critically damped oscillator (SHO, Q = 1/sqrt 2).
        spots: standard deviation of a pair of oscillators at the rotation period and half of it.
        rotation: rotation period [days].
        turnover: time scale of the granulation [days].

    Raises:
        UserError: celerite2 is not installed.
    """
    try:
        from celerite2 import GaussianProcess, terms
    except ImportError as error:
        raise UserError(
            "simulating stellar variability needs the package celerite2",
            "pip install 'fifth-paradigm[transits]', or pass activity=0",
        ) from error
    kernel = terms.SHOTerm(sigma=max(granulation, 1e-9), rho=2 * np.pi * turnover, Q=0.5**0.5)
    if spots > 0:
        kernel += terms.RotationTerm(
            sigma=spots, period=rotation, Q0=rng.uniform(0.5, 3), dQ=rng.uniform(0.1, 2), f=0.5
        )
    process = GaussianProcess(kernel, mean=0.0)
    process.compute(time, diag=np.full(len(time), 1e-14))
    # celerite2 draws from numpy's global generator; dot_tril takes our own normal numbers instead.
    flux: Floats = process.dot_tril(rng.standard_normal(len(time)))
    return flux


def residual(rng: np.random.Generator, time: Floats, sigma: float, scale: float) -> Floats:
    """Red noise left after flattening, of deviation ``sigma``, correlated over ``scale`` days.

    Normal numbers on a regular grid joined by straight lines, rescaled for what the joining loses.
    """
    if sigma <= 0 or not len(time):
        return np.zeros(len(time))
    place = (time - time[0]) / scale
    knots = rng.standard_normal(int(place[-1]) + 2)
    low = place.astype(np.intp)
    share = place - low
    noise: Floats = sigma * np.sqrt(1.5) * (knots[low] * (1 - share) + knots[low + 1] * share)
    return noise


def pulsation(rng: np.random.Generator, time: Floats, period: float, amplitude: float) -> Floats:
    """A wave of ``period`` with up to two overtones, deepest about ``time == 0`` modulo period."""
    turns = 2 * np.pi * time / period
    wave = -np.cos(turns)
    for order in (2, 3):
        wave = wave + rng.uniform(0, 0.5) / order * np.cos(order * turns + rng.uniform(-1, 1))
    flux: Floats = amplitude * wave
    return flux
