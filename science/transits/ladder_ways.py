"""Looking, theory and computing: three ways to find a planet that were shown none before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from science.core.ladder import Answer, Asked
from science.transits.flatten import flatten
from science.transits.fold import shape, smeared
from science.transits.grid import period_range, solar, transit_duration, trial_periods
from science.transits.lightcurve import Ephemeris, Floats, LightCurve
from science.transits.noise import spread
from science.transits.transit_model import EARTH_PER_SOLAR_RADIUS, limb_darkening

WIDTH = 3 / 24  # days: the ruler of the eye
DIPS = 12  # deepest dips that theory pairs
LARGEST = 2 * 11.2 * EARTH_PER_SOLAR_RADIUS  # twice Jupiter [solar radii]
ALIKE = 3.0  # sigma by which the transits of one planet may differ in depth
MOST = 9.5  # days: at least three transits


class Found(NamedTuple):
    """An answer: for each star a score, higher for a surer planet, and a period [days]."""

    score: Floats
    period: Floats


Way = Callable[[LightCurve], tuple[float, float]]


def each(curves: Sequence[LightCurve], way: Way) -> Found:
    """One way's answer for every star."""
    score, period = np.array([way(lc) for lc in curves], dtype=float).T
    return Found(np.nan_to_num(score, nan=0.0), period)


def deepest_dips(asked: Asked) -> Answer:
    """Lay a ruler of three hours along the light curve; the two deepest dips give the period."""
    return Answer(each(asked.questions, _two_deepest))


def _two_deepest(lc: LightCurve) -> tuple[float, float]:
    dips = _dips(flatten(lc), WIDTH, 2)
    if len(dips) < 2:
        return 0.0, np.nan
    return float(dips[0, 1]), float(abs(dips[1, 0] - dips[0, 0]))


def _dips(flat: LightCurve, width: float, most: int) -> Floats:
    """Deepest dips: (dips, 2) of mid-time [days] and significance, deepest first."""
    begin = np.searchsorted(flat.time, flat.time - width / 2)
    end = np.searchsorted(flat.time, flat.time + width / 2, side="right")
    total = np.concatenate([[0.0], np.cumsum(1 - flat.flux)])
    count = end - begin
    sure = (total[end] - total[begin]) / np.sqrt(count) / max(spread(flat.flux), 1e-12)
    sure[count < 3] = 0.0
    found = []
    for _ in range(most):
        at = int(np.argmax(sure))
        if sure[at] <= 0:
            break
        found.append((flat.time[at], sure[at]))
        sure[np.abs(flat.time - flat.time[at]) < 1.5 * width] = 0.0
    return np.array(found).reshape(-1, 2)


def kepler_and_density(asked: Asked) -> Answer:
    """Pair dips whose spacing, length and depth one small dark body could have.

    Kepler's third law and the star's density fix how long a transit of each period lasts (Seager
    and Mallen-Ornelas 2003, ApJ 585, 1038); a planet's transits are equally deep, and it is at most
    twice as large as Jupiter.
    """
    return Answer(each(asked.questions, _physical_pairs))


def _physical_pairs(lc: LightCurve) -> tuple[float, float]:
    flat = flatten(lc)
    dips = _dips(flat, WIDTH, DIPS)[:, 0]
    best = (0.0, np.nan)
    for i, first in enumerate(dips):
        for second in dips[i + 1 :]:
            for parts in (1, 2, 3, 4, 5, 6):
                period = abs(second - first) / parts
                if 0.6 < period < MOST:
                    best = max(best, (physical(flat, first, period), period))
    return best


def physical(flat: LightCurve, epoch: float, period: float) -> float:
    """Significance of the folded dip, 0 if physics forbids that it is a planet's."""
    duration = float(transit_duration(period, flat.star))
    event = Ephemeris(period, epoch, duration)
    inside = event.in_event(flat.time, 0.9)
    number = event.number(flat.time[inside])
    if len(np.unique(number)) < 2:
        return 0.0
    sigma = spread(flat.flux)
    drop = 1 - flat.flux[inside]
    depth, error = drop.mean(), sigma / np.sqrt(len(drop))
    deepest = float(np.quantile(drop, 0.97))  # taken off its middle, a dip looks shallow on average
    if depth <= 0 or radius_of(deepest, flat) > LARGEST:
        return 0.0
    odd = number % 2 == 1
    if odd.any() and (~odd).any():
        gap = drop[odd].mean() - drop[~odd].mean()
        if abs(gap) > ALIKE * sigma * np.sqrt(1 / odd.sum() + 1 / (~odd).sum()):
            return 0.0
    return float(depth / error)


