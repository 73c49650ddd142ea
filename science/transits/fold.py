"""A light curve folded into averages, and the shape of a transit to lay over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from science.transits.lightcurve import Ephemeris, Floats, LightCurve
from science.transits.noise import spread
from science.transits.transit_model import occult

REACH = 3.0  # half-width of the folded stretch, in durations
BINS = 60  # in one duration
_DENSE = 300  # points at which a shape is tabulated


@dataclass(frozen=True)
class Folded:
    """Averages of a folded light curve: ``time`` from mid-event, ``weight`` 1 / variance."""

    time: Floats
    flux: Floats
    weight: Floats


def fold(lc: LightCurve, ephemeris: Ephemeris, white: float | None = None) -> Folded:
    """Averages in bins of a sixtieth of a duration, out to three durations from mid-event.

    ``white`` is the scatter of single points [relative flux]; that of ``lc`` unless given.
    """
    half = min(REACH * ephemeris.duration, 0.5 * ephemeris.period)
    white = white_noise(lc, ephemeris) if white is None else white
    phase = ephemeris.phase(lc.time)
    near = np.abs(phase) < half
    phase, flux = phase[near], lc.flux[near]
    bins = np.floor((phase + half) * BINS / ephemeris.duration).astype(np.int64)
    count = np.bincount(bins).astype(float)
    some = count > 0
    time, mean = (np.bincount(bins, x)[some] / count[some] for x in (phase, flux))
    return Folded(time, mean, count[some] / white**2)


def white_noise(lc: LightCurve, ephemeris: Ephemeris) -> float:
    """Scatter of the points out of transit [relative flux], above zero."""
    free = lc.flux[~ephemeris.in_event(lc.time, 1.5)]
    return max(spread(free if len(free) > 2 else lc.flux), 1e-9)


def shape(impact: float, depth: float, limb: tuple[float, float]) -> Floats:
    """Drop from mid-transit (1) to last contact (0) at even steps of time."""
    ratio = float(np.sqrt(depth))
    for _ in range(4):  # the ratio that gives the depth at this impact parameter
        deep = float(1 - occult(np.array([impact]), ratio, limb)[0])
        ratio = float(np.clip(ratio * np.sqrt(depth / max(deep, 1e-12)), 1e-4, 0.4))
    time = np.linspace(0, 1, _DENSE)
    sky = np.sqrt(impact**2 + ((1 + ratio) ** 2 - impact**2) * time**2)
    drop = 1 - occult(sky, ratio, limb)
    return np.asarray(drop / max(float(drop[0]), 1e-12), np.float64)


def smeared(curve: Floats, duration: float, exposure: float) -> tuple[Floats, Floats]:
    """Times from mid-transit and the drop averaged over an exposure around each."""
    time = np.linspace(0, 0.5 * (duration + exposure), _DENSE)
    offsets = exposure * ((np.arange(7) + 0.5) / 7 - 0.5)
    place = np.abs(time[:, None] + offsets) / (0.5 * duration)
    drop = np.interp(place, np.linspace(0, 1, len(curve)), curve, right=0.0)
    return time, drop.mean(axis=1)
