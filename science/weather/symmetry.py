"""Exact symmetries of the air on a sphere, which multiply the data for nothing.

Turning everything about the axis, ground and forcings too, and swapping the hemispheres with the
northward wind and the Sun's declination reversed, makes weather of a planet that obeys the same
laws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from science.core.forecast import Trajectory
from science.weather.variables import variable


class Symmetries:
    """Turns each piece of history by a random longitude, and mirrors half of them.

    Args:
        channels: names of the state's channels.
        fields: names of the forcings.
        turn: whether to turn; not for a region.
        mirror: whether to mirror.
    """

    def __init__(
        self,
        channels: Sequence[str],
        fields: Sequence[str],
        turn: bool = True,
        mirror: bool = True,
    ) -> None:
        self.turn, self.mirror = turn, mirror
        self.states, self.forcings = mirror_signs(channels), mirror_signs(fields)

    def __call__(self, batch: Trajectory) -> Trajectory:
        """The same pieces on other planets."""
        count, lons = len(batch.states), batch.states.shape[-1]
        east = torch.randint(lons, (count,)) if self.turn else torch.zeros(count, dtype=torch.int64)
        flip = torch.rand(count) < (0.5 if self.mirror else 0.0)
        states = moved(batch.states, east, flip, self.states)
        return batch._replace(
            states=states, forcings=moved(batch.forcings, east, flip, self.forcings)
        )


def moved(fields: Tensor, east: Tensor, flip: Tensor, signs: Tensor) -> Tensor:
    """Turn and mirror (batch, times, channels, lat, lon).

    Args:
        fields: to be moved.
        east: (batch,) columns by which each sample is turned eastward.
        flip: (batch,) which samples are mirrored.
        signs: (channels, 1, 1) what a mirror multiplies each channel by.
    """
    place = (torch.arange(fields.shape[-1])[None] - east[:, None]) % fields.shape[-1]
    place = place[:, None, None, None].to(fields.device).expand(fields.shape)
    turned = fields.gather(-1, place)
    mirrored = turned.flip(-2) * signs.to(fields)
    return torch.where(flip.to(fields.device)[:, None, None, None, None], mirrored, turned)


def mirror_signs(names: Sequence[str]) -> Tensor:
    """(channels, 1, 1): what swapping the hemispheres multiplies each channel by."""
    return _signs(variable(name).odd for name in names)


def pole_signs(names: Sequence[str]) -> Tensor:
    """(channels, 1, 1): what looking across a pole multiplies each channel by."""
    return _signs(variable(name).vector for name in names)


def _signs(turned: Iterable[bool]) -> Tensor:
    return torch.tensor([-1.0 if turn else 1.0 for turn in turned])[:, None, None]
