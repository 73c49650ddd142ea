"""A light curve to try a search on, and what it should find: a simulated star with one planet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from science.core.seeds import rng
from science.transits.lightcurve import Star
from science.transits.population import draw_planet
from science.transits.synth import simulate

DAYS = 60.0  # of observation: some fourteen transits
PERIOD, EPOCH, RADIUS = 4.175, 2.5, 4.0  # days, days after the first point, Earth radii
SUN = Star(5772.0, 4.438, 1.0, 1.0, 12.0)


def write(folder: Path) -> list[Path]:
    """Write ``star.csv`` (time, flux, error) and ``truth.csv``, the planet that was put into it.

    ``truth.csv`` is a table as ``--ephemerides`` and ``--known`` take it, in days and on the
    light curve's own zero.
    """
    bare = simulate(0, "noise", baseline=DAYS, star=SUN, activity=0.0).lightcurve
    epoch = float(bare.time[0]) + EPOCH
    planet = draw_planet(rng(0, "example"), SUN, period=PERIOD, radius=RADIUS, epoch=epoch)
    made = simulate(0, "planet", baseline=DAYS, star=SUN, body=planet, activity=0.3)
    curve, event = made.lightcurve, made.truth.ephemeris
    assert event is not None  # noqa: S101 - a planet recurs
    star = pd.DataFrame({"time [bkjd]": curve.time, "flux": curve.flux, "flux_err": curve.error})
    truth = pd.DataFrame(
        {"period": [event.period], "epoch": [event.epoch], "duration": [event.duration]}
    )
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "star.csv", folder / "truth.csv"]
    for file, table in zip(files, (star, truth), strict=True):
        table.to_csv(file, index=False, float_format="%.10g")
    return files
