"""From a spectrum to the one dip that repeats: peaks, and which of them its events agree on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from science.transits.events import Noise, events, noise
from science.transits.lightcurve import Ephemeris, Floats, LightCurve
from science.transits.sweep import Spectrum

BANDS_PER_OCTAVE = 4
PEAKS_PER_BAND = 8


def peaks(spectrum: Spectrum, separation: float = 1e-3) -> list[int]:
    """Indices of the highest peaks of every band of periods, strongest first.

    Bands (a quarter octave each) keep the few thousand trial periods that share one deep glitch,
    all of them long, from crowding out a shallow planet at ten days.
    """
    band = np.floor(np.log2(spectrum.periods) * BANDS_PER_OCTAVE).astype(int)
    chosen: list[int] = []
    for one in np.unique(band):
        where = np.flatnonzero(band == one)
        chosen += _distinct(where, spectrum.snr[where], spectrum.periods[where], separation)
    return sorted(chosen, key=lambda i: -spectrum.snr[i])


def _distinct(where: np.ndarray, snr: Floats, periods: Floats, separation: float) -> list[int]:
    free = snr > 0
    chosen: list[int] = []
    while len(chosen) < PEAKS_PER_BAND and free.any():
        top = int(np.argmax(np.where(free, snr, -1.0)))
        chosen.append(int(where[top]))
        free &= np.abs(periods / periods[top] - 1) > separation
    return chosen


def rank(
    lc: LightCurve, trials: list[Ephemeris], min_transits: int = 3
) -> list[tuple[float, Ephemeris]]:
    """Trial ephemerides by the SNR that all their events share, best first.

    ``Events.steady_snr`` decides, so one glitch and its thousand chance alignments sink to the
    bottom; ephemerides with fewer than ``min_transits`` observed events are dropped.
    """
    levels: dict[int, Noise] = {}
    ranked = []
    for trial in trials:
        step = round(4 * np.log2(trial.duration))
        if step not in levels:
            levels[step] = noise(lc, trial.duration)
        found = events(lc, trial, levels[step])
        if len(found) >= min_transits:
            depth = found.combined[0]
            ranked.append((found.steady_snr, replace(trial, depth=depth)))
    return sorted(ranked, key=lambda pair: -pair[0])
