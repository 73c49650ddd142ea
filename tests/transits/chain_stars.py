"""Stars and a stand-in for the network that the tests of the chain share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from science.transits.chain import Judge
from science.transits.lightcurve import Ephemeris, LightCurve, Star

PLANET = Ephemeris(7.3131, 3.21, 0.16, 1.2e-3)
SECOND = Ephemeris(11.877, 5.4, 0.19, 9e-4)


def curve(*planets, sigma=1e-4, days=90.0, seed=5, target="KIC-12345", wave=1e-3, **known):
    """A slowly turning star in two segments with a gap; trapezoid transits."""
    time = np.arange(0, days, 1 / 48)
    time = time[np.abs(time - 47) > 1.0]
    flux = 1 + sigma * np.random.default_rng(seed).standard_normal(len(time))
    flux += wave * np.sin(2 * np.pi * time / 17)
    for planet in planets:
        edge = 1 - np.abs(planet.phase(time)) / (planet.duration / 2)
        flux -= planet.depth * np.clip(edge / 0.15, 0, 1)
    known = {"mission": "Kepler", "star": Star(5700.0, 4.4, 1.0, 1.0, 13.0)} | known
    segment = (time > 47).astype(np.int64)
    return LightCurve(time, flux, np.full(len(time), sigma), segment, target=target, **known)


def write(lc, path):
    """The light curve as a CSV that the reader takes."""
    pd.DataFrame({"time": lc.time, "flux": lc.flux}).to_csv(path, index=False)
    return path


def score(inputs):
    """A dip in the middle of the local view, with an SNR above fifteen: like a planet."""
    dip = -np.nan_to_num(inputs["local_view"])[:, 20:41].mean(1)
    snr = np.maximum(np.nan_to_num(inputs["own"][:, 4], nan=15.0), 0.1)
    value = 1 / (1 + np.exp(-(2 * np.log(snr / 15) + 2 * dip - 0.5)))
    return value, 0.1 * value * (1 - value)


JUDGE = Judge("stand-in", score)
