"""Injection, inversion and scrambling: what a search and its vetting find, miss and make up.

As the Kepler mission measured its own catalogue (Christiansen et al. 2020, AJ 160, 159; Coughlin
2017, KSCI-19114; Thompson et al. 2018, ApJS 235, 38): planets put into real light curves before
they are flattened give the completeness; light curves turned upside down or cut and reordered hold
real noise but no planet, and give the reliability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.seeds import rng as stream
from science.transits.lightcurve import Ephemeris, LightCurve, Star
from science.transits.population import EARTHS, Planet, density
from science.transits.transit_model import Orbit, limb_darkening, scaled_axis

Trial = Literal["injected", "observed", "inverted", "scrambled"]
Progress = Callable[[int, int], None]


class Found(Protocol):
    """What a search returns one of per signal."""

    @property
    def ephemeris(self) -> Ephemeris:
        """When it recurs."""
        ...

    @property
    def snr(self) -> float:
        """Its signal to noise ratio."""
        ...


Search = Callable[[LightCurve], Sequence[Found]]
"""A search of a raw light curve; with several workers, a function that can be imported."""
Vet = Callable[[LightCurve, Sequence[Found]], Sequence[float] | NDArray[Any]]
"""Scores of found signals, planets high."""


@dataclass(frozen=True)
class Range:
    """Where injected planets are drawn from, uniformly in the logarithm.

    Units: period [days], radius [Earth]; impact parameters are uniform up to ``impact``.
    """

    period: tuple[float, float] = (0.7, 100.0)
    radius: tuple[float, float] = (0.7, 12.0)
    impact: float = 0.95


class _Job(NamedTuple):
    lc: LightCurve
    kind: Trial
    planet: Planet | None = None
    trial: int = 0


@dataclass(frozen=True)
class _Chain:
    search: Search
    vet: Vet | None
    threshold: float


def inject(lc: LightCurve, planet: Planet, supersample: int = 7) -> LightCurve:
    """The light curve of the same star with a planet, for flattening and search afterwards."""
    flux = planet.flux(lc.time, lc.exposure, supersample)
    return replace(lc.with_flux(lc.flux * flux), notes=(*lc.notes, "a planet was injected"))


def invert(lc: LightCurve) -> LightCurve:
    """Upside down: dips become bumps, and what looks like a transit now is none."""
    return replace(lc.with_flux(2 - lc.flux), notes=(*lc.notes, "inverted"))


def scramble(lc: LightCurve, rng: np.random.Generator) -> LightCurve:
    """The segments in another order, so that no planet with several transits keeps its period.

    Each segment keeps its inner times; the gaps between neighbouring places keep theirs. The order
    drawn is never the old one. Raises ``UserError`` for a light curve of a single segment.
    """
    cuts = np.flatnonzero(np.diff(lc.segment)) + 1
    parts = np.split(np.arange(len(lc)), cuts)
    if len(parts) < 2:
        raise UserError(
            f"{lc.target}: one segment cannot be scrambled", "give several quarters or sectors"
        )
    gaps = lc.time[cuts] - lc.time[cuts - 1]
    order = rng.permutation(len(parts))
    while np.array_equal(order, np.arange(len(parts))):
        order = rng.permutation(len(parts))
    time, start = np.empty(len(lc)), float(lc.time[0])
    for place, number in enumerate(order):
        part = parts[number]
        time[part] = start + lc.time[part] - lc.time[part[0]]
        if place < len(gaps):
            start = float(time[part[-1]] + gaps[place])
    moved = replace(lc, time=time, notes=(*lc.notes, "scrambled"))
    return moved.select(np.concatenate([parts[number] for number in order]))


def draw(rng: np.random.Generator, lc: LightCurve, limits: Range | None = None) -> Planet:
    """A planet for this star on a circular orbit; the Sun stands in where the star is unknown."""
    limits = limits or Range()
    star = _filled(lc.star)
    period = float(np.exp(rng.uniform(*np.log(limits.period))))
    radius = float(np.exp(rng.uniform(*np.log(limits.radius))))
    ratio = radius / EARTHS / star.radius
    axis = max(scaled_axis(period, density(star)), 1.2 + ratio)
    epoch = float(lc.time[0] + rng.uniform(0, period))
    orbit = Orbit(period, epoch, axis, float(rng.uniform(0, limits.impact)))
    return Planet(orbit, ratio, limb_darkening(star.teff, lc.mission))


def recovery(
    stars: Sequence[LightCurve],
    search: Search,
    vet: Vet | None = None,
    *,
    limits: Range | None = None,
    trials: int = 20,
    threshold: float = 0.5,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Inject ``trials`` planets into each star, one at a time, and look for them.

    One row per injection: target, trial, period, epoch, duration [days], radius [Earth], impact,
    depth, expected_snr (white noise), found (a signal with that period and epoch), found_period,
    found_snr, score, passed (found and, if there is a ``vet``, score >= ``threshold``), problem.
    """
    jobs = [
        _Job(lc, "injected", draw(stream(seed, "inject", star, trial), lc, limits), trial)
        for star, lc in enumerate(stars)
        for trial in range(trials)
    ]
    rows = _all(_Chain(search, vet, threshold), jobs, workers, progress)
    return pd.DataFrame([row for part in rows for row in part])