def radius_of(depth: float, lc: LightCurve) -> float:
    """Radius [solar] of what takes away ``depth`` of the light: depth = (Rp / Rs)^2."""
    return float(np.sqrt(max(depth, 0.0)) * solar(lc.star)[0])


def transit_model(asked: Asked) -> Answer:
    """Compute the transit's shape, lay it over every period, and fit the best one freely.

    The light lost at each moment is measured once with the model of a limb-darkened star (Mandel
    and Agol 2002, ApJ 580, L171) as weight; every trial period then only adds up what falls on one
    phase. The best is fitted by least squares in period, epoch, duration and depth.
    """
    return Answer(each(asked.questions, _fitted))


def _fitted(lc: LightCurve) -> tuple[float, float]:
    flat = flatten(lc)
    low, high = period_range(flat, (0.6, MOST), 3)
    limb = limb_darkening(flat.star.teff if np.isfinite(flat.star.teff) else 5772.0)
    trial = _matched(flat, trial_periods(flat.baseline, low, high, flat.star), limb)
    fits = [_freely(flat, trial, shape(impact, 1e-3, limb)) for impact in (0.1, 0.6, 0.85)]
    return max(fits)


def _matched(flat: LightCurve, periods: Floats, limb: tuple[float, float]) -> Ephemeris:
    """The trial period and phase at which the model takes away most chi-square."""
    sigma = spread(flat.flux)
    drop = np.maximum(1 - flat.flux, -4 * sigma)
    best, chosen = 0.0, Ephemeris(float(periods[0]), float(flat.time[0]), 0.1)
    for group in np.array_split(periods, 6):  # within a group durations differ by little
        duration = float(transit_duration(float(np.median(group)), flat.star))
        norm, match = _events(flat, drop, duration, limb)
        for period in group:
            bins = max(int(period / (0.25 * duration)), 8)
            where = ((flat.time / period) % 1 * bins).astype(np.int64)
            count = np.maximum(np.bincount(where, minlength=bins), 1)
            top = np.bincount(where, match, bins) / count
            low = np.bincount(where, norm, bins) / count
            events = flat.baseline / period
            gain = np.where(top > 0, top**2 / np.maximum(low, 1e-12), 0.0) * events
            at = int(np.argmax(gain))
            if gain[at] > best:
                epoch = flat.time[0] + ((at + 0.5) / bins - flat.time[0] / period) % 1 * period
                best, chosen = gain[at], Ephemeris(float(period), float(epoch), duration)
    return chosen


def _events(
    flat: LightCurve, drop: Floats, duration: float, limb: tuple[float, float]
) -> tuple[Floats, Floats]:
    """At each point as mid-transit: the model's weight, and the light lost under it."""
    cadence = float(np.median(np.diff(flat.time)))
    time, curve = smeared(shape(0.3, 1e-3, limb), duration, flat.exposure)
    half = max(int(time[-1] / cadence), 1)
    form = np.interp(np.abs(np.arange(-half, half + 1)) * cadence, time, curve)
    # Gaps are left as they are: a few transits at their edges are weighed as if whole.
    return np.convolve(np.ones(len(flat)), form**2, "same"), np.convolve(drop, form, "same")


def _freely(flat: LightCurve, trial: Ephemeris, curve: Floats) -> tuple[float, float]:
    """Signal-to-noise ratio and period of the best fit near a trial."""
    sigma = max(spread(flat.flux), 1e-12)
    scale = np.array([trial.duration / flat.baseline * trial.period, trial.duration, 0.5])

    def form(at: Floats) -> Floats:
        period, epoch = trial.period + scale[0] * at[0], trial.epoch + scale[1] * at[1]
        duration = trial.duration * np.exp(scale[2] * at[2])
        phase = np.abs((flat.time - epoch + 0.5 * period) % period - 0.5 * period)
        seen: Floats = np.interp(phase, *smeared(curve, duration, flat.exposure), right=0.0)
        return seen

    def residual(at: Floats) -> Floats:
        seen = form(at)
        depth = max(float(seen @ (1 - flat.flux)) / max(float(seen @ seen), 1e-12), 0.0)
        return (1 - flat.flux - depth * seen) / sigma

    found = least_squares(residual, np.zeros(3), bounds=(-1.5, 1.5), diff_step=0.02, max_nfev=25)
    saved = float(np.sum(((1 - flat.flux) / sigma) ** 2)) - 2 * float(found.cost)
    return float(np.sqrt(max(saved, 0.0))), float(trial.period + scale[0] * found.x[0])
