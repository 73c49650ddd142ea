"""What `fifth weather extremes` works out, from years of weather or from many forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from science.core.errors import UserError
from science.core.seeds import rng
from science.weather import storms
from science.weather.extremes import Levels, of_members, of_years
from science.weather.grid import Grid
from science.weather.read import loaded, only, read
from science.weather.risk import Calibration, calibration, chance
from science.weather.states import channel
from science.weather.stored import LEAD
from science.weather.verify import opened, pairs

if TYPE_CHECKING:
    import xarray as xr

Fields = NDArray[np.float32]
Array = NDArray[np.float64]
_YEAR = np.timedelta64(8766, "h")
_HOUR = np.timedelta64(1, "h")
APART = 72.0  # h between peaks of one storm and of the next


@dataclass(frozen=True)
class Past:
    """Years of one channel.

    Attributes:
        fields: (times, lat, lon).
        time: (times,).
        grid: of the maps.
        land: share of land, if the file has it.
    """

    fields: Fields
    time: NDArray[np.datetime64]
    grid: Grid
    land: Fields | None

    @property
    def per_year(self) -> float:
        """Times in a year."""
        return float(_YEAR / np.median(np.diff(self.time)))

    def levels(self, periods: Sequence[float], resamples: int, seed: int) -> Levels:
        """Return levels in years."""
        step = np.median(np.diff(self.time)) / _HOUR
        apart = max(1, round(APART / float(step)))
        return of_years(
            self.fields, self.per_year, periods, apart=apart, resamples=resamples, seed=seed
        )


def past(source: str, name: str) -> Past:
    """A channel of a file of weather.

    Raises:
        UserError: the file lacks it, or is no series.
    """
    dataset = loaded(only(read(source), [name]))
    fields = channel(dataset, name, source)
    if "time" not in fields.dims or fields.sizes["time"] < 3:
        raise UserError(f"{source}: {name} is no series in time", "give years of weather")
    land = dataset["lsm"].values if "lsm" in dataset else None
    time = fields["time"].values.astype("datetime64[s]")
    values = fields.transpose("time", "lat", "lon").values
    return Past(values, time, Grid.of(dataset), land)


@dataclass(frozen=True)
class Risk:
    """What forecasts say of a threshold, of their own extremes and of storm tracks.

    Attributes:
        leads: hours.
        chance: (starts, leads, lat, lon) of passing the threshold.
        judged: hours -> calibration, where the truth is known.
        worst: levels of the members' maxima over the whole forecast from the first start, or
            ``None`` for few members.
        tracks: (members, lat, lon), over all starts and leads.
        true: storm tracks of the truth, or ``None``.
        grid: of the maps.
    """

    leads: NDArray[np.float64]
    chance: Array
    judged: dict[float, Calibration]
    worst: Levels | None
    tracks: Array
    true: Array | None
    grid: Grid


def risk(
    store: str,
    name: str,
    threshold: Fields | float,
    usual: float | None,
    truth: str | None,
    periods: Sequence[float],
    resamples: int,
    seed: int,
) -> Risk:
    """Read a store of forecasts and work it out.

    Args:
        store: of forecasts.
        name: of the channel.
        threshold: a number in SI, or a map.
        usual: chance of passing it in the climatology; ``None`` for how often the truth passed it.
        truth: file of what happened.
        periods: members, once in which a level is passed.
        resamples: of the intervals.
        seed: of the resamples.

    Raises:
        UserError: the store lacks the channel, or does not fit the truth.
    """
    dataset = opened(store)
    fields = channel(dataset, name, store)
    if "member" not in fields.dims:
        fields = fields.expand_dims("member")
    members: Fields = fields.transpose("member", "time", LEAD, "lat", "lon").values
    grid, leads = Grid.of(dataset), dataset[LEAD].values
    said = chance(members, threshold)
    judged: dict[float, Calibration] = {}
    true = None
    if truth is not None:
        judged, true = _judged(dataset, name, said, threshold, usual, truth, resamples, seed)
    worst = None
    if len(members) >= 30:
        top = members[:, 0, 1:].max(1)
        worst = of_members(top, periods, resamples, seed)
    each = np.square(storms.tracks(members, leads)).mean(1)
    hours = leads / _HOUR
    return Risk(hours, said, judged, worst, np.sqrt(each), true, grid)


def _judged(
    dataset: xr.Dataset,
    name: str,
    said: Array,
    threshold: Fields | float,
    usual: float | None,
    truth: str,
    resamples: int,
    seed: int,
) -> tuple[dict[float, Calibration], Array | None]:
    (pair,) = pairs(dataset, truth, [name])
    starts = dataset["time"].values.astype("datetime64[D]").astype(np.int64)
    made = {}
    for k, lead in enumerate(pair.leads):
        known = pair.known(k)
        if lead and known.any():
            happened = pair.truth[known, k] > threshold
            base = float(happened.mean()) if usual is None else usual
            made[float(lead / _HOUR)] = calibration(
                said[known, k],
                happened,
                base,
                pair.grid.weight,
                starts[known] // 10,
                rng(seed, "starts"),
                resamples,
            )
    whole = np.isfinite(pair.truth).all((1, 2, 3))
    if not whole.any():
        return made, None
    each = np.square(storms.tracks(pair.truth[whole], pair.leads)).mean(0)
    return made, np.sqrt(each)


def judged_table(judged: dict[float, Calibration]) -> pd.DataFrame:
    """A row for each lead."""
    rows: list[dict[str, Any]] = [
        {
            "lead_h": lead,
            "brier": c.brier,
            "brier_skill": c.skill,
            "low": c.low,
            "high": c.high,
            "reliability": c.reliability,
            "resolution": c.resolution,
            "uncertainty": c.uncertainty,
        }
        for lead, c in judged.items()
    ]
    return pd.DataFrame(rows)


def is_forecast(source: str) -> bool:
    """Whether a file or store has lead times.

    Raises:
        UserError: it cannot be read.
    """
    from science.weather.read_open import opened as plain

    with plain(source) as dataset:
        return LEAD in dataset.dims
