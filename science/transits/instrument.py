"""When a space telescope looks, how finely it measures, and what it adds of its own."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from science.transits.lightcurve import Floats

Mission = Literal["Kepler", "TESS"]
Artefact = Literal["drop", "ramp", "flare", "band", "outlier"]


class Schedule(NamedTuple):
    """How a mission observes [days]: cadence, segment, gap after it, downlink interval and gap."""

    cadence: float
    segment: float
    gap: float
    downlink: float
    downlink_gap: float
    epoch_zero: float
    start: float


SCHEDULES: dict[str, Schedule] = {
    "Kepler": Schedule(0.0204340, 92.0, 1.3, 30.8, 0.9, 2454833.0, 131.5),
    "TESS": Schedule(600 / 86400, 26.5, 1.0, 13.7, 1.1, 2457000.0, 1325.3),
}


def cadences(
    rng: np.random.Generator, baseline: float, mission: Mission = "Kepler"
) -> tuple[Floats, NDArray[np.int64]]:
    """Times [days, mission zero] and segment numbers of the usable exposures in a stretch of time.

    Leaves out segment changes, downlinks, about 1 % lost single exposures and, once in a year on
    average, a safe mode of two to six days.
    """
    plan = SCHEDULES[mission]
    clock = np.arange(round(baseline / plan.cadence)) * plan.cadence
    segment, within = np.divmod(clock, plan.segment + plan.gap)
    keep = within < plan.segment
    keep &= (within % plan.downlink) < plan.downlink - plan.downlink_gap
    keep &= rng.random(len(clock)) > 0.01
    for start in rng.uniform(0, baseline, rng.poisson(baseline / 365)):
        keep &= (clock < start) | (clock > start + rng.uniform(2, 6))
    time = np.asarray(clock[keep] + plan.start, np.float64)
    return time, segment[keep].astype(np.int64)


def cdpp(magnitude: float, mission: Mission = "Kepler", hours: float = 6.0) -> float:
    """Noise of instrument and photons averaged over ``hours`` [relative flux], without the star's.

    Kepler: photons and read-out after Jenkins et al. 2010 (ApJ 713, L120), detector and quarter
    terms of 10.8 and 7.8 ppm in 6.5 hours after Gilliland et al. 2011 (ApJS 197, 6). TESS: 200 ppm
    in one hour at magnitude 10, a 60 ppm floor (Ricker et al. 2015, JATIS 1, 014003) and sky that
    equals the photon noise at 13.5.
    """
    if mission == "TESS":
        photons = 200 * 10 ** (0.2 * (magnitude - 10))
        sky = 200 * 10**0.7 * 10 ** (0.4 * (magnitude - 13.5))
        return float(1e-6 * np.sqrt((photons**2 + sky**2) / hours + 60.0**2))
    electrons = 3.46e8 * 10 ** (0.4 * (12 - magnitude))
    half_hour = np.sqrt(electrons + 7e6 * max(1.0, magnitude / 14) ** 4) / electrons
    exposures = hours / (24 * SCHEDULES["Kepler"].cadence)
    return float(np.hypot(half_hour, 1e-6 * np.hypot(10.8, 7.8) * np.sqrt(13.25)) / exposures**0.5)


def point_noise(noise: float, cadence: float, hours: float = 6.0) -> float:
    """Scatter of single exposures of ``cadence`` [days] whose mean over ``hours`` has ``noise``."""
    return float(noise * np.sqrt(hours / (24 * cadence)))


def offsets(rng: np.random.Generator, time: Floats, segment: NDArray[np.int64]) -> Floats:
    """Relative flux of the same star in each segment: another level, a drift, a thermal ramp."""
    flux = np.ones(len(time))
    for number in np.unique(segment):
        part = segment == number
        since = time[part] - time[part][0]
        drift = rng.normal(0, 1e-3) * since / 90 + rng.normal(0, 3e-4) * (since / 90) ** 2
        ramp = rng.normal(0, 4e-4) * np.exp(-since / rng.uniform(0.5, 3))
        flux[part] = (1 + rng.normal(0, 0.01)) * (1 + drift + ramp)
    return flux


def artefact(
    rng: np.random.Generator, time: Floats, kind: Artefact, at: float, size: float
) -> Floats:
    """Relative flux that an instrument or a flare adds around time ``at``; ``size`` is its height.

    drop: a pixel loses sensitivity at once and recovers over a day or stays low (SPSD, Jenkins et
    al. 2010); ramp: thermal settling; flare: fast rise, exponential fall (the star's, but no
    transit either); band: rolling-band interference, a wave that lasts some days; outlier: one
    exposure that is low.
    """
    since = time - at
    after = since >= 0
    decay = np.exp(-np.clip(since, 0, None) / rng.uniform(0.3, 2.0))
    if kind == "drop":
        kept = rng.uniform(0.0, 0.7)
        return np.asarray(np.where(after, -size * (kept + (1 - kept) * decay), 0.0))
    if kind == "ramp":
        return np.asarray(np.where(after, -size * decay, 0.0))
    if kind == "flare":
        fall = np.exp(-np.clip(since, 0, None) / rng.uniform(0.03, 0.12))
        return np.asarray(np.where(after, size * fall, 0.0))
    if kind == "band":
        width, period = rng.uniform(1.0, 4.0), rng.uniform(0.4, 1.5)
        envelope = np.exp(-0.5 * (since / width) ** 2)
        return np.asarray(-size * envelope * np.cos(2 * np.pi * since / period))
    low = np.zeros(len(time))
    if len(time):
        low[int(np.argmin(np.abs(since)))] = -size
    return low
