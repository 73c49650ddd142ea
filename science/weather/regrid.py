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
