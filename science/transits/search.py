"""Search a light curve for transits: flatten, sweep all periods, refine, mask, and again."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from science.core.errors import UserError
from science.transits.candidates import peaks, rank
from science.transits.events import NEVER, covered, masks, punctual
from science.transits.fit import fit
from science.transits.flatten import WINDOW, flatten
from science.transits.grid import period_range, transit_duration, trial_periods
from science.transits.lightcurve import Ephemeris, LightCurve
from science.transits.measure import chance, measure
from science.transits.refine import Method, refine
from science.transits.signal import Signal, harmonics
from science.transits.sweep import Spectrum, sweep

MOST_POINTS = 150_000
"""Longer light curves are averaged before the search: ten years of 30-min data still fit."""

LEAST_SNR: dict[Method, float] = {"tls": 6.0, "bls": 6.5}
"""In white noise the highest of a four-year search's trials is about 5.6. Boxes need more, because
slow noise suits them better than transit shapes. The Kepler mission's 7.1 is for 200,000 stars."""

FEWEST = 50
OVERSAMPLING = 3.0
STRONG = 12.0  # SNR from which a signal says where it is better than the first flattening
LONGER = 1.2  # times the masked duration: the margins of mask and flattening end at 1.56
REFINED = 12  # trial signals that the slower fit looks at
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class _Plan:
    """What stays the same through all rounds of one search."""

    method: Method
    min_snr: float
    min_transits: int
    range: tuple[float, float]
    window: float | None
    threads: int
    progress: Progress | None


