"""The traditional forecast: the circulation model started from true states.

At T21 the model knows less than the truth it starts from, which is what real forecasts suffer; at
T31 with disturbed starts it gives the distribution that a perfect forecast would have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.seeds import rng
from science.weather.gcm import Circulation
from science.weather.regrid import conserve, truncate
from science.weather.simulate import read_state, surfaces
from science.weather.states import described
from science.weather.store import append
from science.weather.stored import LEAD
from science.weather.variables import GAS, GRAVITY

if TYPE_CHECKING:
    import xarray as xr

Tell = Callable[[int, int], None]
_SEASON = 45  # days


def forecasts(
    states: Sequence[Path],
    out: Path,
    truncation: int = 21,
    days: int = 7,
    members: int = 1,
    size: float = 0.1,
    every: int = 24,
    seed: int = 0,
    tell: Tell = lambda *_: None,
) -> Path:
    """Forecasts from saved states of the T31 model, written as they are made.

    Args:
        states: files that `simulate` kept, one a start.
        out: zarr store (time, [member,] prediction_timedelta, [level,] lat, lon) in the convention
            of WeatherBench 2; goes on where an earlier call was stopped.
        truncation: 21 or 31.
        days: of each forecast.
        members: 1 begins at the true state; more begin at disturbed ones (`disturbed`).
        size: of the disturbances, as a share of the difference between two states.
        every: hours between the leads that are kept, from 0.
        seed: of the disturbances.
        tell: called with forecasts done and forecasts in all.

    Returns:
        ``out``.

    Raises:
        UserError: no start, or a file is no state.
    """
    if not states:
        raise UserError("no state to start from", "give files of DIR/states, from simulate")
    if every % 6 or days * 24 % every:
        raise UserError(f"leads every {every} hours of {days} days", "give 6, 12 or 24")
    fine = Circulation(31)
    model = fine if truncation == 31 else Circulation(truncation)
    done = _done(out)
    for count, path in enumerate(sorted(states)):
        true = read_state(path)
        if true.time.values not in done:
            starts = _starts(true, path, members, size, seed)
            made = [_one(fine, model, start, days, every) for start in starts]
            append(out, _joined(made, true.time.values, members), 1)
        tell(count + 1, len(states))
    return out


def disturbed(
    true: xr.Dataset, others: Sequence[Path], members: int, size: float, seed: int
) -> list[xr.Dataset]:
    """States as an analysis might have them: the truth and a little of how two days differ.

    Differences of true states are in balance, so that they do not ring.

    Args:
        true: the state.
        others: files of states to take differences from: those of the same season if there are
            enough.
        members: how many.
        size: share of the difference.
        seed: of which two.

    Raises:
        UserError: fewer than two other states.
    """
    pool = _season(np.datetime64(true.time.values, "D"), others)
    if len(pool) < 2:
        raise UserError("too few states to disturb a start with", "simulate more of the year")
    draw = rng(seed, "disturbed", str(true.time.values))
    made = []
    for _ in range(members):
        first, second = (read_state(pool[k]) for k in draw.choice(len(pool), 2, replace=False))
        state = true.copy()
        for name in ("z", "t", "u", "v", "q", "sp"):
            state[name] = true[name] + size * (first[name] - second[name]).variable
        state["q"] = state["q"].clip(min=0)
        made.append(state)
    return made


def coarser(state: xr.Dataset, fine: Circulation, coarse: Circulation) -> xr.Dataset:
    """A state of the fine model on the coarse one's grid, over the coarse one's mountains."""
    import xarray as xr

    shape, top = coarse.grid.shape, coarse.truncation
    smooth = {n: truncate(state[n].values, *shape, top) for n in ("z", "t", "u", "v", "q")}
    ground = truncate(fine.orography, *shape, top)
    pressure = np.exp(truncate(np.log(state["sp"].values), *shape, top))
    lift = GRAVITY * (coarse.orography - ground) / (GAS * smooth["t"][-1])
    layered = {n: (("sigma", "lat", "lon"), field) for n, field in smooth.items()}
    flat = {n: conserve(state[n].values, fine.grid, coarse.grid) for n in ("tp", "sst", "ci")}
    flat["sp"] = pressure * np.exp(-lift)
    arrays = layered | {n: (("lat", "lon"), field) for n, field in flat.items()}
    coords = {"time": state.time, "sigma": state.sigma}
    return xr.Dataset(arrays, {**coords, "lat": coarse.grid.lat, "lon": coarse.grid.lon})


def _one(
    fine: Circulation, model: Circulation, start: xr.Dataset, days: int, every: int
) -> xr.Dataset:
    import xarray as xr

    begin = start if model is fine else coarser(start, fine, model)
    frames = model.forecast(begin, days)
    kept = frames.isel(time=slice(every // 6 - 1, None, every // 6))
    parts = [surfaces(fine, start.expand_dims("time")), surfaces(model, kept)]
    known = ["orog", "lsm", "sst", "ci", "solar"]
    moved = xr.concat([p.drop_vars(known) for p in parts], "time").rename(time=LEAD)
    lead = np.arange(0, days * 24 + 1, every) * np.timedelta64(1, "h").astype("timedelta64[ns]")
    return moved.assign_coords({LEAD: lead})


def _starts(true: xr.Dataset, path: Path, members: int, size: float, seed: int) -> list[xr.Dataset]:
    if members == 1:
        return [true]
    others = [p for p in sorted(path.parent.glob("*.nc")) if p != path]
    return disturbed(true, others, members, size, seed)


def _joined(made: list[xr.Dataset], time: np.datetime64, members: int) -> xr.Dataset:
    import xarray as xr

    if members == 1:
        return described(made[0].expand_dims(time=[time]))
    whole = xr.concat(made, "member").assign_coords(member=np.arange(members))
    return described(whole.expand_dims(time=[time]))


def _done(out: Path) -> NDArray[np.datetime64]:
    import xarray as xr

    if not out.exists():
        return np.array([], "datetime64[ns]")
    with xr.open_zarr(out, consolidated=False) as store:
        done: NDArray[np.datetime64] = store.time.values
        return done


def _season(day: np.datetime64, others: Sequence[Path]) -> list[Path]:
    """Files of the same time of any year; of all if those are fewer than ten."""
    dates = np.array([np.datetime64(path.stem) for path in others], "datetime64[D]")
    away = np.abs((dates - day).astype(np.int64))
    around = np.minimum(away % 365, 365 - away % 365)
    near = [p for p, a, r in zip(others, away, around, strict=True) if r <= _SEASON and a >= 10]
    return near if len(near) >= 10 else list(others)
