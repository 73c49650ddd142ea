"""From one grid to another: by harmonics, or by the area that cells share."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from science.core.errors import UserError
from science.weather.grid import Grid
from science.weather.sphere import Sphere

Array = NDArray[np.floating]


def truncate(field: Array, lats: int, lons: int, truncation: int) -> Array:
    """A field (..., lat, lon) of a Gaussian grid on a coarser one, its smallest waves cut off.

    Exact for what the coarser grid can hold.
    """
    fine, coarse = _pair(*field.shape[-2:], lats, lons, truncation)
    waves = fine.spectral(torch.from_numpy(np.ascontiguousarray(field)).to(torch.float64))
    made: Array = coarse.grid(waves).numpy().astype(field.dtype)
    return made


@lru_cache
def _pair(rows: int, columns: int, lats: int, lons: int, truncation: int) -> tuple[Sphere, Sphere]:
    return Sphere(rows, columns, truncation), Sphere(lats, lons, truncation)


def conserve(field: Array, source: Grid, target: Grid) -> Array:
    """Mean of a field over each cell of another grid; totals over the sphere stay.

    First-order conservative remapping (Jones 1999, MWR 127, 2204), for precipitation, masks and
    everything whose sum counts or which must not overshoot.

    Raises:
        UserError: the target is not inside the source.
    """
    up = _overlap(np.sin(np.deg2rad(source.edges)), np.sin(np.deg2rad(target.edges)))
    along = _around(source.lon, target.lon) if source.circular else _along(source.lon, target.lon)
    if not (up.sum(1).min() > 0 and along.sum(1).min() > 0):
        raise UserError(f"{target.told()} is not inside {source.told()}", "choose a grid inside")
    up, along = (w / w.sum(1, keepdims=True) for w in (up, along))
    made: Array = np.einsum("ij,...jk,lk->...il", up, field, along).astype(field.dtype)
    return made


def _overlap(source: Array, target: Array) -> Array:
    """Length that each decreasing interval of the target shares with each of the source."""
    top = np.minimum(target[:-1, None], source[None, :-1])
    length: Array = top - np.maximum(target[1:, None], source[None, 1:])
    return length.clip(min=0)


def _along(source: Array, target: Array) -> Array:
    return _overlap(-_edges(source), -_edges(target))


def _around(source: Array, target: Array) -> Array:
    turns = (_overlap(-_edges(source) - turn, -_edges(target)) for turn in (-360.0, 0.0, 360.0))
    shared: Array = np.sum(list(turns), axis=0)
    return shared


def _edges(middle: Array) -> Array:
    step = np.diff(middle).mean()
    return np.concatenate([middle - step / 2, [middle[-1] + step / 2]])


def bilinear(field: Array, source: Grid, target: Grid) -> Array:
    """A field of one grid at the points of another, linear in latitude and longitude.

    Beyond the last rows of a global grid the field stays as it is there.

    Raises:
        UserError: the target is not inside the source.
    """
    up, north = _between(-source.lat, -target.lat)
    lon = np.append(source.lon, source.lon[0] + 360) if source.circular else source.lon
    wanted = target.lon + 360 * np.ceil((lon[0] - target.lon - 1e-6) / 360)
    along, east = _between(lon, wanted)
    slack = 0.0 if source.circular else 1e-6
    outside = wanted.max() > lon[-1] + 1e-6
    if not source.circular:
        outside |= target.lat.max() > source.lat[0] + slack
        outside |= target.lat.min() < source.lat[-1] - slack
    if outside:
        raise UserError(f"{target.told()} is not inside {source.told()}", "choose a grid inside")
    closed = np.concatenate([field, field[..., :1]], axis=-1) if source.circular else field
    rows = closed[..., up, :] * (1 - north)[:, None] + closed[..., up + 1, :] * north[:, None]
    made: Array = rows[..., along] * (1 - east) + rows[..., along + 1] * east
    return made.astype(field.dtype)


def _between(axis: Array, wanted: Array) -> tuple[NDArray[np.int64], Array]:
    """For each wanted place the point before it, and the share of the way to the next."""
    place = np.clip(np.searchsorted(axis, wanted, side="right") - 1, 0, len(axis) - 2)
    share = (wanted - axis[place]) / (axis[place + 1] - axis[place])
    return place, share.clip(0, 1)
