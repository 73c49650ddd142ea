"""Where a place is: turned into the queries and keys, or added to the logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Rotary(nn.Module):
    """Turn pairs of features by angles that grow with the place (Su et al. 2021, arXiv 2104.09864).

    The product of a turned query and a turned key then depends on the difference of their places
    alone. With several axes (latitude and longitude, say) each turns its share of the features.

    Args:
        size: features of one head, a multiple of twice the axes.
        axes: coordinates of a place.
        base: ratio of the longest to the shortest period, about.
    """

    rates: Tensor

    def __init__(self, size: int, axes: int = 1, base: float = 10_000.0) -> None:
        super().__init__()
        if size % (2 * axes):
            raise ValueError(f"size {size} is no multiple of {2 * axes}, twice the axes")
        self.axes = axes
        pairs = size // (2 * axes)
        rates = base ** (-torch.arange(pairs, dtype=torch.float32) / pairs)
        self.register_buffer("rates", rates, persistent=False)

    def forward(self, x: Tensor, place: Tensor | None = None) -> Tensor:
        """Turn ``x`` (..., places, size) by ``place`` (places, axes), 0, 1, 2 ... unless given."""
        if place is None:
            place = torch.arange(x.shape[-2], device=x.device).unsqueeze(-1)
        angle = (place[..., None] * self.rates).flatten(-2)
        first, second = x.reshape(*x.shape[:-1], -1, 2).unbind(-1)
        cos, sin = angle.cos(), angle.sin()
        return torch.stack([first * cos - second * sin, first * sin + second * cos], -1).flatten(-2)


class RelativeBias(nn.Module):
    """One learned logit for each head and difference of two places (Shaw et al. 2018, 1803.02155).

    Args:
        heads: of the attention that it is added to.
        reach: differences beyond it count as this one.
    """

    def __init__(self, heads: int, reach: int = 32) -> None:
        super().__init__()
        self.reach = reach
        self.table = nn.Parameter(torch.zeros(heads, 2 * reach + 1))

    def forward(self, places: int) -> Tensor:
        """(heads, places, places) logits of a key's place seen from a query's."""
        place = torch.arange(places, device=self.table.device)
        apart = (place - place[:, None]).clamp(-self.reach, self.reach) + self.reach
        return self.table[:, apart]