def alarms(
    stars: Sequence[LightCurve],
    search: Search,
    vet: Vet | None = None,
    *,
    kinds: Sequence[Trial] = ("observed", "inverted", "scrambled"),
    threshold: float = 0.5,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """What the chain finds in the light curves as they are, upside down and reordered.

    One row per signal: target, kind, period, epoch, duration, snr, score, passed, problem. Known
    planets should be masked out of ``stars`` first, or inversion is judged on their bumps.
    """
    jobs = []
    for star, lc in enumerate(stars):
        for kind in kinds:
            if kind == "scrambled" and len(np.unique(lc.segment)) < 2:
                continue
            turned = {"inverted": invert, "observed": _same}.get(kind) or partial(
                scramble, rng=stream(seed, "scramble", star)
            )
            jobs.append(_Job(turned(lc), kind))
    rows = _all(_Chain(search, vet, threshold), jobs, workers, progress)
    columns = ["target", "kind", "period", "epoch", "duration", "snr", "score", "passed", "problem"]
    return pd.DataFrame([row for part in rows for row in part], columns=columns)


def expected_snr(lc: LightCurve, planet: Planet) -> float:
    """Signal to noise of a matched filter if the noise were white: from point-to-point scatter.

    Gaps lower it. Red noise and flattening make what a search reports smaller.
    """
    lost = 1 - planet.flux(lc.time, lc.exposure, 3)
    steps = np.abs(np.diff(lc.flux))
    noise = 1.4826 * float(np.median(steps)) / 2**0.5 if len(steps) else np.nan
    return float(np.sqrt(np.sum(lost**2))) / noise


def matches(found: Ephemeris, true: Ephemeris, baseline: float) -> bool:
    """Whether two ephemerides are the same signal: half a duration apart at most, all along."""
    if abs(found.period / true.period - 1) > 0.02:
        return False
    drift = abs(found.period - true.period) * baseline / true.period
    offset = abs(float(true.phase(np.array([found.epoch]))[0]))
    window = 0.5 * max(true.duration, found.duration)
    return offset < window + drift and drift < 2 * window


def _all(
    chain: _Chain,
    jobs: Sequence[_Job],
    workers: int,
    progress: Progress | None,
) -> Iterator[list[dict[str, Any]]]:
    work = partial(_one, chain)
    if workers <= 1:
        for done, job in enumerate(jobs, 1):
            yield work(job)
            if progress is not None:
                progress(done, len(jobs))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done, rows in enumerate(pool.map(work, jobs), 1):
            yield rows
            if progress is not None:
                progress(done, len(jobs))


def _one(chain: _Chain, job: _Job) -> list[dict[str, Any]]:
    lc, kind, planet, trial = job
    given = lc if planet is None else inject(lc, planet)
    problem, signals, scores = "", [], np.zeros(0)
    try:
        signals = list(chain.search(given))
        if chain.vet is not None and signals:
            scores = np.asarray(chain.vet(given, signals), float)
    except UserError as error:
        problem = str(error)
    if len(scores) != len(signals):
        scores = np.full(len(signals), np.nan)
    judged = partial(_passes, chain)
    if planet is not None:
        row = _injected(lc, planet, signals, scores, judged)
        return [{"target": lc.target, "trial": trial, **row, "problem": problem}]
    empty = {"target": lc.target, "kind": kind, "problem": problem}
    rows: list[dict[str, Any]] = []
    for signal, score in zip(signals, scores, strict=True):
        event = signal.ephemeris
        when = {"period": event.period, "epoch": event.epoch, "duration": event.duration}
        told = {"snr": float(signal.snr), "score": float(score), "passed": judged(score)}
        rows.append({**empty, **when, **told})
    return rows or ([{**empty, "passed": False}] if problem else [])


def _injected(
    lc: LightCurve,
    planet: Planet,
    signals: Sequence[Found],
    scores: NDArray[Any],
    judged: Callable[[float], bool],
) -> dict[str, Any]:
    orbit, depth = planet.orbit, _depth(planet)
    true = Ephemeris(orbit.period, orbit.epoch, orbit.duration(planet.ratio), depth)
    hits = [i for i, s in enumerate(signals) if matches(s.ephemeris, true, lc.baseline)]
    best = hits[0] if hits else None
    return {
        "period": true.period,
        "epoch": true.epoch,
        "duration": true.duration,
        "radius": planet.ratio * _filled(lc.star).radius * EARTHS,
        "impact": orbit.impact,
        "depth": depth,
        "expected_snr": expected_snr(lc, planet),
        "found": best is not None,
        "found_period": np.nan if best is None else signals[best].ephemeris.period,
        "found_snr": np.nan if best is None else float(signals[best].snr),
        "score": np.nan if best is None else float(scores[best]),
        "passed": best is not None and judged(scores[best]),
    }


def _passes(chain: _Chain, score: float) -> bool:
    return chain.vet is None or bool(score >= chain.threshold)


def _depth(planet: Planet) -> float:
    return float(1 - planet.flux(np.array([planet.orbit.epoch]), 0.0)[0])


def _filled(star: Star) -> Star:
    sun: Mapping[str, float] = {"teff": 5772.0, "logg": 4.438, "radius": 1.0, "mass": 1.0}
    missing = {name: value for name, value in sun.items() if not np.isfinite(getattr(star, name))}
    return replace(star, **missing)


def _same(lc: LightCurve) -> LightCurve:
    return lc
