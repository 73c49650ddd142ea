"""A small convolutional network on the series of angles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from science.core.nn.tower import ConvTower


class Listener(nn.Module):
    """Score a series of angles.

    Args:
        channels: of the tower's stages.
        classes: number of classes.
    """

    def __init__(self, channels: Sequence[int] = (8, 16), classes: int = 2) -> None:
        super().__init__()
        self.tower = ConvTower(1, channels)
        self.head = nn.Linear(self.tower.width, classes)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """``angle`` (batch, times) -> class logits (batch, classes)."""
        logits: Tensor = self.head(self.tower(inputs["angle"][:, None]))
        return logits
