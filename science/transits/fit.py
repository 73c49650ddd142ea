"""Fit a limb-darkened transit to a signal's folded light curve: middle, duration, depth, errors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from science.transits.events import punctual
from science.transits.fold import Folded, fold, shape, smeared, white_noise
from science.transits.grid import transit_duration
from science.transits.lightcurve import Ephemeris, Floats, LightCurve
from science.transits.transit_model import limb_darkening

LONGEST = 1.3  # of the central transit of a catalogued star: its radius may be that much larger
ROUNDS = 4  # the grid narrows to where the probability is; three times bring any to its scale
LEAST_SNR = 4.0  # of a depth whose shape is worth believing
_FACTORS = (0.4, 2.5)  # the first duration may be wrong by twice either way
_SIZES = (25, 41, 9)  # durations, middles, impact parameters
_WIDEST_IMPACT = 0.95  # beyond, grazing shapes only lengthen what no light curve can tell
_LEAST = 1e-4  # of the highest probability: what lies below is left out of the next grid
_FEW = 40  # events of which each is timed by itself
_LATE = 25.0  # gain in chi-square that shows an event to be late
_PARTS = 12  # groups of successive events among which a drift is looked for
FEWEST = 12  # averages that a fit of five numbers needs


@dataclass(frozen=True)
class Fit:
    """A transit shape fitted to all events of one ephemeris together.

    Attributes:
        ephemeris: the fitted middle, duration from first to last contact, and depth at
            mid-transit. Its period is changed where that sharpens the fold; its epoch may then
            be another event.
        impact: impact parameter in stellar radii; hardly known unless the signal is strong.
        chi2, points: of the averages of the folded light curve, and their number.
        before: ``chi2`` at the duration and middle that the fit started from.
        epoch_error, duration_error: [days]; the epoch's is that of all events together, so it
            holds for the middle of the data.
        depth_error: relative flux.
        period_error: [days], from ``epoch_error`` and the number of events.
    """

    ephemeris: Ephemeris
    impact: float
    chi2: float
    points: int
    before: float
    epoch_error: float
    duration_error: float
    depth_error: float
    period_error: float

    @property
    def sound(self) -> bool:
        """Whether it says more than the ephemeris did: a dip, of known length, that fits better."""
        known = self.duration_error < 0.5 * self.ephemeris.duration
        return known and self.snr > LEAST_SNR and self.chi2 < self.before

    @property
    def snr(self) -> float:
        """Depth over its error."""
        return self.ephemeris.depth / self.depth_error if self.depth_error > 0 else 0.0


@dataclass(frozen=True)
class _Grid:
    """Trial durations and middles [days] and impact parameters."""

    duration: Floats
    middle: Floats
    impact: Floats


def fit(flat: LightCurve, ephemeris: Ephemeris) -> Fit | None:
    """Fit middle, duration, depth and impact parameter of a signal; None where it shows no dip.

    Late events are first moved to where they are due. The chi-square is computed over a grid of
    durations, middles and impact parameters, depth and level solved for at each, and the grid
    narrows to where the probability is. What comes back are means and standard deviations over
    that probability with even priors, so the unknown impact parameter is in the errors, which
    are also widened where no shape fits the points to their noise.

    Args:
        flat: flattened with the signal kept out of the trend, without other planets' events.
        ephemeris: the duration is right within a factor of two, the epoch within half of it.
    """
    rough = _fitted(flat, ephemeris)
    if rough is None:
        return None
    found = [rough, _fitted(flat, _steadied(flat, rough))]
    # Only once the middle is right can single events be late. Boxes tell how late, and of short
    # events they tell it badly, so the moved ones have to fit better.
    lc, late = punctual(flat, rough.ephemeris)
    if late:
        found.append(_fitted(lc, rough.ephemeris))
    best = min((f for f in found if f is not None), key=lambda f: f.chi2 / f.points)
    lc = lc if best is found[-1] and late else flat
    timed = _timed(lc, best)
    again = _fitted(timed, best.ephemeris)
    if again is not None and again.chi2 / again.points < best.chi2 / best.points:
        lc, best = timed, again
    return _compared(lc, ephemeris, best)


def _timed(lc: LightCurve, found: Fit) -> LightCurve:
    """The light curve with each event moved by what the fitted shape says it is late.

    Only of few events: among many, lateness averages out. Two tell nothing of what is due.
    """
    old = found.ephemeris
    number, inside = old.number(lc.time), old.in_event(lc.time)
    seen = np.unique(number[inside])
    if not 2 < len(seen) <= _FEW:
        return lc
    limb, white = limb_darkening(lc.star.teff, lc.mission), white_noise(lc, old)
    form = smeared(shape(found.impact, old.depth, limb), old.duration, lc.exposure)
    shifts = old.duration * np.linspace(-0.5, 0.5, 201)
    time = lc.time.copy()
    for event in seen:
        mine = number == event
        chi2 = _shifted(fold(lc.select(mine), old, white), shifts, form, old.depth)
        best = int(np.argmin(chi2))
        if 0 < best < len(shifts) - 1 and chi2[len(shifts) // 2] - chi2[best] > _LATE:
            time[mine] -= shifts[best]
    return replace(lc, time=time).select(np.argsort(time, kind="stable"))


def _steadied(lc: LightCurve, found: Fit) -> Ephemeris:
    """The fit's ephemeris with the period at which its shape drifts the least.

    The epoch becomes the event in the middle of all, where it does not depend on the period.
    """
    old = found.ephemeris
    seen = old.number(lc.time[old.in_event(lc.time)])
    if len(np.unique(seen)) < 2:
        return old
    old = replace(old, epoch=old.epoch + round(float(np.mean(seen))) * old.period)
    limb = limb_darkening(lc.star.teff, lc.mission)
    form = smeared(shape(found.impact, old.depth, limb), old.duration, lc.exposure)
    reach = 0.25 * old.duration
    shifts = np.linspace(-2 * reach, 2 * reach, 401)
    pieces = [(n, _shifted(f, shifts, form, old.depth)) for n, f in _pieces(lc, old)]
    furthest = max(max(abs(number) for number, _ in pieces), 1.0)
    slope, middle, around, at = 0.0, 0.0, reach, 2 * reach / furthest
    for _ in range(ROUNDS):
        slopes = slope + at * np.linspace(-1, 1, 41)
        middles = middle + around * np.linspace(-1, 1, 41)
        chi2 = np.zeros((41, 41))
        for number, table in pieces:
            chi2 += np.interp(number * slopes[:, None] + middles, shifts, table)
        i, j = np.unravel_index(np.argmin(chi2), chi2.shape)
        slope, middle = float(slopes[i]), float(middles[j])
        at, around = at / 8, around / 8
    return replace(old, period=old.period + slope, epoch=old.epoch + middle)


def _pieces(lc: LightCurve, ephemeris: Ephemeris) -> list[tuple[float, Folded]]:
    """Successive events folded a few at a time, with the mean number of those that have data."""
    number, inside = ephemeris.number(lc.time), ephemeris.in_event(lc.time)
    first, last = number[inside].min(), number[inside].max()
    edges = np.linspace(first, last + 1, min(last - first + 1, _PARTS) + 1)
    pieces, white = [], white_noise(lc, ephemeris)
    for low, high in pairwise(edges):
        mine = (number >= low) & (number < high)
        if (mine & inside).any():
            mean = float(np.mean(number[mine & inside]))
            pieces.append((mean, fold(lc.select(mine), ephemeris, white)))
    return pieces


def _shifted(folded: Folded, shifts: Floats, form: tuple[Floats, Floats], depth: float) -> Floats:
    """Chi-square of a known transit shifted in time, its level free."""
    model = -depth * np.interp(np.abs(folded.time - shifts[:, None]), *form, right=0.0)
    rest = folded.flux - model
    rest -= (rest @ folded.weight / folded.weight.sum())[:, None]
    chi2: Floats = rest**2 @ folded.weight
    return chi2


def _compared(lc: LightCurve, before: Ephemeris, found: Fit) -> Fit:
    """A fit with the chi-squares of the same averages at its own ephemeris and at the first one."""
    folded, limb = fold(lc, found.ephemeris), limb_darkening(lc.star.teff, lc.mission)
    impacts = np.linspace(0, _WIDEST_IMPACT, 2 * _SIZES[2])
    least = []
    for old in (before, found.ephemeris):
        middle = found.ephemeris.phase(np.array([old.epoch]))
        grid = _Grid(np.array([old.duration]), middle, impacts)
        chi2, *_ = _chi2(folded, grid, found.ephemeris.depth, limb, lc.exposure)
        least.append(float(chi2.min()))
    return replace(found, before=least[0], chi2=least[1], points=len(folded.time))


def _fitted(lc: LightCurve, ephemeris: Ephemeris) -> Fit | None:
    low, high = bounds(lc, ephemeris)
    start = replace(ephemeris, duration=float(np.clip(ephemeris.duration, low, high)))
    folded = fold(lc, start)
    if len(folded.time) < FEWEST:
        return None
    limb = limb_darkening(lc.star.teff, lc.mission)
    grid = _first_grid(start, low, high)
    depth = max(_box_depth(folded, start.duration), 1e-6)
    for _ in range(ROUNDS):
        chi2, depths, errors = _chi2(folded, grid, depth, limb, lc.exposure)
        widen = max(float(chi2.min()) / (len(folded.time) - 5), 1.0)
        chance = np.exp(-0.5 * (chi2 - chi2.min()) / widen)
        chance /= chance.sum()
        depth = float(np.sum(chance * depths))
        if not depth > 0:
            return None
        used, grid = grid, _narrowed(grid, chance)
    duration, duration_error = _moments(chance, used.duration[:, None, None])
    middle, epoch_error = _moments(chance, used.middle[None, :, None])
    depth, scatter = _moments(chance, depths)
    events = len(np.unique(start.number(lc.time[start.in_event(lc.time)])))
    return Fit(
        Ephemeris(ephemeris.period, ephemeris.epoch + middle, duration, depth),
        impact=_moments(chance, used.impact[None, None, :])[0],
        chi2=float(chi2.min()),
        points=len(folded.time),
        before=float(chi2.min()),
        epoch_error=epoch_error,
        duration_error=duration_error,
        depth_error=float(np.hypot(scatter, np.sqrt(widen) * np.sum(chance * errors))),
        period_error=float(np.sqrt(12) * epoch_error / max(events, 1)),
    )


def bounds(lc: LightCurve, ephemeris: Ephemeris) -> tuple[float, float]:
    """The shortest and longest duration that a transit of this period can have [days].

    Two cadences, and ``LONGEST`` central transits of the star where its radius is known (three of
    the Sun's otherwise), or a quarter of the period.
    """
    cadence = float(np.median(np.diff(lc.time))) if len(lc) > 1 else lc.exposure
    known = 0.05 < lc.star.radius < 100
    longest = (LONGEST if known else 3.0) * float(transit_duration(ephemeris.period, lc.star))
    longest *= 1 + float(np.sqrt(np.clip(np.nan_to_num(ephemeris.depth), 0, 0.1)))
    high = min(longest, 0.25 * ephemeris.period)
    return min(2 * cadence, high), high


def _first_grid(start: Ephemeris, low: float, high: float) -> _Grid:
    shortest, longest = (np.clip(f * start.duration, low, high) for f in _FACTORS)
    (count, middles, impacts), reach = _SIZES, 0.5 * start.duration
    return _Grid(
        np.geomspace(shortest, longest, count),
        np.linspace(-reach, reach, middles),
        np.linspace(0, _WIDEST_IMPACT, impacts),
    )


def _narrowed(grid: _Grid, chance: Floats) -> _Grid:
    """The same number of steps over what is left of each axis, one old step wider at each end."""
    axes = []
    for axis, values in enumerate((grid.duration, grid.middle, grid.impact)):
        others = tuple(i for i in range(3) if i != axis)
        likely = np.flatnonzero(chance.max(axis=others) > _LEAST)
        first, last = max(likely[0] - 1, 0), min(likely[-1] + 1, len(values) - 1)
        axes.append(np.linspace(values[first], values[last], len(values)))
    return _Grid(*axes)


def _chi2(
    folded: Folded, grid: _Grid, depth: float, limb: tuple[float, float], exposure: float
) -> tuple[Floats, Floats, Floats]:
    """Chi-square, depth and its error at each (duration, middle, impact) of the grid."""
    size = (len(grid.duration), len(grid.middle), len(grid.impact))
    chi2, depths, errors = np.empty(size), np.empty(size), np.empty(size)
    weight, total = folded.weight, folded.weight.sum()
    rest = folded.flux - np.sum(weight * folded.flux) / total
    whole = float(np.sum(weight * rest**2))
    away = np.abs(folded.time[None, :] - grid.middle[:, None])
    for k, impact in enumerate(grid.impact):
        curve = shape(float(impact), depth, limb)
        for i, duration in enumerate(grid.duration):
            time, drop = smeared(curve, float(duration), exposure)
            model = np.interp(away, time, drop, right=0.0)
            model -= (model @ weight / total)[:, None]
            power = np.maximum(model**2 @ weight, 1e-12 * total)
            found = -(model @ (weight * rest)) / power
            depths[i, :, k], errors[i, :, k] = found, power**-0.5
            chi2[i, :, k] = whole - np.where(found > 0, found**2 * power, 0.0)
    return chi2, depths, errors


def _box_depth(folded: Folded, duration: float) -> float:
    inside = np.abs(folded.time) < 0.25 * duration
    outside = np.abs(folded.time) > duration
    if not inside.any() or not outside.any():
        return 0.0
    levels = [np.average(folded.flux[s], weights=folded.weight[s]) for s in (outside, inside)]
    return float(levels[0] - levels[1])


def _moments(chance: Floats, values: Floats) -> tuple[float, float]:
    mean = float(np.sum(chance * values))
    return mean, float(np.sqrt(np.sum(chance * (values - mean) ** 2)))
