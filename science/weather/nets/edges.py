"""What lies beyond the edge of a map: the other side of the planet, or nothing known."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def beyond(fields: Tensor, width: int, globe: bool, signs: Tensor | None = None) -> Tensor:
    """(..., lat, lon) with ``width`` more rows and columns at each edge.

    On a globe longitude closes, and the row beyond a pole is the nearest row half a turn away.
    A region's edge is repeated.

    Args:
        fields: to be widened; (batch, channels, lat, lon) for a region.
        width: how far.
        globe: whether the map is the whole planet; the number of longitudes must be even.
        signs: (channels, 1, 1) what a channel is multiplied by when seen across a pole.
    """
    if not globe:
        return pad(fields, (width,) * 4, mode="replicate")
    over = fields.roll(fields.shape[-1] // 2, -1)
    if signs is not None:
        over = over * signs
    north, south = over[..., :width, :].flip(-2), over[..., -width:, :].flip(-2)
    tall = torch.cat([north, fields, south], -2)
    return torch.cat([tall[..., -width:], tall, tall[..., :width]], -1)
