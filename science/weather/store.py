"""Zarr stores that grow in time, for runs that may be killed at any moment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from science.core.errors import UserError

if TYPE_CHECKING:
    import xarray as xr

EPOCH = "hours since 1970-01-01"


def append(path: Path, block: xr.Dataset, chunk: int) -> None:
    """Write the first block of a store, or the next one along time.

    Args:
        path: of the store.
        block: its times follow those of the store.
        chunk: times in one piece of the store; blocks of that many are written once.
    """
    fixed = [n for n in block.data_vars if "time" not in block[n].dims]
    if not path.exists():
        block.to_zarr(
            path, mode="w-", zarr_format=3, consolidated=False, encoding=_how(block, chunk)
        )
        return
    grown = block.drop_vars([*fixed, *(c for c in block.coords if "time" not in block[c].dims)])
    grown.to_zarr(path, append_dim="time", zarr_format=3, consolidated=False)


def cut(path: Path, end: np.datetime64) -> None:
    """Forget what lies at or after ``end``: the half-written rest of a killed run."""
    import xarray as xr
    import zarr

    if not path.exists():
        return
    with xr.open_zarr(path, consolidated=False) as store:
        keep = int((store.time.values < end).sum())
        timed = [n for n in store.variables if store[n].dims[:1] == ("time",)]
    group = zarr.open_group(path, mode="r+", zarr_format=3)
    for name in timed:
        array = group[name]
        if not isinstance(array, zarr.Array):
            raise UserError(f"{path}: {name} is no array", "delete the store and begin anew")
        if array.shape[0] != keep:
            array.resize((keep, *array.shape[1:]))


def _how(block: xr.Dataset, chunk: int) -> dict[str, Any]:
    """Chunks along time; times as hours, so that no later block needs another unit."""
    how: dict[str, Any] = {}
    for name in block.data_vars:
        shape = block[name].shape
        timed = block[name].dims[:1] == ("time",)
        how[str(name)] = {"chunks": (chunk, *shape[1:]) if timed else shape}
    how["time"] = {"units": EPOCH, "dtype": "int64", "chunks": (4096,)}
    return how
