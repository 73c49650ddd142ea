"""Axes as the rest of the house has them: north to south, eastward from 0, in time order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError

if TYPE_CHECKING:
    import xarray as xr

Notes = list[str]
Row = NDArray[np.float64]


def put_right(dataset: xr.Dataset, file: str) -> tuple[xr.Dataset, Notes]:
    """The same with every axis in our order, and what was changed.

    Raises:
        UserError: an axis cannot be put in order.
    """
    notes: Notes = []
    for step in (_latitude, _longitude, _level, _time):
        dataset, told = step(dataset, file)
        notes += told
    known = [a for a in ("time", "member", "level", "lat", "lon") if a in dataset.dims]
    return dataset.transpose(..., *known, missing_dims="ignore"), notes


def _latitude(dataset: xr.Dataset, file: str) -> tuple[xr.Dataset, Notes]:
    lat = _values(dataset, "lat", file)
    if np.abs(lat).max(initial=0) > 90.001:
        raise UserError(f"{file}: latitudes reach {np.abs(lat).max():g}", "give degrees north")
    step = np.diff(lat)
    if len(lat) > 1 and (step > 0).all():
        return dataset.isel(lat=slice(None, None, -1)), ["turned latitude: north comes first"]
    if not (step < 0).all():
        raise UserError(f"{file}: latitudes are not in order", "sort the file: .sortby('lat')")
    return dataset, []


def _longitude(dataset: xr.Dataset, file: str) -> tuple[xr.Dataset, Notes]:
    notes: Notes = []
    lon = _values(dataset, "lon", file)
    step = np.diff(lon)
    if len(lon) > 1 and not (step > 0).all():
        # One step back is a region that crosses the seam; more is disorder.
        if (step <= 0).sum() > 1 or not (np.diff(_unwrapped(lon)) > 0).all():
            raise UserError(f"{file}: longitudes are not in order", "sort the file: .sortby('lon')")
        lon = _unwrapped(lon)
        notes.append("longitudes go on beyond their seam")
    if len(lon) > 2 and np.isclose(lon[-1] - lon[0], 360, atol=1e-3):
        dataset, lon = dataset.isel(lon=slice(None, -1)), lon[:-1]
        notes.append("left out the last longitude, which is the first again")
    step = np.diff(lon)
    if len(step) and not np.allclose(step, step.mean(), rtol=0.02):
        raise UserError(f"{file}: longitudes are not evenly spaced", "regrid it to an even grid")
    if len(step) and np.isclose(len(lon) * step.mean(), 360, rtol=1e-3):
        place = np.argsort(lon % 360, kind="stable")
        if place[0] or (lon < 0).any() or (lon >= 360).any():
            notes.append("longitudes from 0 to 360")
        return dataset.isel(lon=place).assign_coords(lon=(lon % 360)[place]), notes
    shift = -360.0 * np.floor(lon[0] / 360)
    if shift:
        notes.append("longitudes from 0 on")
    return dataset.assign_coords(lon=lon + shift), notes


def _level(dataset: xr.Dataset, file: str) -> tuple[xr.Dataset, Notes]:
    if "level" not in dataset.coords:
        return dataset, []
    if "level" not in dataset.dims:
        dataset = dataset.expand_dims("level")
    notes: Notes = []
    level = _values(dataset, "level", file)
    unit = str(dataset["level"].attrs.get("units", ""))
    if unit == "Pa" or (not unit and level.max() > 2000):
        level = level / 100
        notes.append("levels: Pa -> hPa")
    if len(set(level)) != len(level):
        raise UserError(f"{file}: a level is there twice", "leave one out")
    dataset = dataset.assign_coords(level=level)
    return dataset.sortby("level"), notes


def _time(dataset: xr.Dataset, file: str) -> tuple[xr.Dataset, Notes]:
    if "time" not in dataset.coords:
        return dataset, []
    notes: Notes = []
    if "time" not in dataset.dims:
        timed = [n for n in dataset.data_vars if dataset[n].dims]
        grown = dataset[timed].expand_dims("time")
        dataset = dataset.drop_vars(timed).merge(grown) if len(timed) < len(dataset) else grown
    dataset, told = _gregorian(dataset, file)
    time = dataset["time"].values
    if np.isnat(time).any():
        raise UserError(f"{file}: a time is missing", "leave those times out")
    if not (np.diff(time) > np.timedelta64(0)).all():
        dataset, more = _in_order(dataset, file)
        told += more
    gaps = _gaps(dataset["time"].values)
    return dataset, notes + told + gaps


def _in_order(dataset: xr.Dataset, file: str) -> tuple[xr.Dataset, Notes]:
    notes: Notes = []
    if (np.diff(dataset["time"].values) < np.timedelta64(0)).any():
        dataset = dataset.sortby("time")
        notes.append("sorted by time")
    _, first = np.unique(dataset["time"].values, return_index=True)
    twice = np.setdiff1d(np.arange(dataset.sizes["time"]), first)
    if len(twice):
        once, again = dataset.isel(time=twice - 1), dataset.isel(time=twice)
        if not again.drop_vars("time").equals(once.drop_vars("time")):
            when = np.datetime_as_string(dataset["time"].values[twice[0]], unit="m")
            problem = f"{file}: two different states at {when}"
            raise UserError(problem, "leave one of them out")
        notes.append(f"left out {len(twice)} times that were there twice")
    return dataset.isel(time=first), notes


def _gregorian(dataset: xr.Dataset, file: str) -> tuple[xr.Dataset, Notes]:
    """Times as numpy has them; dates of a calendar without leap days are dates all the same."""
    if dataset["time"].dtype.kind == "M":
        return dataset, []
    calendar = getattr(dataset["time"].values.ravel()[0], "calendar", None)
    if calendar in ("noleap", "365_day", "proleptic_gregorian", "gregorian", "standard"):
        made = dataset.convert_calendar("proleptic_gregorian", use_cftime=False)
        return made, [f"calendar {calendar} -> gregorian"]
    told = f"a calendar {calendar!r}" if calendar else f"no dates ({dataset['time'].dtype})"
    cure = "give CF times: units 'hours since 2000-01-01', calendar 'standard'"
    raise UserError(f"{file}: the time axis has {told}", cure)


def _gaps(time: NDArray[np.datetime64]) -> Notes:
    if len(time) < 3:
        return []
    steps = np.diff(time)
    values, counts = np.unique(steps, return_counts=True)
    wide = int((steps > values[counts.argmax()]).sum())
    return [f"{wide} gaps in time; no piece of history crosses one"] if wide else []


def _unwrapped(lon: Row) -> Row:
    made: Row = np.unwrap(lon, period=360.0)
    return made


def _values(dataset: xr.Dataset, axis: str, file: str) -> Row:
    values = np.asarray(dataset[axis].values, np.float64)
    if values.ndim == 0:
        values = values[None]
    if values.ndim > 1:
        raise UserError(
            f"{file}: {axis!r} is no row of numbers", "regrid it to latitude x longitude"
        )
    if not len(values) or not np.isfinite(values).all():
        raise UserError(f"{file}: {axis!r} is empty or not a number somewhere", "correct the axis")
    return values
