"""Thousands of labelled view sets a minute: the embedded training set and the pre-training set.

A shortcut past ``simulate``, flattening and search that keeps what a network sees. Only a stretch
of the mission is drawn, with the noise lowered so that the folded views are as noisy as four years
would make them; flattening is a running mean; the ephemeris is the true one with the errors that a
search of such a signal makes, or the deepest fold of the noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from science.core.seeds import rng as stream
from science.transits import instrument
from science.transits.instrument import Artefact
from science.transits.lightcurve import Ephemeris, LightCurve, Star
from science.transits.mirrored import CLIP, WINDOW
from science.transits.population import (
    EARTHS,
    Binary,
    Planet,
    density,
    draw_binary,
    draw_planet,
    draw_star,
    equilibrium,
)
from science.transits.synth import KINDS, LABELS, Kind, blend
from science.transits.transit_model import scaled_axis
from science.transits.variability import pulsation, residual
from science.transits.views import MAD_TO_SIGMA, Views, deepest, stack, views

MISSION_DAYS = 1460.0
DETECTED, FAINTEST = 7.1, 5.5
SHARES: Mapping[Kind, float] = {
    "planet": 0.30,
    "eb": 0.10,
    "blend": 0.15,
    "variable": 0.25,
    "noise": 0.10,
    "systematic": 0.10,
}
SCALARS = ("tce_period", "tce_time0bk", "tce_duration", "tce_depth", "tce_model_snr", "tce_impact",
           "tce_prad", "tce_eqt", "tce_steff", "tce_slogg", "tce_sradius")  # fmt: skip
"""Names and units of the DR24 TCE table: days, days, hours, ppm, -, -, Earth radii, K, K, dex,
solar radii."""
Style = Literal["mirrored", "clean"]


@dataclass(frozen=True)
class SimulatedViews:
    """Labelled view sets; every array has one row per signal.

    Attributes:
        views: stacked views.
        label: PC, AFP or NTP; kind: what was simulated.
        scalars: the columns ``SCALARS``; the impact parameter is as poorly known as a fit's.
    """

    views: Views
    label: NDArray[np.str_]
    kind: NDArray[np.str_]
    scalars: Mapping[str, NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.label)


def simulate_views(
    count: int,
    seed: int,
    shares: Mapping[Kind, float] = SHARES,
    *,
    style: Style = "mirrored",
    progress: Callable[[int, int], None] | None = None,
) -> SimulatedViews:
    """``count`` labelled view sets; row ``i`` depends on ``seed`` and ``i`` alone.

    Args:
        count: how many.
        seed: of everything random.
        shares: how often each kind occurs, in any scale.
        style: ``mirrored`` clips at three sigma as the public DR24 views did, ``clean`` does not.
        progress: called with (done, count) after each.
    """
    kinds = [kind for kind in KINDS if shares.get(kind, 0) > 0]
    chance = np.array([shares[kind] for kind in kinds]) / sum(shares[kind] for kind in kinds)
    rows: list[tuple[Views, dict[str, float]]] = []
    chosen = []
    for index in range(count):
        rng = stream(seed, "views", index)
        kind = kinds[int(rng.choice(len(kinds), p=chance))]
        chosen.append(kind)
        rows.append(_row(rng, kind, style))
        if progress is not None:
            progress(index + 1, count)
    return SimulatedViews(
        stack([row[0] for row in rows]),
        np.array([LABELS[kind] for kind in chosen], dtype="<U3"),
        np.array(chosen, dtype="<U10"),
        {name: np.array([row[1][name] for row in rows], np.float32) for name in SCALARS},
    )


def _row(rng: np.random.Generator, kind: Kind, style: Style) -> tuple[Views, dict[str, float]]:
    star = draw_star(rng, hot={"variable": 0.6, "noise": 0.4, "eb": 0.25}.get(kind, 0.05))
    noise = instrument.cdpp(star.magnitude) * rng.lognormal(0.25, 0.25)
    if kind in ("planet", "eb", "blend"):
        body = _detectable(rng, kind, star, noise)
        lc = _observe(rng, body.orbit.period, star, noise)
        lc = lc.with_flux(lc.flux + body.flux(lc.time, lc.exposure, supersample=3) - 1)
        impact = float(np.clip(body.orbit.impact + rng.normal(0, 0.15), 0, 1))
        found = _found(rng, body, lc)
    else:
        impact = float(rng.uniform(0, 1))
        for _ in range(4):
            lc, found = _OTHER[kind](rng, star, noise)
            if _measured(lc, found)[1] > FAINTEST:
                break
    found, snr = _measured(lc, found)
    if style == "mirrored":
        lc = _clipped(lc)
    return views(lc, found), _scalars(star, found, snr, impact)


def _detectable(rng: np.random.Generator, kind: Kind, star: Star, noise: float) -> Planet | Binary:
    """A body whose folded signal a four-year search would find."""
    for _ in range(200):
        body: Planet | Binary
        if kind == "planet":
            body = draw_planet(rng, star)
        else:
            body = draw_binary(rng, star)
            body = blend(rng, body) if kind == "blend" else body
        orbit = body.orbit
        hours = 24 * orbit.duration(body.ratio)
        if hours < 0.5 or orbit.period > 0.45 * MISSION_DAYS:
            continue
        depth = 1 - body.flux(np.array([orbit.epoch]), 0.0)[0]
        transits = 0.85 * MISSION_DAYS / orbit.period
        if depth / (noise * np.sqrt(6 / hours)) * np.sqrt(transits) > DETECTED + rng.normal(0, 1):
            break
    shift = instrument.SCHEDULES["Kepler"].start + rng.uniform(0, orbit.period)
    body = replace(body, orbit=replace(orbit, epoch=float(shift)))
    if isinstance(body, Binary):
        # Flattening takes away waves that are long against its window of two days.
        body = replace(body, tide=body.tide / (1 + orbit.period**2))
    return body


def _observe(rng: np.random.Generator, period: float, star: Star, noise: float) -> LightCurve:
    """White noise and what flattening leaves of red noise, for a stretch of some periods."""
    baseline = float(np.clip(6 * period, 90, MISSION_DAYS if period > 240 else 730))
    time, segment = instrument.cadences(rng, baseline)
    cadence = instrument.SCHEDULES["Kepler"].cadence
    sigma = instrument.point_noise(noise, cadence) * np.sqrt(baseline / MISSION_DAYS)
    flux = 1 + sigma * rng.standard_normal(len(time))
    red = sigma * rng.lognormal(-1.6, 0.6)
    flux += residual(rng, time, red, rng.uniform(0.1, 0.5))
    error = np.full(len(time), sigma)
    return LightCurve(
        time, flux, error, segment, "simulated", "Kepler", exposure=cadence, star=star
    )


def _clipped(lc: LightCurve) -> LightCurve:
    """Cut where ``mirrored.clip`` would cut the four years' single exposures, which are noisier."""
    exposure_noise = 1.1 * lc.error[0] * np.sqrt(max(MISSION_DAYS / lc.baseline, 1.0))
    height = np.abs(lc.flux - np.median(lc.flux))
    spread = max(exposure_noise, MAD_TO_SIGMA * float(np.median(height)))
    return lc.select(height < CLIP * spread)


