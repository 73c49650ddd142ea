"""A state to forecast from, and what happened then: the run of one layer of air that judges."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from science.weather.windows import WindowData

CARD = "weather/simulated-barotropic"
START, DAYS = 20, 7  # day of the run that the state is of; days of truth after it


def write(folder: Path) -> list[Path]:
    """Write ``start.nc`` and ``truth.nc``; no network learns from that run by default."""
    series = WindowData(CARD).series
    last = np.flatnonzero(series.run == series.run.max())
    per_day = int(np.timedelta64(1, "D") / series.step)
    begin = START * per_day
    folder.mkdir(parents=True, exist_ok=True)
    start, truth = folder / "start.nc", folder / "truth.nc"
    series.dataset(last[begin : begin + 1]).to_netcdf(start, engine="netcdf4")
    series.dataset(last[begin : begin + DAYS * per_day + 1]).to_netcdf(truth, engine="netcdf4")
    return [start, truth]
