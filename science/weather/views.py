"""One start seen in several symmetric pictures of the planet, whose forecasts are averaged.

Turned and mirrored weather obeys the same laws, but a network of patches answers a little
differently for each picture. The mean of its answers errs less; it costs a forecast a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.weather.boundary import Surroundings
from science.weather.symmetry import mirror_signs, moved

Fields = NDArray[np.float32]


Turn = int | Tensor  # columns eastward, of all samples or of each
Flip = bool | Tensor


@dataclass(frozen=True)
class View:
    """Ground, sea and sun of a turned and perhaps mirrored planet; see `Boundary.at`.

    Attributes:
        boundary: as it is.
        east: columns by which all samples are turned eastward, or (samples,) each of them.
        flip: whether they are mirrored, or (samples,) which of them.
    """

    boundary: Surroundings
    east: Turn
    flip: Flip

    @property
    def fields(self) -> tuple[str, ...]:
        """Names, in order."""
        return self.boundary.fields

    def at(self, time: NDArray[np.datetime64]) -> Fields:
        """(samples, ..., fields, lat, lon) at times (samples, ...)."""
        plain = self.boundary.at(time)
        whole = plain.reshape(len(plain), -1, *plain.shape[-3:])
        signs = mirror_signs(self.fields)
        return _moved(whole, self.east, self.flip, signs).reshape(plain.shape)


def seen(fields: Fields, east: Turn, flip: Flip, signs: Tensor) -> Fields:
    """Turn (n, channels, lat, lon) eastward by ``east`` columns, then mirror it if ``flip``."""
    return _moved(fields[:, None], east, flip, signs)[:, 0]


def _moved(fields: Fields, east: Turn, flip: Flip, signs: Tensor) -> Fields:
    whole = torch.from_numpy(np.ascontiguousarray(fields))
    count = (len(whole),)
    made: Fields = moved(
        whole, torch.as_tensor(east).expand(count), torch.as_tensor(flip).expand(count), signs
    ).numpy()
    return made


def in_views(
    forecast: Callable[[Fields, View], Fields],
    states: Fields,
    channels: Sequence[str],
    boundary: Surroundings,
    count: int,
) -> Fields:
    """Mean of the forecasts in ``count`` views: half as many longitudes, each seen both ways.

    Args:
        forecast: states (starts, channels, lat, lon) and their surroundings to
            (starts, leads, channels, lat, lon).
        states: to start from.
        channels: names.
        boundary: as it is.
        count: of views; those of even numbers are mirrored.
    """
    signs = mirror_signs(channels)
    total: Fields | None = None
    for number in range(count):
        east, flip = number // 2, bool(number % 2)
        made = forecast(seen(states, east, flip, signs), View(boundary, east, flip))
        flat = made.reshape(-1, *made.shape[-3:])
        # A mirror undoes itself, and commutes with turning.
        back = seen(flat, -east, flip, signs).reshape(made.shape)
        total = back if total is None else total + back
    if total is None:
        raise ValueError("no views")
    mean: Fields = total / np.float32(count)
    return mean
