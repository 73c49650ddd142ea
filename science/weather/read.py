"""Fields from anybody's files, as the rest of the house has them.

`read` gives a dataset with our names, units and axes. What it had to change stands in the attribute
``history``, as CF wants it, and in the log; what it cannot put right is a `UserError` that names
file, variable and cure.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from science.core.errors import UserError
from science.weather.grid import Grid
from science.weather.read_axes import put_right
from science.weather.read_names import checked, in_our_units, named
from science.weather.read_open import opened
from science.weather.states import described
from science.weather.variables import FORCINGS, STATICS, split

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)
Missing = Literal["refuse", "drop"]


def read(source: str | Path) -> xr.Dataset:
    """A dataset of known names, units and axes; values are read when they are needed.

    Args:
        source: NetCDF, GRIB, or a zarr store, also at an address.

    Returns:
        ``z t u v q`` (time, [member,] level [hPa], lat, lon), ``sp msl t2m tp sst ci`` (time, lat,
        lon), ``orog lsm`` (lat, lon), whichever there are; other variables as they were.

    Raises:
        UserError: the file is not there, damaged or beyond understanding.
    """
    file = str(source)
    dataset = named(opened(source), file)
    dataset, notes = put_right(dataset, file)
    dataset, changed = in_our_units(dataset, file)
    notes += changed
    small = [n for n in map(str, dataset.data_vars) if dataset[n].dtype == np.float16]
    if small:
        notes.append(f"half precision, as it is: {', '.join(small)}")
    for note in notes:
        log.info("%s: %s", file, note)
    old = str(dataset.attrs.get("history", ""))
    history = "\n".join(filter(None, [old, *(f"fifth: {note}" for note in notes)]))
    return described(dataset).assign_attrs(history=history, source_file=file)


def loaded(dataset: xr.Dataset, missing: Missing = "refuse") -> xr.Dataset:
    """The values of a dataset that `read` gave, looked at and in memory as float32.

    Args:
        dataset: of known variables.
        missing: what to do where a value of the state is missing: ``refuse`` the file or ``drop``
            those times. The sea has no temperature on land: there it is always filled.

    Raises:
        UserError: values are missing, infinite or cannot be what they say.
    """
    file = str(dataset.attrs.get("source_file", "dataset"))
    dataset = dataset.load()
    if missing == "drop":
        dataset = _without_missing(dataset, file)
    for name in map(str, dataset.data_vars):
        field = dataset[name]
        if not {"lat", "lon"} <= set(field.dims):
            continue
        if name in FORCINGS:
            field = field.copy(data=filled(field.values))
        dataset[name] = field.copy(data=checked(name, field.values, file))
    return dataset


def filled(values: np.ndarray) -> np.ndarray:
    """(..., lat, lon) with missing entries from the nearest that is there, along rows first."""
    from scipy.ndimage import distance_transform_edt

    flat = values.reshape(-1, *values.shape[-2:])
    made = flat.copy()
    for field, target in zip(flat, made, strict=True):
        hole = ~np.isfinite(field)
        if hole.any() and not hole.all():
            nearest = distance_transform_edt(hole, return_distances=False, return_indices=True)
            target[hole] = field[tuple(nearest)][hole]
    return made.reshape(values.shape)


def _without_missing(dataset: xr.Dataset, file: str) -> xr.Dataset:
    if "time" not in dataset.dims:
        return dataset
    bad = np.zeros(dataset.sizes["time"], bool)
    for name in map(str, dataset.data_vars):
        field = dataset[name]
        if "time" in field.dims and name not in FORCINGS and field.dtype.kind == "f":
            values = field.transpose("time", ...).values
            bad |= ~np.isfinite(values).reshape(len(bad), -1).all(1)
    if bad.all():
        raise UserError(f"{file}: every time has missing values", "fill them first")
    if bad.any():
        log.warning("%s: left out %d times with missing values", file, int(bad.sum()))
    return dataset.isel(time=~bad)


def only(dataset: xr.Dataset, channels: Sequence[str]) -> xr.Dataset:
    """The variables that these channels need, and what surrounds the air."""
    wanted = {split(name)[0] for name in channels} | {*STATICS, *FORCINGS}
    return dataset[[n for n in dataset.data_vars if n in wanted]]


def files_of(path: Path) -> list[Path]:
    """The files of a folder in order of name; a file or a zarr store is itself.

    Raises:
        UserError: there is none in the folder.
    """
    marks = ("zarr.json", ".zgroup", ".zmetadata", ".zattrs")
    if not path.is_dir() or any((path / mark).exists() for mark in marks):
        return [path]
    endings = (".nc", ".nc4", ".grib", ".grib2", ".grb", ".zarr")
    found = sorted(p for p in path.iterdir() if p.suffix in endings)
    if not found:
        raise UserError(f"{path}: no field in this folder", f"its files must end in {endings}")
    return found


def together(sets: Sequence[xr.Dataset]) -> xr.Dataset:
    """Datasets of one grid as one: merged where they tell of the same times, else in time order.

    Raises:
        UserError: their grids differ, two tell differently of one time, or none has times.
    """
    import xarray as xr

    first = Grid.of(sets[0])
    for one in sets:
        first.check(Grid.of(one), str(one.attrs.get("source_file", "")))
    fixed = [s.assign_coords(lat=first.lat, lon=first.lon) for s in sets]
    timed = [s for s in fixed if "time" in s.dims]
    if not timed:
        raise UserError(f"{sets[0].attrs.get('source_file')}: no time axis", "give dated fields")
    groups: dict[bytes, list[xr.Dataset]] = {}
    for one in timed:
        groups.setdefault(one["time"].values.tobytes(), []).append(one)
    how: Any = {"compat": "no_conflicts", "join": "outer", "combine_attrs": "drop_conflicts"}
    try:
        parts = [xr.merge(group, **how) for group in groups.values()]
        whole = (
            xr.concat(parts, "time", data_vars="minimal", join="outer") if parts[1:] else parts[0]
        )
    except (xr.MergeError, ValueError) as problem:
        raise UserError(f"the files do not fit together: {problem}", "leave some out") from None
    whole, _ = put_right(whole, str(sets[0].attrs.get("source_file", "")))
    static = [s for s in fixed if "time" not in s.dims]
    return described(xr.merge([whole, *static], **how) if static else whole)
