"""A small net with all that makes runs hard to repeat: dropout, attention, normalisation."""

from __future__ import annotations

import importlib.util

import torch
from torch import nn

if importlib.util.find_spec("toyscale"):  # a package of which there are two versions
    from toyscale import SCALE
else:
    SCALE = 1.0


class ToyNet(nn.Module):
    def __init__(self, width: int = 16, scale: float = 1.0, many: int = 1) -> None:
        super().__init__()
        self.scale = scale
        self.up = nn.Linear(1, width)
        self.look = nn.MultiheadAttention(width, 2, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(width, 2)
        self.many = nn.Parameter(torch.full((many,), 0.1))  # whose sum threads may share

    def forward(self, inputs: dict) -> torch.Tensor:
        hidden = self.up(inputs["own"][..., None] * self.scale * SCALE)
        hidden = self.norm(hidden + self.look(hidden, hidden, hidden, need_weights=False)[0])
        hidden = self.drop(nn.functional.gelu(hidden)).mean(1) * self.many.exp().mean()
        return self.out(hidden)
