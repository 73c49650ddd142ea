"""Judge forecasts in a store against what happened, lead by lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core.errors import UserError
from science.weather import metrics
from science.weather.climatology import Climatology
from science.weather.grid import Grid
from science.weather.read import loaded, read
from science.weather.states import channel, channels
from science.weather.stored import LEAD

if TYPE_CHECKING:
    import xarray as xr

Fields = NDArray[np.float32]
_DAY = np.timedelta64(24, "h")


@dataclass(frozen=True)
class Pair:
    """One channel of forecasts, and what happened.

    Attributes:
        name: of the channel.
        leads: (leads,) time since the start.
        members: (members, starts, leads, lat, lon).
        truth: (starts, leads, lat, lon); ``nan`` where nobody knows it yet.
        usual: of the same shape, or ``None`` without a history.
        high: (lat, lon) 95th percentile of the history, or ``None``.
        grid: of the maps.
    """

    name: str
    leads: NDArray[np.timedelta64]
    members: Fields
    truth: Fields
    usual: Fields | None
    high: Fields | None
    grid: Grid

    def known(self, lead: int) -> NDArray[np.bool_]:
        """(starts,): where the truth at a lead is there."""
        return np.asarray(np.isfinite(self.truth[:, lead]).all((-1, -2)), dtype=np.bool_)


def opened(store: str | Path) -> xr.Dataset:
    """A store of forecasts: (time, [member,] prediction_timedelta, [level,] lat, lon).

    Raises:
        UserError: it is none.
    """
    import xarray as xr

    path = str(store)
    try:
        found = (
            xr.open_zarr(path, consolidated=False)
            if path.rstrip("/").endswith(".zarr")
            else xr.open_dataset(path)
        )
    except (OSError, ValueError, KeyError) as problem:
        raise UserError(
            f"{path}: no forecast can be read: {problem}",
            "give the store that `fifth weather forecast` wrote",
        ) from None
    missing = [n for n in ("time", LEAD, "lat", "lon") if n not in found.dims]
    if missing:
        cure = f"forecasts are (time, [member,] {LEAD}, [level,] lat, lon)"
        raise UserError(f"{path}: no dimension {', '.join(missing)}", cure)
    return found


def pairs(
    forecast: xr.Dataset,
    truth: str | Path,
    names: Sequence[str] | None = None,
    history: str | Path | None = None,
) -> list[Pair]:
    """Channels that a store of forecasts and a file of truth share, brought together.

    Raises:
        UserError: they share no channel, no grid, or no time.
    """
    known = read(truth)
    grid = Grid.of(forecast)
    grid.check(Grid.of(known), str(truth))
    shared = [n for n in channels(forecast) if n in channels(known)]
    wanted = list(names or shared)
    missing = [n for n in wanted if n not in shared]
    if missing or not wanted:
        cure = f"both have {', '.join(shared) or 'no channel in common'}"
        raise UserError(f"{truth}: {', '.join(missing) or 'no channel'} cannot be judged", cure)
    starts = forecast["time"].values.astype("datetime64[s]")
    leads = forecast[LEAD].values.astype("timedelta64[s]")
    valid = starts[:, None] + leads
    times = known["time"].values.astype("datetime64[s]")
    row = np.searchsorted(times, valid).clip(max=len(times) - 1)
    there = times[row] == valid
    if not there[:, 1:].any():
        span = f"{times[0]} to {times[-1]}"
        raise UserError(f"{truth}: nothing at the forecasts' times", f"it has {span}")
    past = None if history is None else read(history)
    return [_pair(forecast, known, past, n, row, there, valid, grid) for n in wanted]


def _pair(
    forecast: xr.Dataset,
    known: xr.Dataset,
    past: xr.Dataset | None,
    name: str,
    row: NDArray[np.int64],
    there: NDArray[np.bool_],
    valid: NDArray[np.datetime64],
    grid: Grid,
) -> Pair:
    made = channel(forecast, name)
    if "member" not in made.dims:
        made = made.expand_dims("member")
    members = made.transpose("member", "time", LEAD, "lat", "lon").values
    rows = np.unique(row[there])
    picked = loaded(known.isel(time=rows)[[n for n in known.data_vars if _of(str(n), name)]])
    values = channel(picked, name, str(known.attrs.get("source_file", ""))).values
    truth = values[np.searchsorted(rows, row).clip(max=len(rows) - 1)]
    truth[~there] = np.nan
    usual = high = None
    if past is not None:
        series = channel(past, name).values[:, None]
        when = past["time"].values.astype("datetime64[s]")
        waves = 3 if np.ptp(when) > 300 * _DAY else 0
        usual = Climatology.fit(series, when, waves).at(valid)[:, :, 0]
        high = np.percentile(series[:, 0], 95, axis=0).astype(np.float32)
    leads = forecast[LEAD].values.astype("timedelta64[s]")
    return Pair(name, leads, members, truth, usual, high, grid)


def _of(variable: str, name: str) -> bool:
    from science.weather.variables import split

    return variable == split(name)[0]


def scores(pair: Pair) -> pd.DataFrame:
    """A row for each lead at which the truth is known.

    ``rmse`` and ``bias`` of the ensemble's mean; ``acc`` and ``brier_skill`` with a history;
    ``crps`` and ``spread_skill`` of ensembles; ``energy_15`` is the members' zonal energy at
    wavenumber 15, 30 to 60 degrees, over the truth's.
    """
    rows = []
    for lead, time in enumerate(pair.leads):
        known = pair.known(lead)
        if time and known.any():
            hours = time / np.timedelta64(1, "h")
            row = {"channel": pair.name, "lead_h": hours, "forecasts": int(known.sum())}
            rows.append(row | _scores(pair, lead, known))
    return pd.DataFrame(rows)


def _scores(pair: Pair, lead: int, known: NDArray[np.bool_]) -> dict[str, Any]:
    weight = pair.grid.weight
    members, truth = pair.members[:, known, lead], pair.truth[known, lead]
    mean = members.mean(0, dtype=np.float64)
    square = metrics.squared_error(mean, truth, weight)
    found: dict[str, Any] = {
        "rmse": float(np.sqrt(square.mean())),
        "bias": float(metrics.area_mean(mean - truth, weight).mean()),
    }
    if pair.usual is not None:
        usual = pair.usual[known, lead]
        found["acc"] = float(metrics.acc(mean, truth, usual, weight).mean())
    if len(members) > 1:
        found["crps"] = float(metrics.area_mean(metrics.crps(members, truth), weight).mean())
        variance = metrics.spread(members, weight)
        found["spread_skill"] = metrics.spread_skill(variance, square, len(members))
    if pair.high is not None:
        base = metrics.area_mean(np.square(0.05 - (truth > pair.high)), weight)
        ours = metrics.brier(members, truth, pair.high, weight)
        found["brier_skill"] = metrics.brier_skill(ours, base)
    if pair.grid.circular and truth.shape[-1] > 30:
        energy = [
            metrics.midlatitude_spectrum(f, pair.grid.lat)[..., 15].mean() for f in (members, truth)
        ]
        found["energy_15"] = float(energy[0] / energy[1])
    return found
