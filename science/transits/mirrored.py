"""How the public Kepler DR24 views were made, found by reproducing them to the last stored bit.

Those views (Fiscale et al. 2025, arXiv 2506.05556) come from light curves that were flattened by a
Savitzky-Golay filter and then clipped at three sigma. A clip of that kind cuts the floor out of a
deep transit, and a straight line bridges the hole. A network trained on such views must be shown
such views, so candidates found in a light curve pass through here on their way to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

from science.transits.lightcurve import Ephemeris, Floats, LightCurve
from science.transits.views import KEPLER, Views, views

WINDOW, ORDER, GAP = 101, 2, 5
CLIP, ROUNDS = 3.0, 5


def mirrored(lc: LightCurve, ephemeris: Ephemeris) -> Views:
    """Views of a signal in an unflattened light curve, made as the public DR24 views were."""
    return views(clip(flatten_mirrored(lc, [ephemeris])), ephemeris, KEPLER)


def flatten_mirrored(lc: LightCurve, events: Sequence[Ephemeris] = ()) -> LightCurve:
    """Divide by a Savitzky-Golay trend of 101 cadences, bridged across one duration per event.

    Three rounds, each leaving out what lay over three sigma from the last trend; the trend breaks
    where points are more than five cadences apart (the defaults of lightkurve's ``flatten``).
    """
    if len(lc) < 2:
        return lc
    free = np.ones(len(lc), bool)
    for event in events:
        free &= ~event.in_event(lc.time)
    use, trend = free, np.full(len(lc), np.median(lc.flux))
    for _ in range(3):
        if use.sum() <= ORDER:
            break
        trend = np.interp(lc.time, lc.time[use], _trend(lc.time[use], lc.flux[use]))
        residual = lc.flux - trend
        centre, spread = np.median(residual[use]), np.std(residual[use])
        use = free & (np.abs(residual - centre) < CLIP * spread)
    return lc.with_flux(lc.flux / trend, lc.error / trend)


def clip(lc: LightCurve) -> LightCurve:
    """Leave out points over three standard deviations from the median, up to five times."""
    keep: NDArray[np.bool_] = np.ones(len(lc), bool)
    for _ in range(ROUNDS):
        centre, spread = np.median(lc.flux[keep]), np.std(lc.flux[keep])
        inside = np.abs(lc.flux - centre) < CLIP * spread
        if not inside.any() or np.array_equal(inside, keep):
            break
        keep = inside
    return lc.select(keep)


def _trend(time: Floats, flux: Floats) -> Floats:
    steps = np.diff(time)
    cuts = np.flatnonzero(steps > GAP * np.median(steps)) + 1
    parts = []
    for part in np.split(flux, cuts):
        window = min(WINDOW, len(part) - 1 + len(part) % 2)
        if window > ORDER:
            parts.append(savgol_filter(part, window, ORDER))
        else:
            parts.append(np.full(len(part), np.median(part)))
    trend: Floats = np.concatenate(parts)
    return trend