def _found(rng: np.random.Generator, body: Planet | Binary, lc: LightCurve) -> Ephemeris:
    """The true ephemeris with the errors of a search, which may also take half the period."""
    orbit, duration = body.orbit, body.orbit.duration(body.ratio)
    depth = float(1 - body.flux(np.array([orbit.epoch]), 0.0)[0])
    inside = max(len(lc) * duration / orbit.period, 1.0)
    doubt = min(1 / (depth / lc.error[0] * np.sqrt(inside)), 0.1)
    period = orbit.period
    if isinstance(body, Binary) and orbit.eccentricity == 0:
        ratio = body.brightness / max(1 - body.brightness, 1e-3) / body.ratio**2
        period *= 0.5 if ratio > rng.uniform(0.3, 1.0) else 1.0
    return Ephemeris(
        period * (1 + doubt * duration / lc.baseline * rng.normal()),
        orbit.epoch + doubt * duration * rng.normal(),
        float(np.clip(duration * np.exp(rng.normal(0, 0.06 + doubt)), 0.03, 0.9 * period)),
        depth,
    )


def _variable(rng: np.random.Generator, star: Star, noise: float) -> tuple[LightCurve, Ephemeris]:
    period = float(np.exp(rng.uniform(np.log(0.4), np.log(4.0))))
    lc = _observe(rng, period, star, noise)
    wave = period / rng.choice([1, 1, 1, 2, 3, 5])
    duration = float(np.clip(rng.uniform(0.04, 0.18) * period, 0.035, 0.6))
    snr = np.exp(rng.normal(np.log(14), 0.8))
    height = snr * lc.error[0] / np.sqrt(len(lc) * duration / period)
    epoch = float(lc.time[0] + rng.uniform(0, period))
    flux = lc.flux + pulsation(rng, lc.time - epoch, wave, height)
    other = wave * rng.uniform(0.4, 2.5)
    flux += rng.uniform(0, 0.8) * pulsation(rng, lc.time - epoch, other, height)
    lc = lc.with_flux(flux)
    return lc, _centred(lc, Ephemeris(period, epoch, duration))


