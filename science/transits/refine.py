"""Sharpen one trial ephemeris: a fine search around it with transit shapes or with boxes."""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from typing import Literal

import numpy as np

from science.transits.grid import solar, trial_periods
from science.transits.lightcurve import Ephemeris, Floats, LightCurve

Method = Literal["tls", "bls"]
STEPS = 8.0  # half-width of the window, in steps of the search's own grid
LOG = logging.getLogger(__name__)


def refine(lc: LightCurve, trial: Ephemeris, method: Method, threads: int = 1) -> Ephemeris:
    """The best period, epoch and duration close to a trial's.

    ``tls`` fits limb-darkened transits (Hippke & Heller 2019, A&A 623, A39), ``bls`` boxes
    (Kovacs et al. 2002). The trial comes back unchanged where the fit finds nothing.

    Args:
        lc: flattened, other planets' events left out.
        trial: from the sweep; right within a few steps of its period grid.
        method: ``tls`` or ``bls``.
        threads: for TLS.
    """
    # Two durations of drift over the whole baseline are what a sweep's peak can be wrong by.
    cycles = max(lc.baseline / trial.period, 1.0)
    half = min(2 * trial.duration / cycles, 0.02 * trial.period)
    low, high = trial.period - half, trial.period + half
    near = lc.select(trial.in_event(lc.time, 12.0))
    if len(near) < 10:
        return trial
    if method == "bls":
        return _boxes(near, trial, np.linspace(low, high, 81))
    return _transits(lc, trial, (low, high), threads)


def _boxes(lc: LightCurve, trial: Ephemeris, periods: Floats) -> Ephemeris:
    from astropy.timeseries import BoxLeastSquares

    durations = trial.duration * np.geomspace(0.5, 2.0, 13)
    durations = durations[durations < 0.3 * trial.period]
    start = lc.time[0]
    fit = BoxLeastSquares(lc.time - start, lc.flux).power(
        periods, durations, objective="likelihood", oversample=20
    )
    best = int(np.argmax(fit.power))
    if not fit.depth[best] > 0:
        return trial
    epoch = float(fit.transit_time[best] + start)
    found = (float(getattr(fit, name)[best]) for name in ("period", "duration", "depth"))
    period, duration, depth = found
    return Ephemeris(period, epoch, duration, depth)


def _transits(
    lc: LightCurve, trial: Ephemeris, window: tuple[float, float], threads: int
) -> Ephemeris:
    from transitleastsquares import transitleastsquares

    radius, mass = solar(lc.star)
    usual = len(trial_periods(lc.baseline, *window, lc.star))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TLS warns of gaps and of small grids; both are wanted
        try:
            found = transitleastsquares(lc.time, lc.flux, verbose=False).power(
                period_min=window[0],
                period_max=window[1],
                oversampling_factor=3 * max(1, round(100 / usual)),
                n_transits_min=1,
                R_star=radius,
                R_star_min=0.5 * radius,
                R_star_max=2.0 * radius,
                M_star=mass,
                M_star_min=0.5 * mass,
                M_star_max=2.0 * mass,
                use_threads=threads,
                show_progress_bar=False,
            )
        except ValueError:  # inside three stellar radii, where TLS has no periods to try
            return trial
    if not (np.isfinite(found.period) and np.isfinite(found.duration) and found.duration > 0):
        return trial
    fitted = Ephemeris(
        float(found.period), float(found.T0), float(found.duration), 1 - float(found.depth)
    )
    return replace(fitted, epoch=_nearest(fitted, float(np.mean(lc.time))))


def _nearest(ephemeris: Ephemeris, time: float) -> float:
    return ephemeris.epoch + ephemeris.period * round((time - ephemeris.epoch) / ephemeris.period)