def search(
    lc: LightCurve,
    method: Method = "tls",
    *,
    max_planets: int = 1,
    periods: tuple[float, float] | None = None,
    known: Sequence[Ephemeris] = (),
    min_snr: float | None = None,
    min_transits: int | None = None,
    window: float | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> list[Signal]:
    """Find periodic transits, strongest first.

    Every round flattens the light curve anew with the events of all known and found planets kept
    out of the trend, leaves those events out, fits boxes at every trial period (``sweep``),
    refines the best dozen with transit shapes (``tls``) or boxes (``bls``), and keeps the one
    whose events agree best. The rounds end when nothing reaches ``min_snr``.

    Args:
        lc: not flattened; segments normalised.
        method: shape that refines period, epoch and duration. The sweep is the same for both.
        max_planets: most signals to return.
        periods: shortest and longest trial period [days]; else 0.6 d to where ``min_transits``
            events fit into the baseline.
        known: planets to mask before the first round; not returned.
        min_snr: least ``Signal.detection``; by default ``LEAST_SNR`` of the method.
        min_transits: events with data that a signal needs; 3 unless given, 2 for light curves
            shorter than 100 days.
        window: of the flattening [days]; its own default if None.
        threads: at most all cores, which is also the default.
        progress: called with the step's name and the share of it that is done.

    Raises:
        UserError: too few points, or a range of periods that the light curve cannot show.
    """
    if len(lc) < FEWEST or not lc.baseline > 0:
        raise UserError(
            f"{lc.target}: {len(lc)} usable points are too few to search",
            "check the file's flux column and quality flags",
        )
    if method not in LEAST_SNR:
        raise UserError(f"method={method!r} is unknown", f"use one of {', '.join(LEAST_SNR)}")
    least = min_transits or (3 if lc.baseline > 100 else 2)
    limits = period_range(lc, periods, least)
    cores = os.cpu_count() or 1
    threads = min(threads or cores, cores)
    snr = LEAST_SNR[method] if min_snr is None else min_snr
    plan = _Plan(method, snr, least, limits, window, threads, progress)
    lc = condense(lc)
    found: list[Signal] = []
    _report(plan, "flatten", 0.0)
    flat = flat_around(lc, known, window)
    while len(found) < max_planets:
        best = _round(lc, flat, [*known, *(s.ephemeris for s in found)], plan)
        if best is None:
            break
        signal, flat = best
        found.append(signal)
    return _all_settled(flat, found, known) if len(found) > 1 else found


def condense(lc: LightCurve, most: int = MOST_POINTS) -> LightCurve:
    """Average a light curve of more than ``most`` points in equal time bins; a note says so.

    The bins are as long as it takes for the filled ones to number about ``most`` (20-second data:
    usually a few minutes), and never join two segments.
    """
    if len(lc) <= most:
        return lc
    cadence = float(np.median(np.diff(lc.time)))
    width = math.ceil(len(lc) / most) * cadence
    bins = np.floor((lc.time - lc.time[0]) / width).astype(np.int64)
    key = np.flatnonzero(np.diff(bins, prepend=-1) | np.diff(lc.segment, prepend=lc.segment[0]))
    count = np.diff(key, append=len(lc))
    error = np.sqrt(np.add.reduceat(lc.error**2, key)) / count
    note = f"{len(lc)} points were averaged to {len(key)} of {width * 1440:.3g} min for the search"
    return replace(
        lc,
        time=np.add.reduceat(lc.time, key) / count,
        flux=np.add.reduceat(lc.flux, key) / count,
        error=error,
        segment=lc.segment[key],
        exposure=max(lc.exposure, width),
        notes=(*lc.notes, note),
    )


def flat_around(
    lc: LightCurve, planets: Sequence[Ephemeris], window: float | None = None
) -> LightCurve:
    """Flatten with the events of planets kept out of the trend, late ones where they are.

    Late events are looked for on a first flattening that knows only when they are due; a second
    one follows only if there are any.
    """
    wide = [replace(p, duration=1.3 * p.duration) for p in planets]
    first = flatten(lc, events=wide, window=window or WINDOW)
    late = [event for event in _hidden(first, planets) if event.period == NEVER]
    return flatten(lc, events=[*wide, *late], window=window or WINDOW) if late else first


def without(flat: LightCurve, planets: Sequence[Ephemeris]) -> LightCurve:
    """A flattened light curve less the points in the planets' events, late ones included."""
    return flat.select(~covered(flat, _hidden(flat, planets)))


def _hidden(flat: LightCurve, planets: Sequence[Ephemeris]) -> list[Ephemeris]:
    """Masks of all planets, the deepest first: no shallow one is moved onto a deep one's event."""
    hidden: list[Ephemeris] = []
    for planet in sorted(planets, key=lambda p: -np.nan_to_num(p.depth)):
        hidden += masks(flat.select(~covered(flat, hidden)), planet)
    return hidden


def _round(
    lc: LightCurve, flat: LightCurve, others: Sequence[Ephemeris], plan: _Plan
) -> tuple[Signal, LightCurve] | None:
    """The strongest signal beside ``others``, and the light curve flattened around it as well."""
    clean = without(flat, others)
    if len(clean) < FEWEST:
        return None
    spectrum = _sweep(clean, plan)
    trials = rank(clean, [spectrum.ephemeris(i) for i in peaks(spectrum)], plan.min_transits)
    detection, best = _refined(clean, [e for _, e in trials[:REFINED]], plan)
    _report(plan, "refine", 1.0)
    if detection < plan.min_snr:
        return None
    _report(plan, "flatten", 0.0)
    flat = flat_around(lc, [*others, best], plan.window)
    signal = _measured(without(flat, others), (detection, best), others, spectrum, plan)
    if signal.ephemeris.duration > LONGER * best.duration:
        # The mask was too short, so the trend has eaten the transit's ends.
        flat = flat_around(lc, [*others, signal.ephemeris], plan.window)
        signal = _settled(without(flat, others), signal, others)
    return signal, flat


def _sweep(clean: LightCurve, plan: _Plan) -> Spectrum:
    grid = trial_periods(clean.baseline, *plan.range, clean.star, OVERSAMPLING)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        _report(plan, "search", done / len(grid))

    return sweep(clean, grid, plan.threads, advance)


def _refined(clean: LightCurve, trials: list[Ephemeris], plan: _Plan) -> tuple[float, Ephemeris]:
    """The best of the trials as refined, and the SNR that its events share; 0 without trials.

    The refined shape alone counts: slow noise suits a wide box better than any transit.
    """
    fitted = []
    for i, trial in enumerate(trials):
        _report(plan, "refine", i / len(trials))
        fitted.append(refine(clean, trial, plan.method, plan.threads))
    ranked = rank(clean, fitted, plan.min_transits) or rank(clean, trials, plan.min_transits)
    return ranked[0] if ranked else (0.0, Ephemeris(1.0, 0.0, 0.1))


def _measured(
    lc: LightCurve,
    winner: tuple[float, Ephemeris],
    others: Sequence[Ephemeris],
    spectrum: Spectrum,
    plan: _Plan,
) -> Signal:
    """Measure a signal on a flattening that knows of it and so has not eaten it.

    Only a strong signal is refined again there: a weak one would follow the slow noise that the
    trend no longer takes out under its mask, from which its SNR gains as well. That is why
    ``detection`` decides and not the SNR measured here.
    """
    detection, best = winner
    if detection > STRONG:
        best = rank(lc, [refine(lc, best, plan.method, plan.threads), best], 1)[0][1]
    near = np.abs(spectrum.periods / best.period - 1) < 1e-3
    orbits = spectrum.periods / transit_duration(spectrum.periods, lc.star)
    trials = float(orbits.sum()) / OVERSAMPLING
    periods, power = spectrum.thin()
    signal = Signal(
        _first(best, float(lc.time[0])),
        detection=detection,
        sde=float(np.max(spectrum.sde()[near], initial=0.0)),
        fap=chance(detection, trials),
        measurement=measure(lc, best),
        method=plan.method,
        periods=periods,
        power=power,
    )
    return _settled(lc, signal, others)


def _settled(lc: LightCurve, signal: Signal, others: Sequence[Ephemeris]) -> Signal:
    """A signal measured on a flattened light curve that is free of ``others``' events."""
    found = fit(lc, signal.ephemeris)
    best = signal.ephemeris
    if found is not None and found.sound:
        best = _first(found.ephemeris, float(lc.time[0]))
    else:
        found = signal.fit
    regular, late = punctual(lc, best)
    result = measure(regular, best)
    flags = [*result.flags, *harmonics(best.period, others)]
    if late:
        flags.append(f"{late} of {result.transits} transits late or early")
    best = replace(best, depth=result.depth)
    return replace(signal, ephemeris=best, measurement=result, flags=tuple(flags), fit=found)


def _all_settled(
    flat: LightCurve, found: Sequence[Signal], known: Sequence[Ephemeris]
) -> list[Signal]:
    """Every signal measured again without the others, for the first of them were not known yet."""
    settled = []
    for i, signal in enumerate(found):
        others = [*known, *(s.ephemeris for j, s in enumerate(found) if j != i)]
        earlier = [*known, *(s.ephemeris for s in found[:i])]
        settled.append(_settled(without(flat, others), signal, earlier))
    return settled


def _first(ephemeris: Ephemeris, start: float) -> Ephemeris:
    """The same events counted from the first one after ``start``."""
    number = math.ceil((start - ephemeris.epoch) / ephemeris.period)
    return replace(ephemeris, epoch=ephemeris.epoch + number * ephemeris.period)


def _report(plan: _Plan, step: str, share: float) -> None:
    if plan.progress is not None:
        plan.progress(step, min(share, 1.0))
