"""What an ephemeris is worth on a light curve: depth, SNR, odd and even, secondary, chance."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from science.core.errors import UserError
from science.transits.events import Events, Noise, events, noise
from science.transits.lightcurve import Ephemeris, Floats, LightCurve

NO_TRANSIT = "no transit in the data"
ONE_TRANSIT = "one transit"
HALF = "period exceeds half the baseline"
WHOLE = "period exceeds the baseline"
ODD_EVEN = "odd and even transits differ"
SECONDARY = "secondary eclipse"
MULTIPLE = "gaps allow a period this many times as long"


@dataclass(frozen=True)
class Secondary:
    """The deepest dip of the folded light curve away from the transit.

    ``phase`` is in cycles after mid-transit (0.5 for a circular orbit), ``depth`` relative flux,
    ``snr`` in red-noise sigmas before any penalty for having searched all phases: pure noise
    shows 2 to 4.
    """

    phase: float = float("nan")
    depth: float = float("nan")
    snr: float = 0.0


@dataclass(frozen=True)
class Measurement:
    """An ephemeris measured on one flattened light curve.

    Attributes:
        depth: mean drop over the duration, weighted over events, relative flux.
        error: of ``depth``, red noise included.
        snr: ``depth / error``, where error^2 = white^2 / points + red^2 / transits (Pont et
            al. 2006), summed event by event.
        white_snr: the same without red noise: depth sqrt(points) / white.
        steady_snr: ``snr`` as the events other than the strongest would have it.
        transits: events with at least 30 % of their points.
        points: points within those events.
        odd_even: difference between the depths of odd and even events in its sigmas; nan where
            one kind was not seen.
        odd, even: the two depths, relative flux.
        secondary: the deepest dip elsewhere in the orbit.
        fap: chance that this light curve's noise shows such an SNR at any phase of this period.
            The noise's scatter is the one of all other phases, so red noise counts. A period
            that was searched for has its number of trials on top (``Signal.fap``).
        flags: doubts, in plain words.
    """

    depth: float
    error: float
    snr: float
    white_snr: float
    steady_snr: float
    transits: int
    points: int
    odd_even: float
    odd: float
    even: float
    secondary: Secondary
    fap: float
    flags: tuple[str, ...]


def measure(lc: LightCurve, ephemeris: Ephemeris) -> Measurement:
    """Measure an ephemeris on a flattened light curve.

    The level from which depth counts is the mean of all points out of transit. Brightenings of
    over four sigma are cut down to four.

    Raises:
        UserError: the ephemeris is not finite, or its duration is not shorter than its period.
    """
    _check(lc, ephemeris)
    inside = ephemeris.in_event(lc.time)
    outside = lc.select(~ephemeris.in_event(lc.time, 1.5))
    level = noise(outside if len(outside) > 20 else lc, ephemeris.duration)
    flat = _levelled(lc, outside, level)
    found = events(flat, ephemeris, level)
    depth, error = found.combined
    white = depth * math.sqrt(found.points.sum()) / level.white if len(found) else 0.0
    odd, even, difference = _odd_even(found)
    phase, depths, snr = _folded(flat.select(~inside), ephemeris, level, max(len(found), 1))
    secondary = _secondary(phase, depths, snr, ephemeris)
    measured = Measurement(
        depth=depth,
        error=error,
        snr=found.snr,
        white_snr=white,
        steady_snr=found.steady_snr,
        transits=len(found),
        points=int(found.points.sum()),
        odd_even=difference,
        odd=odd,
        even=even,
        secondary=secondary,
        fap=_fap(found.snr, snr, ephemeris) if len(found) else 1.0,
        flags=(),
    )
    return replace(measured, flags=(*_flags(lc, ephemeris, measured), *_gaps(found)))


def chance(snr: float, trials: float) -> float:
    """Probability that the highest of ``trials`` independent Gaussian draws reaches ``snr``."""
    single = float(norm.sf(snr))
    return -math.expm1(trials * math.log1p(-single)) if single < 1 else 1.0


def _check(lc: LightCurve, ephemeris: Ephemeris) -> None:
    numbers = (ephemeris.period, ephemeris.epoch, ephemeris.duration)
    if not all(math.isfinite(n) for n in numbers) or not 0 < ephemeris.duration < ephemeris.period:
        raise UserError(
            f"{lc.target}: period {numbers[0]:g}, epoch {numbers[1]:g}, duration {numbers[2]:g} d"
            " is no ephemeris",
            "give finite numbers in days, with 0 < duration < period",
        )
    if not len(lc):
        raise UserError(f"{lc.target}: the light curve has no points", "look at the file's flux")


def _levelled(lc: LightCurve, outside: LightCurve, level: Noise) -> LightCurve:
    reference = outside if len(outside) else lc
    middle = float(np.median(reference.flux))
    top = middle + 4 * level.white
    mean = float(np.mean(np.clip(reference.flux, middle - 4 * level.white, top)))
    return lc.with_flux(np.minimum(lc.flux, top) - mean + 1)


def _odd_even(found: Events) -> tuple[float, float, float]:
    means = []
    for parity in (1, 0):
        one = found.number % 2 == parity
        part = Events(found.number[one], found.depth[one], found.error[one], found.points[one])
        means.append(part.combined)
    (odd, odd_error), (even, even_error) = means
    return odd, even, abs(odd - even) / math.hypot(odd_error, even_error)


def _folded(
    lc: LightCurve, ephemeris: Ephemeris, level: Noise, transits: int
) -> tuple[Floats, Floats, Floats]:
    """Depth and SNR of a box of one duration at phases a quarter duration apart [days]."""
    count = max(int(4 * ephemeris.period / ephemeris.duration), 8)
    bins = np.floor((ephemeris.phase(lc.time) / ephemeris.period + 0.5) * count).astype(int)
    bins = np.clip(bins, 0, count - 1)
    points = _boxes(np.bincount(bins, minlength=count).astype(float))
    sunk = _boxes(np.bincount(bins, 1 - lc.flux, count).astype(float))
    usual = np.median(points[points > 0]) if np.any(points > 0) else 1.0
    depth = np.where(points > 0, sunk / np.maximum(points, 1), 0.0)
    error = np.sqrt(level.white**2 / np.maximum(points, 1) + level.red**2 / transits)
    snr = np.where(points > 0.3 * usual, depth / np.maximum(error, 1e-15), 0.0)
    phase = ((np.arange(count) + 2) / count - 0.5) * ephemeris.period
    return phase, depth, snr


def _boxes(values: Floats) -> Floats:
    """Sums of four neighbouring bins round the orbit, the first starting at each bin."""
    total: Floats = sum((np.roll(values, -k) for k in range(4)), np.zeros_like(values))
    return total


def _secondary(phase: Floats, depth: Floats, snr: Floats, ephemeris: Ephemeris) -> Secondary:
    away = _away(phase, ephemeris, 0.0)
    if not away.any():
        return Secondary()
    best = int(np.argmax(np.where(away, snr, -np.inf)))
    return Secondary(
        float(phase[best] / ephemeris.period) % 1, float(depth[best]), float(snr[best])
    )


def _away(phase: Floats, ephemeris: Ephemeris, centre: float) -> NDArray[np.bool_]:
    """Phases whose box neither touches the event at ``centre`` nor its shoulders."""
    offset = (phase - centre + 0.5 * ephemeris.period) % ephemeris.period - 0.5 * ephemeris.period
    clear: NDArray[np.bool_] = np.abs(offset) > 1.5 * ephemeris.duration
    return clear


def _fap(snr: float, others: Floats, ephemeris: Ephemeris) -> float:
    seen = others[others != 0]
    scatter = 1.4826 * float(np.median(np.abs(seen - np.median(seen)))) if len(seen) > 8 else 1.0
    return chance(snr / max(scatter, 1.0), ephemeris.period / ephemeris.duration)


def _gaps(found: Events) -> tuple[str, ...]:
    step = math.gcd(*(int(n) for n in np.diff(found.number)))
    return (f"{MULTIPLE}: {step}",) if step > 1 else ()


def _flags(lc: LightCurve, ephemeris: Ephemeris, found: Measurement) -> tuple[str, ...]:
    # A tenth as well as three sigma: spots and late transits part deep odd and even ones by less.
    unlike = found.odd_even > 3 and abs(found.odd - found.even) > 0.1 * abs(found.depth)
    doubts = {
        NO_TRANSIT: found.transits == 0,
        ONE_TRANSIT: found.transits == 1,
        WHOLE: ephemeris.period > lc.baseline,
        HALF: 0.5 * lc.baseline < ephemeris.period <= lc.baseline,
        ODD_EVEN: unlike,
        SECONDARY: found.secondary.snr > 5,
    }
    return tuple(text for text, doubtful in doubts.items() if doubtful)
