"""A stack of convolutions that turns a series of any length into one vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ConvTower(nn.Module):
    """Stages of two convolutions and a halving pool, then the mean and the maximum over time.

    Args:
        channels_in: channels of the series.
        channels: of each stage.
        kernel: width of the convolutions, odd.
    """

    def __init__(
        self, channels_in: int = 1, channels: Sequence[int] = (16, 32, 64), kernel: int = 5
    ) -> None:
        super().__init__()
        sizes = [channels_in, *channels]
        stages = [_stage(a, b, kernel) for a, b in zip(sizes, channels, strict=False)]
        self.stages = nn.Sequential(*stages)
        self.width = 2 * sizes[-1]

    def forward(self, series: Tensor) -> Tensor:
        """(batch, channels_in, time) -> (batch, width)."""
        features = self.stages(series)
        return torch.cat([features.mean(-1), features.amax(-1)], dim=1)


def _stage(channels_in: int, channels: int, kernel: int) -> nn.Sequential:
    def convolve(size: int) -> list[nn.Module]:
        conv = nn.Conv1d(size, channels, kernel, padding=kernel // 2, bias=False)
        return [conv, nn.BatchNorm1d(channels), nn.SiLU()]

    return nn.Sequential(*convolve(channels_in), *convolve(channels), nn.MaxPool1d(3, 2, 1))
