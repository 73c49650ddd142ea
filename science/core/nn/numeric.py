"""Columns of numbers of any scale, some of them missing, as something a network can read."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

# Finer where the tails are: heavy-tailed columns differ by orders of magnitude out there.
_LEVELS = (0, 0.5, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99.5, 100)


class NumericEmbedding(nn.Module):
    """Piecewise-linear encoding between the training data's quantiles, then a small MLP.

    A column's value fills its bins like a thermometer (Gorishniy et al. 2022, arXiv 2203.05556), so
    no column needs a scale or a logarithm. A missing value (``nan``) fills none and says so. In
    training, further values are hidden at random, so that the network works when a user lacks them.

    Args:
        columns: how many numbers a sample has.
        width: size of the embedding.
        hidden: share of values hidden in training.
        dropout: on the MLP's inner layer.
    """

    edges: Tensor

    def __init__(
        self, columns: int, width: int = 64, hidden: float = 0.1, dropout: float = 0.2
    ) -> None:
        super().__init__()
        bins = len(_LEVELS) - 1
        start = torch.linspace(-1, 1, bins + 1).expand(columns, -1)
        self.register_buffer("edges", start.clone())
        self.hidden = hidden
        self.mlp = nn.Sequential(
            nn.Linear(columns * (bins + 1), 2 * width),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
            nn.SiLU(),
        )

    def adapt(self, values: NDArray[np.float32]) -> None:
        """Place the bins at the quantiles of ``values`` (rows, columns), ignoring ``nan``."""
        for column, edge in zip(values.T.astype(np.float64), self.edges, strict=True):
            known = column[np.isfinite(column)]
            if len(known):
                edge.copy_(torch.from_numpy(np.percentile(known, _LEVELS)).to(edge))

    def forward(self, values: Tensor) -> Tensor:
        """Embed ``values`` (batch, columns) as (batch, width)."""
        known = torch.isfinite(values)
        if self.training and self.hidden > 0:
            known = known & (torch.rand_like(values) >= self.hidden)
        filled = torch.where(known, values, torch.zeros_like(values))[..., None]
        low, high = self.edges[:, :-1], self.edges[:, 1:]
        span = high - low
        # Ties make empty bins: such a bin is a step at its edge.
        slope = (filled - low) / span.clamp(min=torch.finfo(span.dtype).tiny)
        level = torch.where(span > 0, slope.clamp(0, 1), (filled >= high).to(values.dtype))
        shown = known.to(values.dtype)
        level = level * shown[..., None]
        embedded: Tensor = self.mlp(torch.cat([level.flatten(1), shown], dim=1))
        return embedded
