"""Storm tracks: where the weather of one day differs most from that of the next.

The 24-hour difference lets pass what lives for two to six days (Wallace et al. 1988, J. Atmos. Sci.
45, 439), and needs neither a long series nor a filter's run-up: forecasts of a week have tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from science.core.errors import UserError

Fields = NDArray[np.floating]
Array = NDArray[np.float64]
DAY = np.timedelta64(24, "h")


def tracks(fields: Fields, time: NDArray[np.generic]) -> Array:
    """Root of half the mean square of 24-hour differences.

    A wave of amplitude A and angular frequency w has ``A sqrt((1 - cos(24 h w)) / 2)``.

    Args:
        fields: (..., times, lat, lon), in order.
        time: (times,) dates or leads; pairs that are a day apart count.

    Returns:
        (..., lat, lon).

    Raises:
        UserError: no two are.
    """
    at = time - time[0]
    late = np.searchsorted(at, at + DAY).clip(max=len(at) - 1)
    pair = np.flatnonzero(at[late] == at + DAY)
    if not len(pair):
        raise UserError("no two times are a day apart", "storm tracks need steps that divide 24 h")
    total = np.zeros((*fields.shape[:-3], *fields.shape[-2:]))
    for begin in pair:  # one at a time: years of members would not fit into memory twice
        gap = fields[..., late[begin], :, :].astype(np.float64) - fields[..., begin, :, :]
        total += gap**2
    made: Array = np.sqrt(total / len(pair) / 2)
    return made


@dataclass(frozen=True)
class Agreement:
    """Members' storm tracks beside the truth's.

    Attributes:
        correlation: of the maps, by area.
        ratio: of their means by area.
        inside: share of the area where the truth lies between the members' 5th and 95th
            percentile; ``nan`` for fewer than ten members.
    """

    correlation: float
    ratio: float
    inside: float


def agreement(members: Array, truth: Array, weight: Array) -> Agreement:
    """How well tracks (members, lat, lon) meet those of the truth (lat, lon)."""
    mean = members.mean(0)
    area = np.broadcast_to(weight[:, None], truth.shape) / truth.size
    ours, theirs = (f - (f * area).sum() for f in (mean, truth))
    size = np.sqrt((ours**2 * area).sum() * (theirs**2 * area).sum())
    inside = np.nan
    if len(members) >= 10:
        low, high = np.percentile(members, [5, 95], axis=0)
        inside = float((((truth >= low) & (truth <= high)) * area).sum())
    return Agreement(
        float((ours * theirs * area).sum() / max(size, 1e-300)),
        float((mean * area).sum() / max(float((truth * area).sum()), 1e-300)),
        inside,
    )