def _noise(rng: np.random.Generator, star: Star, noise: float) -> tuple[LightCurve, Ephemeris]:
    long = rng.random() < 0.3
    period = float(np.exp(rng.uniform(*np.log((100, 500) if long else (0.5, 12)))))
    lc = _observe(rng, period, star, noise)
    duration = float(np.clip(rng.uniform(0.02, 0.2) * period, 0.05, 0.6))
    if rng.random() < 0.9:
        red = residual(rng, lc.time, lc.error[0] * rng.lognormal(0, 0.6), rng.uniform(0.1, 0.8))
        lc = lc.with_flux(lc.flux + red)
    return lc, _centred(lc, Ephemeris(period, float(lc.time[0]), duration))


def _systematic(rng: np.random.Generator, star: Star, noise: float) -> tuple[LightCurve, Ephemeris]:
    period = float(np.exp(rng.uniform(np.log(50), np.log(400))))
    lc = _observe(rng, 0.6 * period, star, noise)
    duration, flux = float(rng.uniform(0.08, 0.6)), lc.flux.copy()
    inside = max(duration / lc.exposure, 1.0)
    kinds: tuple[Artefact, ...] = get_args(Artefact)
    kind = kinds[int(rng.integers(len(kinds)))]
    for turn in range(int(rng.integers(1, 3))):
        at = lc.time[0] + rng.uniform(0, 1) * (period if turn == 0 else lc.baseline)
        size = lc.error[0] * np.exp(rng.normal(np.log(40), 0.8)) / np.sqrt(inside)
        flux += instrument.artefact(rng, lc.time, kind, float(at), size)
    lc = lc.with_flux(flux / uniform_filter1d(flux, WINDOW, mode="nearest"))
    return lc, _centred(lc, Ephemeris(period, float(lc.time[0]), duration))


_OTHER = {"variable": _variable, "noise": _noise, "systematic": _systematic}


def _centred(lc: LightCurve, guess: Ephemeris) -> Ephemeris:
    return replace(guess, epoch=guess.epoch + deepest(lc, guess, exclude=0.0))


def _measured(lc: LightCurve, found: Ephemeris) -> tuple[Ephemeris, float]:
    """Depth in the middle of the transit and its signal to noise, scaled as the views are."""
    phase = np.abs(found.phase(lc.time))
    middle, inside = phase < 0.25 * found.duration, phase < 0.5 * found.duration
    level = float(np.median(lc.flux))
    if not middle.any():
        return replace(found, depth=0.0), -1.0
    depth = level - float(lc.flux[middle].mean())
    sigma = MAD_TO_SIGMA * float(np.median(np.abs(lc.flux - level)))
    return replace(found, depth=depth), depth / sigma * float(np.sqrt(inside.sum()))


def _scalars(star: Star, found: Ephemeris, snr: float, impact: float) -> dict[str, float]:
    axis = scaled_axis(found.period, density(star))
    values: list[float] = [found.period, found.epoch, 24 * found.duration, 1e6 * found.depth, snr]
    radius = star.radius * np.sqrt(max(found.depth, 1e-8)) * EARTHS
    values += [impact, float(radius), equilibrium(star, axis), star.teff, star.logg, star.radius]
    return dict(zip(SCALARS, values, strict=True))
