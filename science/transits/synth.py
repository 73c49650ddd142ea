"""Simulated light curves of known truth: planets, binaries, blends, variable stars, bad pixels.

The star, its orbit and its light follow physics (``population``, ``transit_model``,
``variability``), the time stamps and the noise the mission (``instrument``). ``simulate`` gives raw
light curves to search; ``science.transits.synth_views`` gives many labelled view sets quickly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.seeds import rng as stream
from science.transits import instrument
from science.transits.instrument import Artefact, Mission
from science.transits.lightcurve import Ephemeris, Floats, LightCurve, Star
from science.transits.population import Binary, Planet, draw_binary, draw_planet, draw_star
from science.transits.variability import pulsation, stellar

Kind = Literal["planet", "eb", "blend", "variable", "noise", "systematic"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LABELS: dict[str, str] = {
    "planet": "PC",
    "eb": "AFP",
    "blend": "AFP",
    "variable": "AFP",
    "noise": "NTP",
    "systematic": "NTP",
}
"""Class of each kind in the terms of the Kepler Autovetter (Catanzarite 2015, KSCI-19105)."""


@dataclass(frozen=True)
class Truth:
    """What was put into a simulated light curve.

    Attributes:
        kind: one of ``KINDS``; label: PC, AFP or NTP.
        star: the target.
        ephemeris: of the transits or primary eclipses; None where nothing recurs.
        body: the planet or binary, if any.
        values: further numbers, by name (units in the name).
    """

    kind: Kind
    label: str
    star: Star
    ephemeris: Ephemeris | None = None
    body: Planet | Binary | None = None
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Simulated:
    """A light curve with its truth."""

    lightcurve: LightCurve
    truth: Truth


def simulate(
    seed: int,
    kind: Kind = "planet",
    *,
    mission: Mission = "Kepler",
    baseline: float = 372.0,
    star: Star | None = None,
    body: Planet | Binary | None = None,
    activity: float = 1.0,
) -> Simulated:
    """One raw light curve; the same arguments give the same light curve.

    Args:
        seed: of everything random.
        kind: what dims the star.
        mission: whose time stamps, gaps, noise and limb darkening.
        baseline: length of the observation [days].
        star: the target; drawn if None.
        body: the planet or binary; drawn if None (only for planet, eb, blend).
        activity: scales granulation and spots; 0 leaves the star constant and needs no celerite2.

    Raises:
        UserError: an unknown kind, or celerite2 is needed and absent.
    """
    if kind not in KINDS:
        raise UserError(f"there is no simulated kind '{kind}'", f"one of {', '.join(KINDS)}")
    rng = stream(seed, "transits", kind)
    star = star or draw_star(rng, hot=0.6 if kind == "variable" else 0.1)
    time, segment = instrument.cadences(rng, baseline, mission)
    exposure = instrument.SCHEDULES[mission].cadence
    truth = _truth(rng, kind, star, body, (float(time[0]), baseline), mission)
    flux = signal(rng, truth, time, exposure)
    noise = instrument.point_noise(instrument.cdpp(star.magnitude, mission), exposure)
    flux = flux + noise * rng.standard_normal(len(time))
    flux = flux + _outliers(rng, time, noise)
    flux = flux * instrument.offsets(rng, time, segment)
    if activity > 0:
        flux = flux * (1 + _activity(rng, time, star, activity))
    return Simulated(_observed(seed, truth, mission, (time, flux, segment), noise), truth)


def signal(rng: np.random.Generator, truth: Truth, time: Floats, exposure: float) -> Floats:
    """Relative flux of the star's companion, pulsation or the instrument's artefacts alone."""
    if truth.body is not None:
        return truth.body.flux(time, exposure)
    if truth.kind == "variable" and truth.ephemeris is not None:
        since = time - truth.ephemeris.epoch
        height = truth.values["amplitude"]
        return np.asarray(1 + pulsation(rng, since, truth.ephemeris.period, height))
    flux = np.ones(len(time))
    if truth.kind == "systematic":
        kinds: tuple[Artefact, ...] = get_args(Artefact)
        for _ in range(1 + rng.poisson(len(time) / 4000)):
            size = truth.values["amplitude"] * rng.lognormal(0, 0.7)
            kind = kinds[rng.integers(len(kinds))]
            flux += instrument.artefact(rng, time, kind, float(rng.choice(time)), size)
    return flux


def blend(rng: np.random.Generator, binary: Binary) -> Binary:
    """The same binary as a faint neighbour of the target: its share of the light is 0.3 to 30 %."""
    return replace(binary, dilution=float(np.exp(rng.uniform(np.log(0.003), np.log(0.3)))))


def _truth(
    rng: np.random.Generator,
    kind: Kind,
    star: Star,
    body: Planet | Binary | None,
    span: tuple[float, float],
    mission: Mission,
) -> Truth:
    start, baseline = span
    label, share = LABELS[kind], rng.uniform()
    if kind in ("planet", "eb", "blend"):
        if body is None:
            longest = 0.45 * baseline
            if kind == "planet":
                body = draw_planet(rng, star, mission=mission)
            else:
                body = draw_binary(rng, star, mission=mission)
            period = body.orbit.period
            while period > longest:
                period *= 0.5
            draw = {"period": period, "epoch": start + share * period, "mission": mission}
            body = _drawn(rng, kind, star, draw)
        depth = float(1 - body.flux(np.array([body.orbit.epoch]), 0.0)[0])
        duration = body.orbit.duration(body.ratio)
        event = Ephemeris(body.orbit.period, body.orbit.epoch, duration, depth)
        return Truth(kind, label, star, event, body, {"dilution": body.dilution})
    height = float(np.exp(rng.uniform(np.log(5e-5), np.log(5e-3))))
    if kind == "variable":
        period = float(np.exp(rng.uniform(np.log(0.15), np.log(6.0))))
        event = Ephemeris(period, start + share * period, 0.15 * period, 2 * height)
        return Truth(kind, label, star, event, None, {"amplitude": height})
    return Truth(kind, label, star, None, None, {"amplitude": height})


def _drawn(
    rng: np.random.Generator, kind: Kind, star: Star, how: Mapping[str, object]
) -> Planet | Binary:
    if kind == "planet":
        return draw_planet(rng, star, **how)  # type: ignore[arg-type]
    binary = draw_binary(rng, star, **how)  # type: ignore[arg-type]
    return blend(rng, binary) if kind == "blend" else binary


def _activity(rng: np.random.Generator, time: Floats, star: Star, scale: float) -> Floats:
    # Granulation of the Sun is about 20 ppm over hours and grows as 1/g (Kallinger et al. 2014);
    # cool dwarfs are spotted and turn in weeks.
    granulation = scale * 2.5e-5 * 10 ** (0.6 * (4.44 - star.logg)) * rng.lognormal(0, 0.3)
    spots = scale * np.exp(rng.normal(np.log(6e-4), 1.1)) * (1.5 if star.teff < 4800 else 1.0)
    rotation = float(np.clip(np.exp(rng.normal(np.log(16), 0.6)), 1.5, 60))
    return stellar(rng, time, granulation=float(granulation), spots=float(spots), rotation=rotation)


def _outliers(rng: np.random.Generator, time: Floats, noise: float) -> Floats:
    hit = rng.random(len(time)) < 3e-4
    size = noise * rng.exponential(8, len(time)) * np.where(rng.random(len(time)) < 0.7, 1, -1)
    return np.asarray(np.where(hit, size, 0.0))


def _observed(
    seed: int,
    truth: Truth,
    mission: Mission,
    points: tuple[Floats, Floats, NDArray[np.int64]],
    noise: float,
) -> LightCurve:
    time, flux, segment = points
    for number in np.unique(segment):
        part = segment == number
        flux[part] /= np.median(flux[part])
    plan = instrument.SCHEDULES[mission]
    return LightCurve(
        time,
        flux,
        np.full(len(time), noise),
        segment,
        target=f"simulated-{truth.kind}-{seed}",
        mission=mission,
        epoch_zero=plan.epoch_zero,
        exposure=plan.cadence,
        star=truth.star,
        notes=("simulated",),
    )
