"""Conditions that scale and shift a network's layers, and the transformer block they steer.

A block under adaLN-zero begins as the identity, whatever the condition (Peebles and Xie 2023, arXiv
2212.09748).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, silu

from science.core.nn.attention import Attention


class Modulation(nn.Module):
    """A condition's shift, scale and gate for each of ``parts`` layers, all zero at first.

    Args:
        condition: length of the condition.
        width: channels of the layers.
        parts: how many layers.
    """

    def __init__(self, condition: int, width: int, parts: int = 1) -> None:
        super().__init__()
        self.parts = parts
        self.map = nn.Linear(condition, 3 * parts * width)
        nn.init.zeros_(self.map.weight)
        nn.init.zeros_(self.map.bias)

    def forward(self, condition: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        """(batch, condition) -> for each layer shift, scale and gate, (batch, 1, width) each."""
        every = self.map(silu(condition))[:, None].chunk(3 * self.parts, -1)
        return [(every[3 * k], every[3 * k + 1], every[3 * k + 2]) for k in range(self.parts)]


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Normalise the channels of (batch, places, width), then scale and shift them."""
    return torch.addcmul(shift, layer_norm(x, x.shape[-1:]), 1 + scale)


class GatedMLP(nn.Module):
    """SwiGLU (Shazeer 2020, arXiv 2002.05202), as costly as an MLP of four times the width.

    Args:
        width: channels in and out.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = 8 * round(width / 3)
        self.rise, self.fall = nn.Linear(width, 2 * inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        gate, value = self.rise(x).chunk(2, -1)
        made: Tensor = self.fall(silu(gate) * value)
        return made


class ModulatedBlock(nn.Module):
    """Attention and an MLP, both under one condition.

    Args:
        width: channels.
        heads: of the attention.
        condition: length of the condition.
    """

    def __init__(self, width: int, heads: int, condition: int) -> None:
        super().__init__()
        self.steer = Modulation(condition, width, 2)
        self.attend = Attention(width, heads)
        self.mlp = GatedMLP(width)

    def forward(self, x: Tensor, condition: Tensor, bias: Tensor | None = None) -> Tensor:
        """One block.

        Args:
            x: (batch, places, width).
            condition: (batch, condition).
            bias: added to the attention's logits, broadcastable to (batch, heads, places, places).
        """
        (shift, scale, gate), (shift2, scale2, gate2) = self.steer(condition)
        x = x + gate * self.attend(modulate(x, shift, scale), bias=bias)
        made: Tensor = x + gate2 * self.mlp(modulate(x, shift2, scale2))
        return made
